/*
 * match_rig - one instrument, four participants, and reports as lines of text, for tests of
 * dp_match.
 *
 * A test says what it sends and compares what came back, line by line, with what it expects:
 *
 *     accepted 1 buy 100 @1000 shows 100
 *     traded 1 with 2 40 @1000 leaves 60/0
 *
 * Prices are in ticks of 0.01.
 */
#ifndef MATCH_RIG_H
#define MATCH_RIG_H

#include <stdarg.h>

#include "check.h"
#include "dp_match.h"
#include "dp_match_ledger.h"
#include "dp_match_snapshot.h"
#include "dp_match_view.h"

#define TICK INT64_C(10000000)
#define REPORTS 64

struct rig {
    struct dp_match *match;
    struct dp_match_sink sink;
    struct dp_match_report reports[REPORTS];
    int64_t now_ns;
    char text[8192];
    size_t size;
};

static const char *const report_names[] = {"", "accepted", "rejected", "traded", "rested",
    "cancelled", "replaced", "restated", "triggered", "session", "auction"};

static inline void put(struct rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void put(struct rig *rig, const char *format, ...)
{
    va_list arguments;
    if (sizeof(rig->text) - rig->size < 200)
        return; /* a test that sends so much looks at the engine, not at the text */
    va_start(arguments, format);
    rig->size +=
        (size_t)vsnprintf(rig->text + rig->size, sizeof(rig->text) - rig->size, format, arguments);
    va_end(arguments);
}

static inline void put_price(struct rig *rig, int64_t price_nanos)
{
    if (price_nanos == DP_PRICE_NONE)
        return;
    put(rig, " @%lld", (long long)(price_nanos / TICK));
    if (price_nanos % TICK != 0)
        put(rig, ".5");
}

static inline void put_report(struct rig *rig, const struct dp_match_report *report)
{
    put(rig, "%s %llu", report_names[report->type], (unsigned long long)report->order_id);
    if (report->contra_order_id != 0)
        put(rig, " with %llu", (unsigned long long)report->contra_order_id);
    put(rig, " %llu", (unsigned long long)report->qty);
    put_price(rig, report->price_nanos);
    put(rig, " leaves %llu", (unsigned long long)report->leaves_qty);
    if (report->type == DP_MATCH_TRADED)
        put(rig, "/%llu", (unsigned long long)report->contra_leaves_qty);
    if (report->flags & DP_MATCH_ON_BOOK)
        put(rig, " shows %llu", (unsigned long long)report->display_qty);
    if (report->reason != 0)
        put(rig, " %s", dp_match_reason_name((enum dp_match_reason)report->reason));
    put(rig, "\n");
}

static inline void flush_reports(struct dp_match_sink *sink)
{
    struct rig *rig = sink->context;
    for (uint32_t index = 0; index < sink->count; index++)
        put_report(rig, &sink->reports[index]);
    sink->count = 0;
}

static inline struct dp_match_instrument rig_terms(enum dp_match_policy policy)
{
    return (struct dp_match_instrument){
        .tick_nanos = TICK,
        .price_nanos_max = 1000000 * TICK,
        .reference_price_nanos = DP_PRICE_NONE,
        .lot_qty = 1,
        .policy = policy,
        .session = DP_MATCH_CONTINUOUS,
    };
}

static const struct dp_match_config rig_config = {
    .instrument_count_max = 4,
    .participant_count_max = 8,
    .order_count_max = 1000,
    .terms_count_max = 200,
    .level_count_max = 400,
    .seed = 1,
};

static inline void rig_open(struct rig *rig, const struct dp_match_instrument *terms)
{
    struct dp_err err;
    memset(rig, 0, sizeof(*rig));
    rig->match = aligned_alloc(DP_CACHE_LINE, dp_match_size(&rig_config));
    CHECK(rig->match != NULL);
    CHECK_EQUAL(dp_match_init(rig->match, &rig_config, &err), 0);
    for (uint32_t participant = 0; participant < 4; participant++)
        CHECK_EQUAL(dp_match_add_participant(rig->match, 0, &err), participant);
    CHECK_THAT(dp_match_add_instrument(rig->match, terms, &err) == 0, "%s", err.text);
    rig->sink = (struct dp_match_sink){rig->reports, REPORTS, 0, flush_reports, rig};
}

static inline void rig_close(struct rig *rig)
{
    CHECK(dp_match_ledger_is_balanced(rig->match));
    free(rig->match);
}

/* A limit order of the day, of a participant without a group. */
static inline struct dp_match_order limit(
    uint64_t order_id, enum dp_side side, uint64_t qty, int64_t ticks)
{
    return (struct dp_match_order){
        .order_id = order_id,
        .tag = order_id + 1000,
        .price_nanos = ticks * TICK,
        .qty = qty,
        .participant = (uint32_t)(order_id % 4),
        .side = (uint8_t)side,
        .type = DP_MATCH_LIMIT,
    };
}

static inline void send(struct rig *rig, struct dp_match_order order)
{
    dp_match_new(rig->match, &order, rig->now_ns, &rig->sink);
}

static inline void buy(struct rig *rig, uint64_t order_id, uint64_t qty, int64_t ticks)
{
    send(rig, limit(order_id, DP_SIDE_BUY, qty, ticks));
}

static inline void sell(struct rig *rig, uint64_t order_id, uint64_t qty, int64_t ticks)
{
    send(rig, limit(order_id, DP_SIDE_SELL, qty, ticks));
}

/* Everything reported since the last time is exactly this. */
static inline void expect_at(struct rig *rig, const char *wanted, int line)
{
    flush_reports(&rig->sink);
    CHECK_THAT(
        strcmp(rig->text, wanted) == 0, "line %d: reported\n%swanted\n%s", line, rig->text, wanted);
    rig->size = 0;
    rig->text[0] = 0;
    CHECK(dp_match_ledger_is_balanced(rig->match));
}

#define EXPECT(rig, wanted) expect_at(rig, wanted, __LINE__)

/* What came so far is not the point. */
static inline void forget(struct rig *rig)
{
    flush_reports(&rig->sink);
    rig->size = 0;
    rig->text[0] = 0;
}

#endif
