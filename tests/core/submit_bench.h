/*
 * submit_bench - the whole order path over memory: one instrument open at 9.99 to 10.01, one
 * strategy, a small ring, one journal segment.
 */
#ifndef SUBMIT_BENCH_H
#define SUBMIT_BENCH_H

#include "check.h"
#include "dp_net.h"
#include "dp_ouch.h"
#include "dp_soup.h"
#include "dp_submit.h"

#define CENT INT64_C(10000000)
#define DOLLAR (100 * CENT)

/* A program that needs more room says how much before it includes this. */
#ifndef BENCH_SIZES
enum {
    OPEN = 0,
    NEVER_OPENED = 1,
    BENCH_RING_SLOTS = 4,
    BENCH_NUMBERS = 20,
    BENCH_EXECUTIONS = 16
};
#endif

struct path {
    struct dp_submit submit;
    struct dp_journal_segment segment;
    struct dp_counters counters;
    struct dp_event_log events;
    struct dp_template enter[2];
    struct dp_template replace;
    struct dp_template cancel;
    void *blocks[8];
    size_t block_sizes[8];
    uint32_t block_count;
};

static inline void *path_memory(struct path *path, size_t size)
{
    void *block = aligned_alloc(4096, dp_round_up(size, 4096));
    memset(block, 0, dp_round_up(size, 4096));
    path->block_sizes[path->block_count] = dp_round_up(size, 4096);
    path->blocks[path->block_count++] = block;
    return block;
}

static inline void path_open_book(struct path *path)
{
    const struct dp_books_config config = {
        .instrument_count_max = 2, .order_count_max = 64, .level_count_max = 64};
    path->submit.books = path_memory(path, dp_books_size(&config));
    CHECK_EQUAL(dp_books_init(path->submit.books, &config, NULL), 0);
    dp_book_open(path->submit.books, OPEN, "ABC     ");
    dp_book_add(path->submit.books, OPEN, 1, DP_SIDE_BUY, 100, 999 * CENT, 1);
    dp_book_add(path->submit.books, OPEN, 2, DP_SIDE_SELL, 100, 1001 * CENT, 1);
    dp_book_set_trading_state(path->submit.books, OPEN, DP_TRADING_OPEN);
}

static inline void path_open_risk(struct path *path)
{
    const struct dp_risk_config config = {.instrument_count_max = 2, .strategy_count_max = 2};
    const struct dp_risk_strategy_limits strategy = {
        .order_qty_max = 1000,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .gross_max_nanos = DP_RISK_UNLIMITED,
        .net_max_nanos = DP_RISK_UNLIMITED,
        .open_order_count_max = DP_RISK_UNLIMITED,
        .order_rate_max = DP_RISK_UNLIMITED,
        .order_burst_max = DP_RISK_UNLIMITED,
        .duplicate_count_max = DP_RISK_UNLIMITED,
        .has_policy = true,
    };
    const struct dp_risk_instrument_limits instrument = {
        .order_qty_max = DP_RISK_UNLIMITED,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .position_max = DP_RISK_UNLIMITED,
        .collar_bps = 1000,
        .has_policy = true,
    };
    path->submit.risk = path_memory(path, dp_risk_size(&config));
    CHECK_EQUAL(dp_risk_init(path->submit.risk, &config, NULL), 0);
    CHECK_EQUAL(dp_risk_set_strategy(path->submit.risk, 0, &strategy, NULL), 0);
    CHECK_EQUAL(dp_risk_set_strategy(path->submit.risk, 1, &strategy, NULL), 0);
    CHECK_EQUAL(dp_risk_set_instrument(path->submit.risk, OPEN, &instrument, NULL), 0);
}

static inline void path_open_frames(struct path *path)
{
    const struct dp_ouch_session session = {
        .us = {{2, 0, 0, 0, 0, 1}, 0x0a000001, 40000},
        .venue = {{2, 0, 0, 0, 0, 2}, 0x0a000002, 50000},
        .cl_ord_id_prefix = "TP",
        .capacity = 'P',
        .display = 'Y',
    };
    dp_ouch_enter_template(&path->enter[OPEN], &session, "ABC     ");
    dp_ouch_replace_template(&path->replace, &session);
    dp_ouch_cancel_template(&path->cancel, &session);
    path->submit.enter_templates = path->enter;
    path->submit.enter_template_count = 2;
    path->submit.replace_template = &path->replace;
    path->submit.cancel_template = &path->cancel;
    path->submit.tx = path_memory(path, dp_ring_size(BENCH_RING_SLOTS, DP_TEMPLATE_FRAME_MAX));
    CHECK_EQUAL(dp_ring_init(path->submit.tx, BENCH_RING_SLOTS, DP_TEMPLATE_FRAME_MAX, NULL), 0);
}

static inline struct path *path_open(void)
{
    struct path *path = aligned_alloc(DP_CACHE_LINE, dp_round_up(sizeof(*path), DP_CACHE_LINE));
    memset(path, 0, sizeof(*path));
    const struct dp_orders_config orders = {.order_count_max = BENCH_NUMBERS,
        .exec_count_max = BENCH_EXECUTIONS,
        .user_ref_num_first = 1};
    const struct dp_journal_header header = {.sequence_first = 1};
    path->submit.orders = path_memory(path, dp_orders_size(&orders));
    CHECK_EQUAL(dp_orders_init(path->submit.orders, &orders, NULL), 0);
    path_open_book(path);
    path_open_risk(path);
    path_open_frames(path);
    CHECK_EQUAL(
        dp_journal_segment_init(&path->segment, path_memory(path, DP_JOURNAL_SEGMENT_SIZE_MIN),
            DP_JOURNAL_SEGMENT_SIZE_MIN, &header, NULL),
        0);
    dp_event_log_init(&path->events);
    path->submit.segment = &path->segment;
    path->submit.counters = &path->counters;
    path->submit.events = &path->events;
    path->submit.now_ns = 1000;
    path->submit.tcp_seq = 1;
    return path;
}

static inline void path_close(struct path *path)
{
    for (uint32_t index = 0; index < path->block_count; index++)
        free(path->blocks[index]);
    free(path);
}

static inline uint32_t path_submit(struct path *path, uint64_t qty, int64_t price_nanos)
{
    const struct dp_request request = {
        .instrument_index = OPEN,
        .side = DP_SIDE_BUY,
        .time_in_force = DP_TIF_DAY,
        .qty = qty,
        .price_nanos = price_nanos,
    };
    uint32_t user_ref_num = 0;
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &user_ref_num), DP_REASON_ACCEPTED);
    return user_ref_num;
}

/* Takes the oldest frame off the ring and decodes what the venue would see. False when there is
 * none. */
static inline bool path_sent(struct path *path, struct dp_ouch_message *message)
{
    struct dp_ring_slot *slot = dp_ring_peek(path->submit.tx);
    struct dp_net_packet net;
    struct dp_soup_packet soup;
    if (slot == NULL)
        return false;
    CHECK_EQUAL(dp_net_parse(slot->data, slot->size, true, &net), DP_NET_OK);
    CHECK_EQUAL(dp_soup_parse(net.payload, net.payload_size, &soup), DP_SOUP_OK);
    CHECK_EQUAL(
        dp_ouch_decode(soup.payload, soup.payload_size, DP_OUCH_INBOUND, message), DP_OUCH_OK);
    CHECK_EQUAL(slot->tag, message->user_ref_num);
    CHECK_EQUAL(slot->time_ns, path->submit.now_ns);
    dp_ring_release(path->submit.tx);
    return true;
}

static inline enum dp_order_result path_report(struct path *path, enum dp_event_kind kind,
    uint32_t user_ref_num, uint64_t qty, uint64_t exec_id)
{
    struct dp_event event = {
        .time_ns = path->submit.now_ns,
        .kind = (uint8_t)kind,
        .user_ref_num = user_ref_num,
        .qty = qty,
        .exec_id = exec_id,
        .venue_order_id = 7,
        .price_nanos = 10 * DOLLAR,
    };
    return dp_report(&path->submit, &event);
}

static inline uint64_t path_record_count(const struct path *path)
{
    return path->segment.sequence_next - 1;
}

static inline const struct dp_event *path_record(const struct path *path, uint64_t index)
{
    const void *record =
        path->segment.memory + DP_JOURNAL_HEADER_SIZE + index * sizeof(struct dp_journal_record);
    return &((const struct dp_journal_record *)record)->event;
}

#endif
