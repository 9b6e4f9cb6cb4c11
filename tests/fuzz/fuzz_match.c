/* Any bytes as a sequence of calls: nothing is written out of bounds, the ledger balances after
 * each call, and a snapshot of what was restored is the same. */
#include "dp_match.h"
#include "dp_match_ledger.h"
#include "dp_match_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TICK INT64_C(10000000)
#define CALL_SIZE 16
#define ORDERS 64

static const struct dp_match_config config = {.instrument_count_max = 2,
    .participant_count_max = 4,
    .order_count_max = ORDERS,
    .terms_count_max = ORDERS / 2,
    .level_count_max = ORDERS / 2,
    .seed = 7};

static void flush(struct dp_match_sink *sink)
{
    sink->count = 0;
}

static void add_instrument(struct dp_match *match, uint8_t choice)
{
    const struct dp_match_instrument terms = {.tick_nanos = TICK,
        .price_nanos_max = 300 * TICK,
        .reference_price_nanos = choice & 1 ? 100 * TICK : DP_PRICE_NONE,
        .lot_qty = 1,
        .allocation_min_qty = choice >> 1 & 3,
        .top_qty_max = 5,
        .pause_ns = 3,
        .band_ppm = choice & 8 ? 40000 : 0,
        .policy = (enum dp_match_policy)((choice >> 4) % DP_MATCH_POLICY_COUNT),
        .session = DP_MATCH_CONTINUOUS,
        .dark = choice >> 7,
        .quoted = choice >> 6 & 1,
        .lmms = {{1, 300000}}};
    DP_ASSERT(dp_match_add_instrument(match, &terms, NULL) >= 0);
}

static struct dp_match *open_match(uint8_t choice)
{
    struct dp_match *match = aligned_alloc(DP_CACHE_LINE, dp_match_size(&config));
    DP_ASSERT(match != NULL && dp_match_init(match, &config, NULL) == 0);
    const struct dp_match_fee_tier tiers[] = {{0, -20, 30, 0, 5}, {50, -30, 20, -3, 4}};
    DP_ASSERT(dp_match_set_fees(match, 1, tiers, 2, NULL) == 0);
    for (uint32_t participant = 0; participant < 4; participant++)
        DP_ASSERT(dp_match_add_participant(match, participant & 1, NULL) >= 0);
    add_instrument(match, choice);
    add_instrument(match, (uint8_t)~choice);
    return match;
}

static void new_order(
    struct dp_match *match, const uint8_t *call, int64_t now_ns, struct dp_match_sink *sink)
{
    const struct dp_match_terms terms = {.stop_price_nanos = call[9] * TICK,
        .trail_nanos = (call[10] & 7) * TICK,
        .display_qty = call[10] >> 4,
        .refresh_range_qty = call[10] >> 3 & 1,
        .min_qty = call[11] & 15,
        .peg_offset_nanos = (call[11] >> 4 & 3) * TICK,
        .discretion_nanos = (call[12] & 7) * TICK,
        .expire_ns = call[12] & 8 ? now_ns + 4 : 0,
        .group_order_id = call[13],
        .peg = call[14] & 3,
        .group = call[14] >> 2 & 3};
    const struct dp_match_order order = {.order_id = call[1],
        .tag = call[2],
        .price_nanos = call[3] == 255 ? DP_PRICE_NONE : call[3] * TICK,
        .qty = call[4],
        .instrument_index = call[0] >> 4 & 1,
        .participant = call[5] & 7,
        .stp_group = call[5] >> 3 & 3,
        .side = call[5] >> 5 & 3,
        .type = call[6] & 15,
        .time_in_force = call[7] & 7,
        .stp_mode = call[7] >> 3 & 3,
        .flags = call[8] & 15,
        .terms = call[8] & 16 ? &terms : NULL};
    dp_match_new(match, &order, now_ns, sink);
}

static void other_call(
    struct dp_match *match, const uint8_t *call, int64_t now_ns, struct dp_match_sink *sink)
{
    const struct dp_match_replace replace = {.order_id = call[1],
        .new_order_id = call[2],
        .price_nanos = call[3] == 255 ? DP_PRICE_NONE : call[3] * TICK,
        .qty = call[4],
        .stop_price_nanos = call[5] * TICK};
    const struct dp_match_mass_cancel criteria = {call[1] & 8 ? DP_MATCH_NONE : call[1] & 3,
        call[2] & 8 ? DP_MATCH_NONE : call[2] & 1, call[3] & 3};
    switch (call[0] & 7) {
    case 3: dp_match_replace(match, &replace, now_ns, sink); return;
    case 4: dp_match_cancel(match, call[1], call[2] & 15, now_ns, sink); return;
    case 5: dp_match_mass_cancel(match, &criteria, now_ns, sink); return;
    case 6:
        dp_match_set_session(
            match, call[1] & 1, (enum dp_match_session)(call[2] & 7), now_ns, sink);
        return;
    default:
        dp_match_quote(match, call[1] & 1, call[2] * TICK, call[3] * TICK, now_ns, sink);
        return;
    }
}

/* What comes back from its snapshot has the same snapshot, and takes its place. */
static void restore(struct dp_match **match, uint8_t choice)
{
    size_t size = dp_match_snapshot_size(*match);
    uint8_t *bytes = malloc(2 * size);
    struct dp_match *fresh = open_match(choice);
    DP_ASSERT(bytes != NULL);
    dp_match_snapshot(*match, bytes);
    DP_ASSERT(dp_match_restore(fresh, bytes, size, NULL) == 0);
    DP_ASSERT(dp_match_snapshot_size(fresh) == size);
    dp_match_snapshot(fresh, bytes + size);
    DP_ASSERT(memcmp(bytes, bytes + size, size) == 0);
    free(bytes);
    free(*match);
    *match = fresh;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dp_match_report reports[3];
    struct dp_match_sink sink = {reports, 3, 0, flush, NULL};
    if (size == 0)
        return 0;
    struct dp_match *match = open_match(data[0]);
    int64_t now_ns = 0;
    for (size_t at = 1; at + CALL_SIZE <= size; at += CALL_SIZE) {
        const uint8_t *call = data + at;
        now_ns += call[15] & 3;
        if ((call[0] & 7) < 3)
            new_order(match, call, now_ns, &sink);
        else
            other_call(match, call, now_ns, &sink);
        DP_ASSERT(dp_match_ledger_is_balanced(match));
        if (call[15] == 255)
            restore(&match, data[0]);
    }
    free(match);
    return 0;
}
