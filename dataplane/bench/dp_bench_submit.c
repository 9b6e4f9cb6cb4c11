#include "dp_bench_submit.h"

#include <errno.h>

#include "dp_ouch.h"
#include "dp_shm.h"
#include "dp_submit.h"
#include "dp_warm.h"

#define DOLLAR INT64_C(1000000000)
#define CENT (DOLLAR / 100)
#define RING_SLOTS 1024
#define INSTRUMENTS 16 /* a power of two */
#define NOISE_SIZE ((size_t)8 << 20)

struct dp_bench_submit {
    struct dp_submit submit;
    struct dp_gateway gateway;
    struct dp_gateway ungated;
    struct dp_counters counters;
    struct dp_journal_segment segment;
    struct dp_event_log events;
    struct dp_template enter[INSTRUMENTS];
    struct dp_template replace;
    struct dp_template cancel;
    struct dp_orders_config orders_config;
    struct dp_shm shm;
    uint8_t *journal_memory;
    uint8_t *noise;
    struct dp_warm *warm;
    uint64_t journal_size;
    uint64_t sent;
    uint64_t noise_sum;
    enum dp_bench_between between;
};

static const struct dp_books_config books_config = {
    .instrument_count_max = INSTRUMENTS, .order_count_max = 1024, .level_count_max = 1024};
static const struct dp_risk_config risk_config = {
    .instrument_count_max = INSTRUMENTS, .strategy_count_max = 2};

/* ---- the appliance around the path ---- */

/* Every limit is set to a number, and none is ever reached. */
static const struct dp_risk_strategy_limits strategy_limits = {
    .order_qty_max = 10000,
    .order_notional_max_nanos = 1000000 * DOLLAR,
    .gross_max_nanos = 8000000000 * DOLLAR,
    .net_max_nanos = 8000000000 * DOLLAR,
    .open_order_count_max = 1u << 24,
    .order_rate_max = 100000000,
    .order_burst_max = 100000000,
    .duplicate_count_max = 8,
    .duplicate_window_ns = 1000,
    .has_policy = true,
};
static const struct dp_risk_instrument_limits instrument_limits = {
    .order_qty_max = 10000,
    .order_notional_max_nanos = 1000000 * DOLLAR,
    .position_max = 1000000000,
    .collar_bps = 1000,
    .collar_abs_nanos = CENT,
    .has_policy = true,
};
static const struct dp_ouch_session session = {
    .us = {{2, 0, 0, 0, 0, 1}, 0x0a000001, 40000},
    .venue = {{2, 0, 0, 0, 0, 2}, 0x0a000002, 50000},
    .cl_ord_id_prefix = "TP",
    .capacity = 'P',
    .display = 'Y',
};

static void open_books(struct dp_bench_submit *bench)
{
    struct dp_books *books = bench->submit.books;
    dp_books_init(books, &books_config, NULL);
    for (uint32_t index = 0; index < INSTRUMENTS; index++) {
        char symbol[9];
        snprintf(symbol, sizeof(symbol), "SYM%-5u", index);
        dp_book_open(books, index, symbol);
        dp_book_add(books, index, 2 * index + 1, DP_SIDE_BUY, 100, 999 * CENT, 1);
        dp_book_add(books, index, 2 * index + 2, DP_SIDE_SELL, 100, 1001 * CENT, 1);
        dp_book_set_trading_state(books, index, DP_TRADING_OPEN);
        dp_ouch_enter_template(&bench->enter[index], &session, symbol);
    }
    dp_ouch_replace_template(&bench->replace, &session);
    dp_ouch_cancel_template(&bench->cancel, &session);
}

static void open_risk(struct dp_bench_submit *bench)
{
    struct dp_risk *risk = bench->submit.risk;
    dp_risk_init(risk, &risk_config, NULL);
    for (uint16_t index = 0; index < risk_config.strategy_count_max; index++)
        dp_risk_set_strategy(risk, index, &strategy_limits, NULL);
    for (uint32_t index = 0; index < INSTRUMENTS; index++)
        dp_risk_set_instrument(risk, index, &instrument_limits, NULL);
}

void dp_bench_submit_reset(struct dp_bench_submit *bench)
{
    struct dp_submit *submit = &bench->submit;
    const struct dp_journal_header header = {.sequence_first = 1};
    dp_orders_init(submit->orders, &bench->orders_config, NULL);
    open_risk(bench);
    dp_ring_init(submit->tx, RING_SLOTS, DP_TEMPLATE_FRAME_MAX, NULL);
    memset(bench->journal_memory, 0, bench->journal_size);
    dp_journal_segment_init(
        &bench->segment, bench->journal_memory, bench->journal_size, &header, NULL);
    dp_event_log_init(&bench->events);
    submit->tcp_seq = submit->tcp_ack = 1;
    submit->now_ns = 0;
    bench->sent = 0;
}

static enum dp_reason verb_submit(
    struct dp_gateway *gateway, const struct dp_request *request, uint32_t *user_ref_num)
{
    return dp_submit_new(gateway->submit, gateway->strategy_index, request, user_ref_num);
}

static enum dp_reason verb_submit_once(struct dp_gateway *gateway, const struct dp_request *request,
    uint64_t key, uint32_t *user_ref_num)
{
    return dp_submit_once(gateway->submit, gateway->strategy_index, request, key, user_ref_num);
}

static const struct dp_gateway_verbs verbs = {
    .submit = verb_submit, .submit_once = verb_submit_once};

/* dp_submit_new() with dp_bench_say_yes() for a gate: its source compiled once more, under other
 * names (meson.build). */
enum dp_reason dp_bench_submit_new_ungated(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint32_t *user_ref_num);

static enum dp_reason verb_ungated(
    struct dp_gateway *gateway, const struct dp_request *request, uint32_t *user_ref_num)
{
    return dp_bench_submit_new_ungated(
        gateway->submit, gateway->strategy_index, request, user_ref_num);
}

static const struct dp_gateway_verbs ungated_verbs = {.submit = verb_ungated};

static void wire(struct dp_bench_submit *bench)
{
    struct dp_submit *submit = &bench->submit;
    submit->counters = &bench->counters;
    submit->events = &bench->events;
    submit->segment = &bench->segment;
    submit->enter_templates = bench->enter;
    submit->enter_template_count = INSTRUMENTS;
    submit->replace_template = &bench->replace;
    submit->cancel_template = &bench->cancel;
    bench->gateway = (struct dp_gateway){.verbs = &verbs, .submit = submit};
    bench->ungated = (struct dp_gateway){.verbs = &ungated_verbs, .submit = submit};
}

static uint8_t *place(uint8_t **at, size_t size)
{
    uint8_t *memory = *at;
    *at += dp_round_up(size, 4096);
    return memory;
}

/* The parts one behind the other; called without memory first, for the size. */
static size_t lay_out(struct dp_bench_submit *bench, uint8_t *memory)
{
    uint8_t *at = memory;
    bench->submit.books = (void *)place(&at, dp_books_size(&books_config));
    bench->submit.orders = (void *)place(&at, dp_orders_size(&bench->orders_config));
    bench->submit.risk = (void *)place(&at, dp_risk_size(&risk_config));
    bench->submit.tx = (void *)place(&at, dp_ring_size(RING_SLOTS, DP_TEMPLATE_FRAME_MAX));
    bench->journal_memory = place(&at, bench->journal_size);
    bench->noise = place(&at, NOISE_SIZE);
    bench->warm = (void *)place(&at, dp_warm_size());
    return (size_t)(at - memory);
}

struct dp_bench_submit *dp_bench_submit_open(uint32_t order_count, struct dp_err *err)
{
    size_t size = dp_round_up(sizeof(struct dp_bench_submit), DP_CACHE_LINE);
    struct dp_bench_submit *bench = aligned_alloc(DP_CACHE_LINE, size);
    if (bench == NULL) {
        dp_err_set(err, ENOMEM, "bench: no memory");
        return NULL;
    }
    memset(bench, 0, size);
    bench->orders_config = (struct dp_orders_config){
        .order_count_max = order_count + 1,
        .exec_count_max = order_count + 1,
        .user_ref_num_first = 1,
    };
    /* A life is three records. */
    bench->journal_size = dp_round_up(
        DP_JOURNAL_HEADER_SIZE + (3 * (uint64_t)order_count + 64) * 128, DP_JOURNAL_HEADER_SIZE);
    if (dp_shm_private(&bench->shm, lay_out(bench, NULL), err) < 0) {
        free(bench);
        return NULL;
    }
    lay_out(bench, bench->shm.memory);
    dp_shm_populate(bench->shm.memory, bench->shm.size);
    open_books(bench);
    wire(bench);
    dp_bench_submit_reset(bench);
    if (dp_warm_init(bench->warm, &bench->enter[0], err) < 0) {
        dp_bench_submit_close(bench);
        return NULL;
    }
    return bench;
}

void dp_bench_submit_close(struct dp_bench_submit *bench)
{
    if (bench == NULL)
        return;
    dp_shm_close(&bench->shm);
    free(bench);
}

/* ---- one order ---- */

struct dp_gateway *dp_bench_submit_gateway(struct dp_bench_submit *bench)
{
    return &bench->gateway;
}

uint64_t dp_bench_submit_sent(const struct dp_bench_submit *bench)
{
    return bench->sent;
}

/* Sides alternate, instruments and prices wander: no two alike within the duplicate window. */
struct dp_request dp_bench_submit_request(uint64_t index)
{
    return (struct dp_request){
        .instrument_index = (uint32_t)(index % INSTRUMENTS),
        .side = index & 1 ? DP_SIDE_SELL : DP_SIDE_BUY,
        .time_in_force = DP_TIF_DAY,
        .qty = 100 + (index & 15),
        .price_nanos = (int64_t)(990 + index % 20) * CENT,
    };
}

static void drain(struct dp_bench_submit *bench)
{
    struct dp_ring_slot *slot;
    while ((slot = dp_ring_peek(bench->submit.tx)) != NULL) {
        bench->sent++;
        dp_ring_release(bench->submit.tx);
    }
    dp_event_log_settle(&bench->events);
}

void dp_bench_submit_order(void *state, struct dp_gateway *gateway, uint64_t index)
{
    (void)state;
    uint32_t user_ref_num;
    struct dp_request request = dp_bench_submit_request(index);
    enum dp_reason reason = dp_gateway_submit(gateway, &request, &user_ref_num);
    DP_ASSERT(reason == DP_REASON_ACCEPTED);
}

/* ---- closed loops ---- */

static void send_each(struct dp_bench_submit *bench, struct dp_gateway *gateway, uint64_t count)
{
    for (uint64_t index = 0; index < count; index++) {
        bench->submit.now_ns += 100;
        dp_bench_submit_order(NULL, gateway, index);
        drain(bench);
    }
}

void dp_bench_submit_one(struct dp_bench_submit *bench, uint64_t count)
{
    send_each(bench, &bench->gateway, count);
}

void dp_bench_submit_ungated(struct dp_bench_submit *bench, uint64_t count)
{
    send_each(bench, &bench->ungated, count);
}

void dp_bench_submit_batch(struct dp_bench_submit *bench, uint64_t count)
{
    struct dp_request requests[DP_BENCH_BATCH_MAX];
    struct dp_order_answer answers[DP_BENCH_BATCH_MAX];
    for (uint64_t index = 0; index < count; index += DP_BENCH_BATCH_MAX) {
        for (uint32_t place = 0; place < DP_BENCH_BATCH_MAX; place++)
            requests[place] = dp_bench_submit_request(index + place);
        bench->submit.now_ns += 3200;
        uint32_t sent = dp_submit_n(&bench->submit, 0, requests, NULL, DP_BENCH_BATCH_MAX, answers);
        DP_ASSERT(sent == DP_BENCH_BATCH_MAX);
        drain(bench);
    }
}

/* What the venue says of an order: accepted as asked, then executed whole. */
static void answer(struct dp_bench_submit *bench, uint32_t user_ref_num,
    const struct dp_request *request, enum dp_event_kind kind)
{
    uint64_t codes = dp_event_codes(kind, 0, 0, (enum dp_ord_status)0);
    struct dp_event event = {
        .time_ns = bench->submit.now_ns,
        .venue_order_id = user_ref_num,
        .exec_id = kind == DP_EVENT_FILLED ? user_ref_num : 0,
        .price_nanos = request->price_nanos,
        .qty = request->qty,
        .numbers = dp_event_numbers(user_ref_num, 0),
        .codes = dp_event_venue(codes, 0, kind == DP_EVENT_ACCEPTED ? 'L' : 0),
    };
    enum dp_order_result result = dp_report(&bench->submit, &event);
    DP_ASSERT(result == DP_ORDER_APPLIED);
}

void dp_bench_submit_life(struct dp_bench_submit *bench, uint64_t count)
{
    for (uint64_t index = 0; index < count; index++) {
        uint32_t user_ref_num;
        struct dp_request request = dp_bench_submit_request(index);
        bench->submit.now_ns += 100;
        enum dp_reason reason = dp_gateway_submit(&bench->gateway, &request, &user_ref_num);
        DP_ASSERT(reason == DP_REASON_ACCEPTED);
        answer(bench, user_ref_num, &request, DP_EVENT_ACCEPTED);
        answer(bench, user_ref_num, &request, DP_EVENT_FILLED);
        drain(bench);
    }
}

/* ---- the open loop ---- */

static void walk_noise(struct dp_bench_submit *bench)
{
    for (size_t offset = 0; offset < NOISE_SIZE; offset += DP_CACHE_LINE)
        bench->noise_sum += bench->noise[offset]++;
}

static void between_orders(struct dp_bench_submit *bench, uint64_t next_index)
{
    drain(bench);
    bench->submit.now_ns += 1000;
    if (bench->between != DP_BENCH_WARM)
        walk_noise(bench);
    if (bench->between == DP_BENCH_REWARMED) {
        dp_warm_walk(bench->warm);
        dp_warm_look(&bench->submit, 0, dp_bench_submit_request(next_index).instrument_index);
    }
}

void dp_bench_submit_latency(struct dp_bench_submit *bench, enum dp_bench_between between,
    dp_bench_order *order, void *state, uint64_t count, uint64_t interval_tsc,
    struct dp_bench_latency *latency)
{
    dp_hist_init(&latency->since_due);
    dp_hist_init(&latency->since_begun);
    bench->between = between;
    uint64_t due_tsc = dp_tsc() + interval_tsc;
    for (uint64_t index = 0; index < count; index++, due_tsc += interval_tsc) {
        between_orders(bench, index);
        uint64_t begun_tsc = dp_tsc();
        while (begun_tsc < due_tsc)
            begun_tsc = dp_tsc();
        if (order != NULL)
            order(state, &bench->gateway, index);
        uint64_t done_tsc = dp_tsc();
        dp_hist_record(&latency->since_due, done_tsc - due_tsc);
        dp_hist_record(&latency->since_begun, done_tsc - begun_tsc);
    }
    between_orders(bench, count);
}
