#include "dp_bench_match.h"

#include "dp_match_view.h"

#define MIDDLE 10000
#define PARTICIPANTS 64
#define LEVELS 32768
#define REPORTS 4096

size_t dp_bench_match_size(uint32_t order_count_max)
{
    const struct dp_match_config config = {.instrument_count_max = 1,
        .participant_count_max = PARTICIPANTS,
        .order_count_max = order_count_max,
        .level_count_max = LEVELS};
    return dp_match_size(&config);
}

void dp_bench_match_init(
    struct dp_match *match, uint32_t order_count_max, enum dp_match_policy policy)
{
    const struct dp_match_config config = {.instrument_count_max = 1,
        .participant_count_max = PARTICIPANTS,
        .order_count_max = order_count_max,
        .level_count_max = LEVELS};
    const struct dp_match_instrument terms = {.tick_nanos = DP_BENCH_MATCH_TICK,
        .price_nanos_max = 10000000 * DP_BENCH_MATCH_TICK,
        .reference_price_nanos = DP_PRICE_NONE,
        .lot_qty = 1,
        .allocation_min_qty = 2,
        .policy = policy,
        .session = DP_MATCH_CONTINUOUS};
    DP_ASSERT(dp_match_init(match, &config, NULL) == 0);
    for (uint32_t participant = 0; participant < PARTICIPANTS; participant++)
        DP_ASSERT(dp_match_add_participant(match, 0, NULL) >= 0);
    DP_ASSERT(dp_match_add_instrument(match, &terms, NULL) == 0);
}

/* ---- running ---- */

static void drop_reports(struct dp_match_sink *sink)
{
    sink->count = 0;
}

static inline struct dp_match_replace replace_of(const struct dp_bench_match_command *command)
{
    return (struct dp_match_replace){.order_id = command->order_id,
        .price_nanos = command->ticks * DP_BENCH_MATCH_TICK,
        .qty = command->qty};
}

static inline struct dp_match_order order_of(const struct dp_bench_match_command *command)
{
    return (struct dp_match_order){.order_id = command->order_id,
        .price_nanos = command->ticks * DP_BENCH_MATCH_TICK,
        .qty = command->qty,
        .participant = command->participant,
        .side = command->side,
        .type = DP_MATCH_LIMIT,
        .time_in_force = command->kind == DP_BENCH_MATCH_IMMEDIATE ? DP_MATCH_IOC : DP_MATCH_DAY};
}

static inline void apply(struct dp_match *match, const struct dp_bench_match_command *command,
    struct dp_match_sink *sink)
{
    if (command->kind == DP_BENCH_MATCH_CANCEL) {
        dp_match_cancel(match, command->order_id, 0, 0, sink);
    } else if (command->kind == DP_BENCH_MATCH_REPLACE) {
        const struct dp_match_replace replace = replace_of(command);
        dp_match_replace(match, &replace, 0, sink);
    } else {
        const struct dp_match_order order = order_of(command);
        dp_match_new(match, &order, 0, sink);
    }
}

static void count_reports(struct dp_bench_match_result *result, struct dp_match_sink *sink)
{
    for (uint32_t index = 0; index < sink->count; index++) {
        const struct dp_match_report *report = &sink->reports[index];
        if (report->type == DP_MATCH_TRADED) {
            result->trades++;
            result->traded_qty += report->qty;
        } else if (DP_UNLIKELY(report->type == DP_MATCH_REJECTED)) {
            result->refused++;
        }
    }
    sink->count = 0;
}

/* Reports are read as soon as a command is done, as a venue would. */
struct dp_bench_match_result dp_bench_match_run(
    struct dp_match *match, const struct dp_bench_match_command *commands, uint32_t count)
{
    static struct dp_match_report reports[REPORTS];
    struct dp_match_sink sink = {reports, REPORTS, 0, drop_reports, NULL};
    struct dp_bench_match_result result = {.trades = 0};
    for (uint32_t index = 0; index < count; index++) {
        apply(match, &commands[index], &sink);
        count_reports(&result, &sink);
    }
    result.live = dp_match_view_order_count(match);
    return result;
}

void dp_bench_match_report_counts(struct dp_match *match,
    const struct dp_bench_match_command *commands, uint32_t count, uint8_t *report_counts)
{
    static struct dp_match_report reports[REPORTS];
    struct dp_match_sink sink = {reports, REPORTS, 0, drop_reports, NULL};
    for (uint32_t index = 0; index < count; index++) {
        apply(match, &commands[index], &sink);
        report_counts[index] = sink.count < UINT8_MAX ? (uint8_t)sink.count : UINT8_MAX;
        sink.count = 0;
    }
}

/* In place of each of the engine's calls. */
static __attribute__((noinline)) void do_nothing(
    uint32_t report_count, const void *request, int64_t now_ns, struct dp_match_sink *sink)
{
    __asm__ volatile("" : : "r"(request), "r"(now_ns) : "memory");
    sink->count = report_count;
}

static inline void apply_nothing(
    const struct dp_bench_match_command *command, uint32_t report_count, struct dp_match_sink *sink)
{
    if (command->kind == DP_BENCH_MATCH_CANCEL) {
        do_nothing(report_count, &command->order_id, 0, sink);
    } else if (command->kind == DP_BENCH_MATCH_REPLACE) {
        const struct dp_match_replace replace = replace_of(command);
        do_nothing(report_count, &replace, 0, sink);
    } else {
        const struct dp_match_order order = order_of(command);
        do_nothing(report_count, &order, 0, sink);
    }
}

uint64_t dp_bench_match_empty(
    const struct dp_bench_match_command *commands, uint32_t count, const uint8_t *report_counts)
{
    static struct dp_match_report reports[UINT8_MAX];
    struct dp_match_sink sink = {reports, UINT8_MAX, 0, drop_reports, NULL};
    struct dp_bench_match_result result = {.trades = 0};
    for (uint32_t index = 0; index < count; index++) {
        apply_nothing(&commands[index], report_counts[index], &sink);
        count_reports(&result, &sink);
    }
    return result.trades;
}

void dp_bench_match_time(struct dp_match *match, const struct dp_bench_match_command *commands,
    uint32_t count, uint32_t *ticks_tsc)
{
    static struct dp_match_report reports[REPORTS];
    struct dp_match_sink sink = {reports, REPORTS, 0, drop_reports, NULL};
    for (uint32_t index = 0; index < count; index++) {
        uint64_t begin = dp_tsc();
        apply(match, &commands[index], &sink);
        ticks_tsc[index] = (uint32_t)(dp_tsc() - begin);
        sink.count = 0;
    }
}

/* ---- making a flow ---- */

struct flow {
    enum dp_bench_match_shape shape;
    uint64_t random;
    int32_t walk; /* of the middle, in ticks */
    uint32_t last_id;
    uint32_t live_count;
    uint32_t *live;  /* ids */
    uint32_t *place; /* of an id in `live`, from 1; 0: not there */
    uint8_t *side;
    int32_t *ticks;
    uint32_t *qty;
};

static uint64_t draw(struct flow *flow)
{
    uint64_t word = flow->random += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static uint32_t below(struct flow *flow, uint32_t bound)
{
    return (uint32_t)((draw(flow) >> 32) * bound >> 32);
}

/* Geometric: each tick further is taken by 82 of 100. */
static int32_t distance(struct flow *flow)
{
    int32_t ticks = 0;
    while (ticks < 200 && below(flow, 100) >= 18)
        ticks++;
    return ticks;
}

static int32_t triangle(uint32_t at, uint32_t period, int32_t height)
{
    int32_t phase = (int32_t)(at % period);
    int32_t half = (int32_t)period / 2;
    int32_t up = phase < half ? phase : (int32_t)period - phase;
    return (int32_t)((int64_t)up * 2 * height / half) - height;
}

static int32_t crash(uint32_t at, uint32_t count)
{
    int32_t since = (int32_t)at - (int32_t)(count / 2);
    if (since < 0 || since >= 40000)
        return 0;
    return -(since < 20000 ? since : 40000 - since) * 3000 / 20000;
}

static int32_t middle(struct flow *flow, uint32_t at, uint32_t count)
{
    switch (flow->shape) {
    case DP_BENCH_MATCH_SWING25: return MIDDLE + triangle(at, 100000, 25);
    case DP_BENCH_MATCH_SWING40: return MIDDLE + triangle(at, 100000, 40);
    case DP_BENCH_MATCH_NORMAL:
    case DP_BENCH_MATCH_CRASH:
        if (below(flow, 500) == 0)
            flow->walk += below(flow, 2) ? 1 : -1;
        return MIDDLE + flow->walk + (flow->shape == DP_BENCH_MATCH_CRASH ? crash(at, count) : 0);
    default: return MIDDLE;
    }
}

static void forget(struct flow *flow, uint32_t id)
{
    uint32_t place = flow->place[id];
    uint32_t last = flow->live[flow->live_count - 1];
    flow->live[place - 1] = last;
    flow->place[last] = place;
    flow->place[id] = 0;
    flow->live_count--;
}

static struct dp_bench_match_command new_order(struct flow *flow, int32_t mid)
{
    struct dp_bench_match_command command = {.order_id = ++flow->last_id,
        .qty = 1 + below(flow, 100),
        .side = below(flow, 2) ? DP_SIDE_BUY : DP_SIDE_SELL,
        .participant = (uint16_t)below(flow, PARTICIPANTS)};
    bool is_immediate = below(flow, 100) < 15;
    int32_t reach = is_immediate ? 2 : -1 - distance(flow);
    if (is_immediate)
        command.qty = 1 + command.qty / 10;
    command.kind = is_immediate ? DP_BENCH_MATCH_IMMEDIATE : DP_BENCH_MATCH_NEW;
    command.ticks = command.side == DP_SIDE_BUY ? mid + reach : mid - reach;
    return command;
}

/* Nine of ten are among the thousand youngest. */
static uint32_t victim(struct flow *flow)
{
    if (flow->live_count > 1000 && below(flow, 10) != 0)
        return flow->live_count - 1 - below(flow, 1000);
    return below(flow, flow->live_count);
}

static struct dp_bench_match_command next_command(struct flow *flow, int32_t mid)
{
    uint32_t choice = below(flow, 100);
    if (choice < 50 || flow->live_count == 0)
        return new_order(flow, mid);
    uint32_t id = flow->live[victim(flow)];
    struct dp_bench_match_command command = {.order_id = id,
        .kind = choice < 91 ? DP_BENCH_MATCH_CANCEL : DP_BENCH_MATCH_REPLACE,
        .side = flow->side[id],
        .qty = flow->qty[id],
        .ticks = flow->ticks[id]};
    if (command.kind == DP_BENCH_MATCH_REPLACE && below(flow, 2) == 0)
        command.qty = 1 + below(flow, command.qty); /* less, in its place */
    else if (command.kind == DP_BENCH_MATCH_REPLACE)
        command.ticks =
            command.side == DP_SIDE_BUY ? mid - 1 - distance(flow) : mid + 1 + distance(flow);
    return command;
}

static void remember(struct flow *flow, const struct dp_bench_match_command *command)
{
    uint32_t id = command->order_id;
    flow->side[id] = command->side;
    flow->ticks[id] = command->ticks;
    flow->qty[id] = command->qty;
    if (command->kind == DP_BENCH_MATCH_CANCEL)
        forget(flow, id);
    if (command->kind == DP_BENCH_MATCH_NEW) {
        flow->live[flow->live_count++] = id;
        flow->place[id] = flow->live_count;
    }
}

static void *memory(size_t count, size_t size)
{
    void *made = calloc(count, size);
    DP_ASSERT(made != NULL);
    return made;
}

void dp_bench_match_flow(enum dp_bench_match_shape shape, uint64_t seed,
    struct dp_bench_match_command *commands, uint32_t resting, uint32_t count)
{
    size_t ids = (size_t)resting + count + 1;
    struct flow flow = {.shape = shape,
        .random = seed,
        .live = memory(ids, sizeof(uint32_t)),
        .place = memory(ids, sizeof(uint32_t)),
        .side = memory(ids, sizeof(uint8_t)),
        .ticks = memory(ids, sizeof(int32_t)),
        .qty = memory(ids, sizeof(uint32_t))};
    for (uint32_t index = 0; index < resting + count; index++) {
        struct dp_bench_match_command *command = &commands[index];
        if (index < resting) {
            *command = new_order(&flow, MIDDLE);
            command->kind = DP_BENCH_MATCH_NEW;
            command->qty = 1 + below(&flow, 100);
            command->ticks = command->side == DP_SIDE_BUY ? MIDDLE - 1 - (int32_t)below(&flow, 500)
                                                          : MIDDLE + 1 + (int32_t)below(&flow, 500);
        } else {
            *command = next_command(&flow, middle(&flow, index - resting, count));
        }
        remember(&flow, command);
    }
    free(flow.live);
    free(flow.place);
    free(flow.side);
    free(flow.ticks);
    free(flow.qty);
}
