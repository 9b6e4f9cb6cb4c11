/* Short sales: located shares, and the price test of Regulation SHO, Rule 201. An auction is not
 * tested; a sale marked exempt is not either. */
#include "dp_exchange_state.h"

static bool is_short(char side)
{
    return side == 'T' || side == 'E';
}

/* Pegs to the own side and to the middle stand above the bid by themselves. */
static bool goes_below(const struct dp_exchange_terms *terms, int64_t bid_nanos)
{
    return terms->terms.peg == DP_MATCH_PEG_MARKET ||
        (terms->order.type == DP_MATCH_LIMIT &&
            terms->order.price_nanos - terms->terms.discretion_nanos <= bid_nanos);
}

/* One tick above the bid is as near as it may come. */
static void keep_above(struct dp_exchange_terms *terms, int64_t bid_nanos, int64_t tick_nanos)
{
    bool goes =
        terms->order.time_in_force == DP_MATCH_IOC || terms->order.time_in_force == DP_MATCH_FOK;
    if (goes || terms->terms.peg == DP_MATCH_PEG_MARKET || terms->terms.discretion_nanos > 0)
        terms->is_barred = true;
    else
        terms->order.price_nanos = (bid_nanos / tick_nanos + 1) * tick_nanos;
}

uint16_t dp_exchange_test_short_sale(const struct dp_exchange *exchange, uint32_t account,
    uint32_t instrument_index, char side, struct dp_exchange_terms *terms)
{
    const struct dp_exchange_instrument *instrument = &exchange->instruments[instrument_index];
    int64_t bid_nanos;
    int64_t ask_nanos;
    if (is_short(side) && exchange->accounts[account].config.locate_required && !terms->is_located)
        return DP_OUCH_REJECT_LOCATE;
    if (side != 'T' || instrument->short_sale == DP_EXCHANGE_SHORT_SALE_FREE ||
        instrument->session != DP_MATCH_CONTINUOUS || exchange->config.dark)
        return 0;
    dp_exchange_touch(exchange, instrument_index, &bid_nanos, &ask_nanos);
    if (bid_nanos != DP_PRICE_NONE && goes_below(terms, bid_nanos))
        keep_above(terms, bid_nanos, instrument->tick_nanos);
    return 0;
}

bool dp_exchange_may_sell_short(
    const struct dp_exchange *exchange, uint32_t account, const struct dp_ouch_message *request)
{
    uint32_t cursor = 0;
    uint8_t tag;
    const uint8_t *value;
    uint32_t size;
    if (!is_short(request->side) || !exchange->accounts[account].config.locate_required)
        return true;
    while (dp_ouch_next_option(request, &cursor, &tag, &value, &size))
        if (tag == DP_OUCH_TAG_SHARES_LOCATED && size == 1)
            return value[0] == 'Y';
    return false;
}

void dp_exchange_set_short_sale(struct dp_exchange *exchange, uint32_t instrument_index,
    enum dp_exchange_short_sale state, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    for (uint32_t index = 0; index < exchange->instrument_count; index++) {
        if (instrument_index != DP_EXCHANGE_NONE && index != instrument_index)
            continue;
        exchange->instruments[index].short_sale = (char)state;
        if (exchange->started)
            dp_exchange_show_short_sale(exchange, index);
    }
}
