/* While orders collect the feed says what a cross would do: ITCH 5.0, Net Order Imbalance
 * Indicator.
 */
#include "dp_exchange_state.h"

#include "dp_match_view.h"

static bool is_collecting(const struct dp_exchange_instrument *instrument)
{
    return instrument->session != DP_MATCH_CLOSED && instrument->session != DP_MATCH_CONTINUOUS;
}

static void find_earliest(struct dp_exchange *exchange)
{
    exchange->imbalance_due_ns = INT64_MAX;
    for (uint32_t index = 0; index < exchange->instrument_count; index++)
        if (exchange->instruments[index].imbalance_due_ns < exchange->imbalance_due_ns)
            exchange->imbalance_due_ns = exchange->instruments[index].imbalance_due_ns;
}

void dp_exchange_schedule_imbalance(struct dp_exchange *exchange, uint32_t instrument_index)
{
    struct dp_exchange_instrument *instrument = &exchange->instruments[instrument_index];
    int64_t interval_ns = exchange->config.imbalance_ns;
    bool is_said = interval_ns > 0 && !exchange->config.dark && is_collecting(instrument);
    instrument->imbalance_due_ns = is_said ? exchange->now_ns + interval_ns : INT64_MAX;
    find_earliest(exchange);
}

static uint32_t price4_of(int64_t price_nanos)
{
    return price_nanos == DP_PRICE_NONE ? 0 : (uint32_t)(price_nanos / DP_ITCH_NANOS_PER_PRICE4);
}

static char direction_of(const struct dp_match_indication *indication)
{
    if (indication->near_nanos == DP_PRICE_NONE)
        return 'O';
    return indication->imbalance_qty > 0 ? 'B' : indication->imbalance_qty < 0 ? 'S' : 'N';
}

/* How far the near price is from the reference, in whole per cent. */
static char variation_of(const struct dp_match_indication *indication)
{
    if (indication->near_nanos == DP_PRICE_NONE)
        return ' ';
    int64_t away_nanos = indication->near_nanos - indication->reference_nanos;
    int64_t percent =
        (away_nanos < 0 ? -away_nanos : away_nanos) / (indication->reference_nanos / 100);
    if (percent < 10)
        return "L123456789"[percent];
    return percent < 20 ? 'A' : percent < 30 ? 'B' : 'C';
}

static void say_imbalance(struct dp_exchange *exchange, uint32_t instrument_index)
{
    const struct dp_exchange_instrument *instrument = &exchange->instruments[instrument_index];
    struct dp_match_indication indication =
        dp_match_view_indication(exchange->match, instrument_index);
    int64_t imbalance_qty = indication.imbalance_qty;
    int64_t since_midnight_ns = exchange->now_ns - exchange->config.midnight_ns;
    const struct dp_itch_noii noii = {
        .stock_locate = (uint16_t)(instrument_index + 1),
        .timestamp_ns = since_midnight_ns > 0 ? since_midnight_ns : 0,
        .paired_qty = indication.paired_qty,
        .imbalance_qty = (uint64_t)(imbalance_qty < 0 ? -imbalance_qty : imbalance_qty),
        .direction = direction_of(&indication),
        .stock = (const uint8_t *)instrument->symbol,
        .far_price4 = price4_of(indication.far_nanos),
        .near_price4 = price4_of(indication.near_nanos),
        .reference_price4 = price4_of(indication.reference_nanos),
        .cross_type = dp_exchange_cross_code(instrument->session),
        .variation = variation_of(&indication),
    };
    dp_exchange_feed_add_noii(&exchange->feed, &noii);
}

void dp_exchange_say_imbalances(struct dp_exchange *exchange)
{
    for (uint32_t index = 0; index < exchange->instrument_count; index++) {
        struct dp_exchange_instrument *instrument = &exchange->instruments[index];
        if (instrument->imbalance_due_ns > exchange->now_ns)
            continue;
        say_imbalance(exchange, index);
        instrument->imbalance_due_ns = exchange->now_ns + exchange->config.imbalance_ns;
    }
    find_earliest(exchange);
}
