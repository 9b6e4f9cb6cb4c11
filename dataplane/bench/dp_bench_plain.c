#include "dp_bench_plain.h"

size_t dp_bench_plain_size(uint32_t order_count)
{
    return sizeof(struct dp_bench_plain) +
        ((size_t)order_count + 1) * sizeof(struct dp_bench_plain_order);
}

void dp_bench_plain_init(struct dp_bench_plain *plain, uint32_t order_count)
{
    memset(plain->level_count, 0, sizeof(plain->level_count));
    memset(plain->orders, 0, ((size_t)order_count + 1) * sizeof(struct dp_bench_plain_order));
}

static int32_t rank_of(uint8_t side, int32_t ticks)
{
    return side == DP_SIDE_BUY ? ticks : -ticks;
}

/* Where the rank is, or would be. */
static uint32_t search(const struct dp_bench_plain *plain, uint32_t side, int32_t rank)
{
    uint32_t low = 0;
    uint32_t high = plain->level_count[side];
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (plain->levels[side][middle].rank < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct dp_bench_plain_level *level_for(
    struct dp_bench_plain *plain, uint32_t side, int32_t rank)
{
    uint32_t at = search(plain, side, rank);
    struct dp_bench_plain_level *levels = plain->levels[side];
    if (at < plain->level_count[side] && levels[at].rank == rank)
        return &levels[at];
    DP_ASSERT(plain->level_count[side] < DP_BENCH_PLAIN_LEVELS);
    memmove(&levels[at + 1], &levels[at], (plain->level_count[side]++ - at) * sizeof(levels[0]));
    levels[at] = (struct dp_bench_plain_level){.rank = rank};
    return &levels[at];
}

static void rest(struct dp_bench_plain *plain, uint32_t id)
{
    struct dp_bench_plain_order *order = &plain->orders[id];
    struct dp_bench_plain_level *level =
        level_for(plain, order->side == DP_SIDE_SELL, rank_of(order->side, order->ticks));
    order->next = 0;
    order->back = level->last;
    *(level->last != 0 ? &plain->orders[level->last].next : &level->first) = id;
    level->last = id;
}

static void leave(struct dp_bench_plain *plain, uint32_t id)
{
    const struct dp_bench_plain_order *order = &plain->orders[id];
    uint32_t side = order->side == DP_SIDE_SELL;
    uint32_t at = search(plain, side, rank_of(order->side, order->ticks));
    struct dp_bench_plain_level *level = &plain->levels[side][at];
    *(order->back != 0 ? &plain->orders[order->back].next : &level->first) = order->next;
    *(order->next != 0 ? &plain->orders[order->next].back : &level->last) = order->back;
    if (level->first == 0)
        memmove(level, level + 1, (--plain->level_count[side] - at) * sizeof(*level));
}

static void take(struct dp_bench_plain *plain, uint32_t id, struct dp_bench_match_result *result)
{
    struct dp_bench_plain_order *order = &plain->orders[id];
    uint32_t other = order->side == DP_SIDE_BUY;
    while (order->qty != 0 && plain->level_count[other] != 0) {
        const struct dp_bench_plain_level *best =
            &plain->levels[other][plain->level_count[other] - 1];
        if (best->rank < -rank_of(order->side, order->ticks))
            return;
        struct dp_bench_plain_order *maker = &plain->orders[best->first];
        uint32_t qty = maker->qty < order->qty ? maker->qty : order->qty;
        maker->qty -= qty;
        order->qty -= qty;
        result->trades++;
        result->traded_qty += qty;
        if (maker->qty == 0) {
            result->live--;
            leave(plain, best->first);
        }
    }
}

static void enter(struct dp_bench_plain *plain, const struct dp_bench_match_command *command,
    struct dp_bench_match_result *result)
{
    struct dp_bench_plain_order *order = &plain->orders[command->order_id];
    order->qty = command->qty;
    order->ticks = command->ticks;
    order->side = command->side;
    take(plain, command->order_id, result);
    if (command->kind == DP_BENCH_MATCH_IMMEDIATE)
        order->qty = 0;
    if (order->qty == 0)
        return;
    result->live++;
    rest(plain, command->order_id);
}

static void change(struct dp_bench_plain *plain, const struct dp_bench_match_command *command,
    struct dp_bench_match_result *result)
{
    struct dp_bench_plain_order *order = &plain->orders[command->order_id];
    if (order->qty == 0) {
        result->refused++;
    } else if (command->kind == DP_BENCH_MATCH_REPLACE && command->ticks == order->ticks &&
        command->qty <= order->qty) {
        order->qty = command->qty;
    } else {
        result->live--;
        leave(plain, command->order_id);
        order->qty = 0;
        if (command->kind == DP_BENCH_MATCH_REPLACE)
            enter(plain, command, result);
    }
}

struct dp_bench_match_result dp_bench_plain_run(
    struct dp_bench_plain *plain, const struct dp_bench_match_command *commands, uint32_t count)
{
    struct dp_bench_match_result result = {.trades = 0};
    for (uint32_t index = 0; index < count; index++) {
        if (commands[index].kind <= DP_BENCH_MATCH_IMMEDIATE)
            enter(plain, &commands[index], &result);
        else
            change(plain, &commands[index], &result);
    }
    return result;
}
