/* Who is traded today: names, prices, spreads and how busy each name is. */
#include "dp_generate_state.h"

/* Weight of a rank: 1 / (rank + 10), so that the busiest of 8,000 gets about 1.5 % of the flow. */
#define ZIPF_SHIFT 10
#define WEIGHT_ONE (1ull << 32)

static uint64_t weight_of(uint32_t rank)
{
    return WEIGHT_ONE / (rank + ZIPF_SHIFT);
}

static uint64_t weight_total(uint32_t symbol_count)
{
    uint64_t total = 0;
    for (uint32_t rank = 0; rank < symbol_count; rank++)
        total += weight_of(rank);
    return total;
}

/* About 2.2 % of the session's messages rest in the books at once, shared by activity. */
static uint32_t order_target(uint64_t message_count, uint32_t rank, uint64_t total)
{
    uint64_t weight_ppb = weight_of(rank) * 1000000 / (total / 1000);
    return (uint32_t)(message_count * 22 / 1000 * weight_ppb / 1000000000) + 2;
}

/* Flow stops adding at twice the target, and a level holds an order at least. */
static uint32_t level_count_max(uint32_t target)
{
    return 2 * target + 2 < DP_GENERATE_LEVELS_MAX ? 2 * target + 2 : DP_GENERATE_LEVELS_MAX;
}

uint64_t dp_generate_levels_count(uint64_t message_count, uint32_t symbol_count)
{
    uint64_t total = weight_total(symbol_count);
    uint64_t count = 0;
    for (uint32_t rank = 0; rank < symbol_count; rank++)
        count += 2 * level_count_max(order_target(message_count, rank, total));
    return count;
}

/* Four letters that rise with the index; a few names carry a suffix. */
static void name_symbol(struct dp_generate_symbol *symbol, uint32_t index, uint32_t symbol_count)
{
    uint32_t names_count = 26u * 26 * 26 * 26;
    uint32_t number = index * (names_count / symbol_count);
    memset(symbol->stock, ' ', sizeof(symbol->stock));
    for (int place = 3; place >= 0; place--) {
        symbol->stock[place] = (char)('A' + number % 26);
        number /= 26;
    }
    if (index % 64 == 63)
        memcpy(symbol->stock + 4, ".A", 2);
}

/* In cents, except under one dollar: in hundredths of a cent. Most names cost $5 to $150. */
static uint32_t draw_price4(struct dp_generate_random *random)
{
    static const struct {
        uint32_t below; /* of 100 */
        uint32_t first;
        uint32_t last;
    } bands[] = {
        {4, 600, 9000},
        {30, 150, 2000},
        {82, 2000, 15000},
        {97, 15000, 60000},
        {100, 60000, 300000},
    };
    uint32_t chance = dp_generate_random_below(random, 100);
    size_t band = 0;
    while (chance >= bands[band].below)
        band++;
    uint32_t price = dp_generate_random_between(random, bands[band].first, bands[band].last);
    return band == 0 ? price : price * 100;
}

static void price_symbol(
    struct dp_generate_symbol *symbol, struct dp_generate_random *random, uint32_t rank)
{
    uint32_t price4 = draw_price4(random);
    bool under_a_dollar = price4 < 10000;
    uint32_t tick4 = under_a_dollar ? 1 : 100;
    uint32_t ticks = price4 / tick4;
    /* The busiest names trade a tick or two wide; quiet ones up to some tenths of a percent. */
    uint32_t spread_bps10 = 1 + rank / 250;
    symbol->anchor4 = price4;
    symbol->tick4 = tick4;
    symbol->half_spread4 = (ticks * spread_bps10 / 20000) * tick4;
    symbol->unit4 = (1 + ticks / 10000) * tick4;
    symbol->price4_min = under_a_dollar ? 1 : 10000;
    symbol->price4_max = under_a_dollar ? 9999 : 100000000;
    symbol->anchor4_min = under_a_dollar ? 300 : price4 / 2 < 10500 ? 10500 : price4 / 200 * 100;
    symbol->anchor4_max = under_a_dollar ? 9500 : price4 * 2;
}

/* ranks[index]: a symbol's place in the order of activity, shuffled over the alphabet. */
static void shuffle(struct dp_generate_random *random, uint16_t *ranks, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++)
        ranks[index] = (uint16_t)index;
    for (uint32_t index = count - 1; index > 0; index--) {
        uint32_t other = dp_generate_random_below(random, index + 1);
        uint16_t rank = ranks[index];
        ranks[index] = ranks[other];
        ranks[other] = rank;
    }
}

/* Slots of the Zipf table that ranks before this one own. */
static uint32_t slots_before(uint64_t weight_before, uint64_t total)
{
    return (uint32_t)(weight_before / 64 * DP_GENERATE_ZIPF_SIZE / (total / 64));
}

static void fill_zipf(struct dp_generate *generate, const uint16_t *ranks, uint16_t *by_rank)
{
    for (uint32_t index = 0; index < generate->symbol_count; index++)
        by_rank[ranks[index]] = (uint16_t)index;

    uint64_t total = weight_total(generate->symbol_count);
    uint64_t weight = 0;
    uint32_t slot = 0;
    for (uint32_t rank = 0; rank < generate->symbol_count; rank++) {
        weight += weight_of(rank);
        bool is_last = rank == generate->symbol_count - 1;
        uint32_t end = is_last ? DP_GENERATE_ZIPF_SIZE : slots_before(weight, total);
        while (slot < end && slot < DP_GENERATE_ZIPF_SIZE)
            generate->zipf[slot++] = by_rank[rank];
    }
}

static void init_symbol(struct dp_generate *generate, uint32_t index, uint32_t rank, uint64_t total,
    struct dp_generate_level *levels)
{
    struct dp_generate_symbol *symbol = &generate->symbols[index];
    name_symbol(symbol, index, generate->symbol_count);
    price_symbol(symbol, &generate->random, rank);
    symbol->order_target = order_target(generate->message_count, rank, total);
    uint32_t count_max = level_count_max(symbol->order_target);
    symbol->sides[0] = (struct dp_generate_side){levels, 0, count_max};
    symbol->sides[1] = (struct dp_generate_side){levels + count_max, 0, count_max};
    for (uint32_t place = 0; place < DP_GENERATE_RECENT_COUNT; place++)
        symbol->recent[place] = DP_GENERATE_NONE;
}

void dp_generate_symbols_init(struct dp_generate *generate)
{
    uint16_t ranks[DP_GENERATE_SYMBOLS_MAX];
    uint16_t by_rank[DP_GENERATE_SYMBOLS_MAX];
    shuffle(&generate->random, ranks, generate->symbol_count);
    fill_zipf(generate, ranks, by_rank);

    uint64_t total = weight_total(generate->symbol_count);
    struct dp_generate_level *levels = generate->levels;
    for (uint32_t index = 0; index < generate->symbol_count; index++) {
        init_symbol(generate, index, ranks[index], total, levels);
        levels += 2 * generate->symbols[index].sides[0].count_max;
    }
    /* Names of middling activity, so that their first trades stand out. */
    generate->ipo_symbol = by_rank[generate->symbol_count / 3];
    generate->direct_symbol = by_rank[generate->symbol_count / 2];
}
