/* Order flow: bursts of adds, deletes, replaces, cancels and executions around a walking price. */
#include "dp_generate_state.h"

/* Of 1,000 draws. What is left are adds and deletes, balanced by how many orders the symbol has. */
enum { HIDDEN_TRADES = 6, CANCELS = 10, REPLACES = 80, TAKES = 24 };

static const char *const mpids[] = {"NSDQ", "TPMM", "QLIQ", "ALFA", "BRVO", "CRUX", "DELT", "ECHO"};

static uint64_t next_order_ref(struct dp_generate *generate)
{
    struct dp_generate_random *random = &generate->random;
    generate->order_ref += 1 + dp_generate_random_below(random, 16);
    if (!dp_generate_random_one_in(random, 64))
        return generate->order_ref;
    /* Swap with the number held back: a reference that is smaller than those before it. */
    uint64_t held = generate->order_ref_held;
    generate->order_ref_held = generate->order_ref;
    if (held == 0)
        return ++generate->order_ref;
    return held;
}

uint64_t dp_generate_match(struct dp_generate *generate, uint32_t symbol)
{
    generate->match_number += 1 + dp_generate_random_below(&generate->random, 4);
    generate->matches[generate->match_next++ % DP_GENERATE_MATCH_COUNT] =
        (struct dp_generate_match){generate->match_number, symbol};
    return generate->match_number;
}

/* Half round lots of one, a quarter odd lots, the rest larger, rarely a block. */
static uint32_t draw_qty(struct dp_generate_random *random)
{
    uint32_t chance = dp_generate_random_below(random, 256);
    if (chance < 120)
        return 100;
    if (chance < 190)
        return dp_generate_random_between(random, 1, 99);
    if (chance < 252)
        return 100 * dp_generate_random_between(random, 2, 20);
    return 100 * dp_generate_random_between(random, 21, 500);
}

/* From the touch outwards in units of the symbol; one order in twenty stands far away. */
static uint32_t draw_distance(struct dp_generate_random *random)
{
    uint32_t chance = dp_generate_random_below(random, 256);
    if (chance < 90)
        return 0;
    if (chance < 190)
        return dp_generate_random_coins(random) + (chance & 1);
    if (chance < 244)
        return dp_generate_random_below(random, 64);
    return dp_generate_random_below(random, 700);
}

static uint32_t draw_price4(
    struct dp_generate *generate, const struct dp_generate_symbol *symbol, uint8_t side)
{
    uint32_t away4 = symbol->half_spread4 + draw_distance(&generate->random) * symbol->unit4;
    uint32_t price4 = symbol->anchor4 + symbol->tick4 + away4;
    if (side == 0)
        price4 = symbol->anchor4 > away4 ? symbol->anchor4 - away4 : symbol->price4_min;
    return dp_generate_book_fit(generate, symbol, side, price4);
}

static uint32_t add(struct dp_generate *generate, uint8_t *message, uint32_t symbol_index)
{
    struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    struct dp_generate_random *random = &generate->random;
    uint8_t side = dp_generate_random_below(random, 2) != 0;
    uint32_t qty = draw_qty(random);
    uint32_t price4 = draw_price4(generate, symbol, side);
    uint64_t order_ref = next_order_ref(generate);
    bool has_mpid = dp_generate_random_one_in(random, 25);
    dp_generate_book_add(generate, symbol_index, side, qty, price4, order_ref);

    dp_generate_header(generate, message, has_mpid ? 'F' : 'A', symbol_index);
    dp_store_be64(message + 11, order_ref);
    message[19] = side == 0 ? 'B' : 'S';
    dp_store_be32(message + 20, qty);
    memcpy(message + 24, symbol->stock, 8);
    dp_store_be32(message + 32, price4);
    if (!has_mpid)
        return 36;
    memcpy(message + 36, mpids[dp_generate_random_below(random, 8)], 4);
    return 40;
}

uint32_t dp_generate_delete(struct dp_generate *generate, uint8_t *message, uint32_t order)
{
    dp_generate_header(generate, message, 'D', generate->orders[order].symbol);
    dp_store_be64(message + 11, generate->orders[order].order_ref);
    dp_generate_book_remove(generate, order);
    return 19;
}

/* Takes part of an order away; an order of one share cannot shrink and leaves. */
static uint32_t cancel(struct dp_generate *generate, uint8_t *message, uint32_t order)
{
    uint32_t qty = generate->orders[order].qty;
    if (qty == 1)
        return dp_generate_delete(generate, message, order);
    uint32_t canceled = dp_generate_random_between(&generate->random, 1, qty - 1);
    dp_generate_header(generate, message, 'X', generate->orders[order].symbol);
    dp_store_be64(message + 11, generate->orders[order].order_ref);
    dp_store_be32(message + 19, canceled);
    dp_generate_book_reduce(generate, order, canceled);
    return 23;
}

static uint32_t replace(struct dp_generate *generate, uint8_t *message, uint32_t order)
{
    struct dp_generate_order old = generate->orders[order];
    struct dp_generate_symbol *symbol = &generate->symbols[old.symbol];
    dp_generate_book_remove(generate, order);
    bool keeps_qty = dp_generate_random_next(&generate->random) >> 62 != 0;
    uint32_t qty = keeps_qty ? old.qty : draw_qty(&generate->random);
    uint32_t price4 = draw_price4(generate, symbol, old.side);
    uint64_t order_ref = next_order_ref(generate);
    dp_generate_book_add(generate, old.symbol, old.side, qty, price4, order_ref);

    dp_generate_header(generate, message, 'U', old.symbol);
    dp_store_be64(message + 11, old.order_ref);
    dp_store_be64(message + 19, order_ref);
    dp_store_be32(message + 27, qty);
    dp_store_be32(message + 31, price4);
    return 35;
}

uint32_t dp_generate_execute(struct dp_generate *generate, uint8_t *message, uint32_t order,
    uint32_t qty, char printable, uint32_t price4)
{
    uint32_t symbol = generate->orders[order].symbol;
    dp_generate_header(generate, message, price4 == 0 ? 'E' : 'C', symbol);
    dp_store_be64(message + 11, generate->orders[order].order_ref);
    dp_store_be32(message + 19, qty);
    dp_store_be64(message + 23, dp_generate_match(generate, symbol));
    dp_generate_book_reduce(generate, order, qty);
    if (price4 == 0)
        return 31;
    message[31] = (uint8_t)printable;
    dp_store_be32(message + 32, price4);
    return 36;
}

/* One execution of the running sweep; 0 when nothing rests on that side any more. */
static uint32_t take(struct dp_generate *generate, uint8_t *message)
{
    struct dp_generate_symbol *symbol = &generate->symbols[generate->burst_symbol];
    uint32_t order = dp_generate_book_front(symbol, generate->take_side);
    if (order == DP_GENERATE_NONE) {
        generate->take_left = 0;
        return 0;
    }
    const struct dp_generate_order *record = &generate->orders[order];
    uint32_t qty = record->qty < generate->take_left ? record->qty : generate->take_left;
    generate->take_left -= qty;
    /* Now and then the print is a tick better for the resting order than its price. */
    uint32_t price4 = 0;
    if (dp_generate_random_one_in(&generate->random, 32) && record->price4 > symbol->tick4)
        price4 =
            record->side == 0 ? record->price4 - symbol->tick4 : record->price4 + symbol->tick4;
    return dp_generate_execute(generate, message, order, qty, 'Y', price4);
}

/* An aggressor arrives: against stale quotes when the price has walked through them, else on any
 * side. */
static uint32_t begin_take(struct dp_generate *generate, uint8_t *message)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[generate->burst_symbol];
    generate->take_side = dp_generate_book_stale(symbol);
    if (generate->take_side == DP_GENERATE_NO_SIDE)
        generate->take_side = dp_generate_random_below(&generate->random, 2) != 0;
    generate->take_left = draw_qty(&generate->random);
    return take(generate, message);
}

/* A trade against hidden interest between bid and offer: no book effect, no reference, side always
 * B. */
static uint32_t hidden_trade(struct dp_generate *generate, uint8_t *message, uint32_t symbol_index)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    uint32_t bid4 = dp_generate_best4(symbol, 0);
    uint32_t ask4 = dp_generate_best4(symbol, 1);
    uint32_t price4 = bid4 != 0 && ask4 != 0 ? bid4 + (ask4 - bid4) / 2 : symbol->anchor4;
    dp_generate_header(generate, message, 'P', symbol_index);
    dp_store_be64(message + 11, 0);
    message[19] = 'B';
    dp_store_be32(message + 20, draw_qty(&generate->random));
    memcpy(message + 24, symbol->stock, 8);
    dp_store_be32(message + 32, price4);
    dp_store_be64(message + 36, dp_generate_match(generate, symbol_index));
    return 44;
}

static bool is_trading(const struct dp_generate_symbol *symbol)
{
    return symbol->trading_state == 'T' && !symbol->halted_here;
}

/* Adds win below the symbol's target, deletes above it, in proportion to the distance. */
static bool wants_add(struct dp_generate *generate, const struct dp_generate_symbol *symbol)
{
    uint32_t chance = dp_generate_random_below(&generate->random, 2 * symbol->order_target);
    return chance >= symbol->order_count;
}

static uint32_t move_order(struct dp_generate *generate, uint8_t *message, uint32_t draw)
{
    uint32_t symbol_index = generate->burst_symbol;
    struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    bool is_change = draw < CANCELS + REPLACES;
    if (symbol->order_count == 0 || (!is_change && wants_add(generate, symbol)))
        return add(generate, message, symbol_index);

    uint32_t order = dp_generate_book_pick(generate, symbol_index);
    if (draw < CANCELS)
        return cancel(generate, message, order);
    if (draw < CANCELS + REPLACES)
        return replace(generate, message, order);
    return dp_generate_delete(generate, message, order);
}

/* The price moves between bursts; a wall at half and twice the opening price turns it back. */
static void walk(struct dp_generate *generate, struct dp_generate_symbol *symbol)
{
    uint64_t chance = dp_generate_random_next(&generate->random);
    if ((chance & 15) != 0)
        return;
    bool up = (chance & 16) != 0;
    if (symbol->anchor4 + symbol->unit4 > symbol->anchor4_max)
        up = false;
    if (symbol->anchor4 < symbol->anchor4_min + symbol->unit4)
        up = true;
    symbol->anchor4 += up ? symbol->unit4 : -symbol->unit4;
}

/* Short bursts mostly; one in 64 is a storm of up to 400 messages within microseconds. */
static void begin_burst(struct dp_generate *generate)
{
    struct dp_generate_random *random = &generate->random;
    uint32_t slot = dp_generate_random_below(random, DP_GENERATE_ZIPF_SIZE);
    generate->burst_symbol = generate->zipf[slot];
    generate->burst_left = 1 + dp_generate_random_coins(random) + dp_generate_random_coins(random);
    if (dp_generate_random_one_in(random, 64))
        generate->burst_left = dp_generate_random_between(random, 20, 400);
    generate->take_left = 0;
    walk(generate, &generate->symbols[generate->burst_symbol]);
}

uint32_t dp_generate_unwind_next(struct dp_generate *generate)
{
    do
        generate->unwind_symbol = (generate->unwind_symbol + 1) % generate->symbol_count;
    while (generate->symbols[generate->unwind_symbol].order_count == 0);
    return generate->unwind_symbol;
}

/* Nearly all deletes; an add now and then, and whenever nothing may leave any more. */
static uint32_t unwind(struct dp_generate *generate, uint8_t *message)
{
    if (generate->order_count <= generate->keep_count ||
        dp_generate_random_one_in(&generate->random, 32))
        return add(generate, message, generate->burst_symbol);
    uint32_t order = dp_generate_book_pick(generate, dp_generate_unwind_next(generate));
    return dp_generate_delete(generate, message, order);
}

static uint32_t flow_once(
    struct dp_generate *generate, uint8_t *message, enum dp_generate_flow_mode mode)
{
    struct dp_generate_symbol *symbol = &generate->symbols[generate->burst_symbol];
    struct dp_generate_random *random = &generate->random;
    if (mode == DP_GENERATE_FLOW_UNWIND)
        return unwind(generate, message);
    if (mode == DP_GENERATE_FLOW_OPENING && dp_generate_random_one_in(random, 8))
        return dp_generate_imbalance(generate, message, generate->burst_symbol, 'O');
    if (mode == DP_GENERATE_FLOW_CLOSING && dp_generate_random_one_in(random, 16))
        return dp_generate_imbalance(generate, message, generate->burst_symbol, 'C');

    uint32_t draw = dp_generate_random_below(random, 1000);
    bool wants_trade = draw >= 1000 - TAKES - HIDDEN_TRADES;
    if (wants_trade && is_trading(symbol)) {
        uint32_t size = draw >= 1000 - HIDDEN_TRADES
            ? hidden_trade(generate, message, generate->burst_symbol)
            : begin_take(generate, message);
        if (size != 0)
            return size;
    }
    return move_order(generate, message, draw);
}

uint32_t dp_generate_flow(
    struct dp_generate *generate, uint8_t *message, enum dp_generate_flow_mode mode)
{
    if (mode == DP_GENERATE_FLOW_TRADING || mode == DP_GENERATE_FLOW_SETTLED) {
        generate->flow_index++;
        uint32_t size =
            dp_generate_scenario_step(generate, message, mode == DP_GENERATE_FLOW_TRADING);
        if (size != 0)
            return size;
    }
    if (generate->burst_left == 0)
        begin_burst(generate);
    generate->burst_left--;
    bool may_take = is_trading(&generate->symbols[generate->burst_symbol]);
    if (generate->take_left != 0 && may_take) {
        uint32_t size = take(generate, message);
        if (size != 0)
            return size;
    }
    return flow_once(generate, message, mode);
}
