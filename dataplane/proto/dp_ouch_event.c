#include "dp_ouch.h"

uint8_t dp_ouch_side(char side)
{
    switch (side) {
    case 'B': return DP_SIDE_BUY;
    case 'S':
    case 'T':
    case 'E': return DP_SIDE_SELL;
    default: return DP_SIDE_NONE;
    }
}

static int64_t price_nanos_of(uint64_t price_wire)
{
    if (price_wire > INT64_MAX / DP_OUCH_NANOS_PER_TICK)
        return DP_PRICE_NONE;
    return (int64_t)price_wire * DP_OUCH_NANOS_PER_TICK;
}

static enum dp_event_kind kind_of(const struct dp_ouch_message *message)
{
    switch (message->type) {
    case 'A': return DP_EVENT_ACCEPTED;
    case 'J': return DP_EVENT_REJECTED;
    case 'E': return DP_EVENT_FILLED;
    /* E and T say that the time in force is over, which FIX calls expired. */
    case 'C':
        return message->reason == 'T' || message->reason == 'E' ? DP_EVENT_EXPIRED
                                                                : DP_EVENT_CANCELED;
    case 'D': return DP_EVENT_CANCELED;
    case 'U': return DP_EVENT_REPLACED;
    case 'P': return DP_EVENT_CANCEL_PENDING;
    case 'I': return DP_EVENT_CANCEL_REJECTED;
    case 'T':
    case 'R':
    case 'M': return DP_EVENT_RESTATED;
    case 'B': return DP_EVENT_BROKEN;
    default: return DP_EVENT_NONE;
    }
}

bool dp_ouch_event(
    const struct dp_ouch_message *message, int64_t midnight_ns, struct dp_event *event)
{
    enum dp_event_kind kind = kind_of(message);
    uint16_t reason = message->type == 'J' ? message->reject_code : (uint8_t)message->reason;
    uint64_t codes = dp_event_codes(
        kind, dp_ouch_side(message->side), (uint8_t)message->time_in_force, (enum dp_ord_status)0);

    event->time_ns = (int64_t)((uint64_t)midnight_ns + message->timestamp_ns);
    event->venue_order_id = message->order_ref;
    event->exec_id = message->match_number;
    /* The price of a D is of a trade that did not happen. */
    event->price_nanos = message->type != 'D' ? price_nanos_of(message->price_wire) : 0;
    event->qty = message->qty;
    event->observed = 0;
    event->limit = 0;
    event->numbers = dp_event_numbers(message->user_ref_num, message->orig_user_ref_num);
    event->origin = dp_event_origin(0, 0, reason);
    event->codes =
        dp_event_venue(codes, (uint8_t)message->liquidity_flag, (uint8_t)message->order_state);
    event->leaves_qty = 0;
    event->cum_qty = 0;
    return kind != DP_EVENT_NONE;
}

/* 0x2b and above are of the 2025 revision. 0x24 was "order type restricted" alone in 2023 and is
 * used for "ISO not allowed" since 2026. */
static const char *const reject_names[] = {
    [0x01] = "quote unavailable",
    [0x02] = "destination closed",
    [0x03] = "invalid display",
    [0x04] = "invalid max floor",
    [0x05] = "invalid peg type",
    [0x06] = "fat finger",
    [0x07] = "halted",
    [0x08] = "iso not allowed",
    [0x09] = "invalid side",
    [0x0a] = "processing error",
    [0x0b] = "cancel pending",
    [0x0c] = "firm not authorized",
    [0x0d] = "invalid min quantity",
    [0x0e] = "no closing reference price",
    [0x0f] = "other",
    [0x10] = "cancel not allowed",
    [0x11] = "pegging not allowed",
    [0x12] = "crossed market",
    [0x13] = "invalid quantity",
    [0x14] = "invalid cross order",
    [0x15] = "replace not allowed",
    [0x16] = "routing not allowed",
    [0x17] = "invalid symbol",
    [0x18] = "test",
    [0x19] = "late loc too aggressive",
    [0x1a] = "retail not allowed",
    [0x1b] = "invalid midpoint post only price",
    [0x1c] = "invalid destination",
    [0x1d] = "invalid price",
    [0x1e] = "shares exceed threshold",
    [0x1f] = "exceeds max notional",
    [0x20] = "risk aggregate exposure",
    [0x21] = "risk market impact",
    [0x22] = "risk restricted stock",
    [0x23] = "risk short sell restricted",
    [0x24] = "risk order type restricted",
    [0x25] = "risk exceeds adv",
    [0x26] = "risk fat finger",
    [0x27] = "risk locate required",
    [0x28] = "risk symbol message rate",
    [0x29] = "risk port message rate",
    [0x2a] = "risk duplicate message rate",
    [0x2b] = "risk short sell not allowed",
    [0x2c] = "risk market order not allowed",
    [0x2d] = "risk pre market not allowed",
    [0x2e] = "risk post market not allowed",
    [0x2f] = "risk short sell exempt not allowed",
    [0x30] = "risk single order notional",
    [0x31] = "risk max quantity",
    [0x32] = "reg sho state not available",
    [0x33] = "risk ipo market buy not allowed",
    [0x40] = "invalid aiq",
};

const char *dp_ouch_reject_name(uint16_t code)
{
    size_t count = sizeof(reject_names) / sizeof(reject_names[0]);
    const char *name = code < count ? reject_names[code] : NULL;
    return name == NULL ? "code not in the list" : name;
}
