/* The generator's own book. A level's key is its price for bids and the complement for offers, so
 * that one code serves both sides: the best level has the largest key and stands
 * last in its array. */
#include "dp_generate_state.h"

static uint32_t key_of(uint8_t side, uint32_t price4)
{
    return side == 0 ? price4 : UINT32_MAX - price4;
}

/* Where the level with this key is, or would be put. */
static uint32_t find_level(const struct dp_generate_side *side, uint32_t key)
{
    uint32_t low = 0;
    uint32_t high = side->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (side->levels[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_level(const struct dp_generate_side *side, uint32_t index, uint32_t key)
{
    return index < side->count && side->levels[index].key == key;
}

static void open_level(struct dp_generate_side *side, uint32_t index, uint32_t key)
{
    DP_ASSERT(side->count < side->count_max);
    struct dp_generate_level *level = &side->levels[index];
    memmove(level + 1, level, (side->count - index) * sizeof(*level));
    *level = (struct dp_generate_level){key, DP_GENERATE_NONE, DP_GENERATE_NONE};
    side->count++;
}

static void close_level(struct dp_generate_side *side, uint32_t index)
{
    struct dp_generate_level *level = &side->levels[index];
    memmove(level, level + 1, (side->count - index - 1) * sizeof(*level));
    side->count--;
}

uint32_t dp_generate_best4(const struct dp_generate_symbol *symbol, uint8_t side)
{
    const struct dp_generate_side *half = &symbol->sides[side];
    if (half->count == 0)
        return 0;
    return key_of(side, half->levels[half->count - 1].key);
}

uint32_t dp_generate_book_front(const struct dp_generate_symbol *symbol, uint8_t side)
{
    const struct dp_generate_side *half = &symbol->sides[side];
    return half->count == 0 ? DP_GENERATE_NONE : half->levels[half->count - 1].first;
}

static void remember(struct dp_generate_symbol *symbol, uint32_t order)
{
    symbol->recent[symbol->recent_next++ % DP_GENERATE_RECENT_COUNT] = order;
}

static void queue_last(
    struct dp_generate *generate, struct dp_generate_level *level, uint32_t order)
{
    generate->orders[order].ahead = level->last;
    generate->orders[order].behind = DP_GENERATE_NONE;
    if (level->last == DP_GENERATE_NONE)
        level->first = order;
    else
        generate->orders[level->last].behind = order;
    level->last = order;
}

uint32_t dp_generate_book_add(struct dp_generate *generate, uint32_t symbol_index, uint8_t side,
    uint32_t qty, uint32_t price4, uint64_t order_ref)
{
    struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    struct dp_generate_side *half = &symbol->sides[side];
    uint32_t key = key_of(side, price4);
    uint32_t index = find_level(half, key);
    if (!has_level(half, index, key))
        open_level(half, index, key);

    uint32_t order = generate->order_free;
    DP_ASSERT(order != DP_GENERATE_NONE);
    struct dp_generate_order *record = &generate->orders[order];
    generate->order_free = record->behind;
    record->order_ref = order_ref;
    record->qty = qty;
    record->price4 = price4;
    record->symbol = (uint16_t)symbol_index;
    record->side = side;
    queue_last(generate, &half->levels[index], order);
    remember(symbol, order);
    symbol->order_count++;
    generate->order_count++;
    return order;
}

void dp_generate_book_remove(struct dp_generate *generate, uint32_t order)
{
    struct dp_generate_order *record = &generate->orders[order];
    struct dp_generate_symbol *symbol = &generate->symbols[record->symbol];
    struct dp_generate_side *half = &symbol->sides[record->side];
    uint32_t index = find_level(half, key_of(record->side, record->price4));
    struct dp_generate_level *level = &half->levels[index];

    if (record->ahead == DP_GENERATE_NONE)
        level->first = record->behind;
    else
        generate->orders[record->ahead].behind = record->behind;
    if (record->behind == DP_GENERATE_NONE)
        level->last = record->ahead;
    else
        generate->orders[record->behind].ahead = record->ahead;
    if (level->first == DP_GENERATE_NONE)
        close_level(half, index);

    record->qty = 0;
    record->behind = generate->order_free;
    generate->order_free = order;
    symbol->order_count--;
    generate->order_count--;
}

void dp_generate_book_reduce(struct dp_generate *generate, uint32_t order, uint32_t qty)
{
    DP_ASSERT(qty <= generate->orders[order].qty);
    if (qty == generate->orders[order].qty)
        dp_generate_book_remove(generate, order);
    else
        generate->orders[order].qty -= qty;
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

uint32_t dp_generate_book_fit(struct dp_generate *generate, const struct dp_generate_symbol *symbol,
    uint8_t side, uint32_t price4)
{
    uint32_t opposite4 = dp_generate_best4(symbol, !side);
    uint32_t low = symbol->price4_min;
    uint32_t high = symbol->price4_max;
    /* A bid leaves room for an offer above it and an offer for a bid below it, always. */
    if (side == 0)
        high = (opposite4 == 0 ? symbol->price4_max : opposite4) - symbol->tick4;
    else
        low = (opposite4 == 0 ? symbol->price4_min : opposite4) + symbol->tick4;
    price4 = clamp(price4, low, high);

    const struct dp_generate_side *half = &symbol->sides[side];
    uint32_t key = key_of(side, price4);
    if (half->count < half->count_max || has_level(half, find_level(half, key), key))
        return price4;
    uint32_t index = dp_generate_random_below(&generate->random, half->count);
    return key_of(side, half->levels[index].key);
}

/* Most picks fall near the touch, few anywhere: far levels live long, so that books grow deep. */
static uint32_t pick_from_side(struct dp_generate *generate, const struct dp_generate_side *half)
{
    uint64_t chance = dp_generate_random_next(&generate->random);
    uint32_t depth = (chance & 31) != 0
        ? dp_generate_random_coins(&generate->random) + dp_generate_random_coins(&generate->random)
        : dp_generate_random_below(&generate->random, half->count);
    if (depth >= half->count)
        depth = 0;
    const struct dp_generate_level *level = &half->levels[half->count - 1 - depth];
    return (chance & 32) != 0 ? level->first : level->last;
}

uint8_t dp_generate_book_stale(const struct dp_generate_symbol *symbol)
{
    if (dp_generate_best4(symbol, 0) > symbol->anchor4)
        return 0;
    uint32_t ask4 = dp_generate_best4(symbol, 1);
    return ask4 != 0 && ask4 <= symbol->anchor4 ? 1 : DP_GENERATE_NO_SIDE;
}

static bool is_order_of(const struct dp_generate *generate, uint32_t order, uint32_t symbol)
{
    return order != DP_GENERATE_NONE && generate->orders[order].qty != 0 &&
        generate->orders[order].symbol == symbol;
}

uint32_t dp_generate_book_pick(struct dp_generate *generate, uint32_t symbol_index)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    if (symbol->order_count == 0)
        return DP_GENERATE_NONE;

    uint64_t chance = dp_generate_random_next(&generate->random);
    uint8_t stale = dp_generate_book_stale(symbol);
    if (stale != DP_GENERATE_NO_SIDE && (chance >> 32 & 1) != 0)
        return dp_generate_book_front(symbol, stale);

    uint32_t recent = symbol->recent[chance % DP_GENERATE_RECENT_COUNT];
    if ((chance >> 34 & 3) != 0 && is_order_of(generate, recent, symbol_index))
        return recent;

    uint8_t side = chance >> 40 & 1;
    if (symbol->sides[side].count == 0)
        side = !side;
    return pick_from_side(generate, &symbol->sides[side]);
}
