#include "dp_ouch.h"

static uint8_t side_of(char side)
{
    switch (side) {
    case 'B': return DP_SIDE_BUY;
    case 'S': case 'T': case 'E': return DP_SIDE_SELL;
    default: return DP_SIDE_NONE;
    }
}

static int64_t price_nanos_of(uint64_t price_wire)
{
    if (price_wire > INT64_MAX / DP_OUCH_NANOS_PER_TICK)
        return DP_PRICE_NONE;
    return (int64_t)price_wire * DP_OUCH_NANOS_PER_TICK;
}

static uint8_t kind_of(const struct dp_ouch_message *message)
{
    switch (message->type) {
    case 'A': return DP_EVENT_ACCEPTED;
    case 'J': return DP_EVENT_REJECTED;
    case 'E': return DP_EVENT_FILLED;
    /* E and T say that the time in force is over: FIX calls that expired (ouch50, table "OUCH event to FIX"). */
    case 'C':
        return message->reason == 'T' || message->reason == 'E' ? DP_EVENT_EXPIRED
                                                                : DP_EVENT_CANCELED;
    case 'D': return DP_EVENT_CANCELED;
    case 'U': return DP_EVENT_REPLACED;
    case 'P': return DP_EVENT_CANCEL_PENDING;
    case 'I': return DP_EVENT_CANCEL_REJECTED;
    case 'T': case 'R': case 'M': return DP_EVENT_RESTATED;
    case 'B': return DP_EVENT_BROKEN;
    default: return DP_EVENT_NONE;
    }
}

bool dp_ouch_event(
    const struct dp_ouch_message *message, int64_t midnight_ns, struct dp_event *event)
{
    memset(event, 0, sizeof(*event));
    event->kind = kind_of(message);
    if (event->kind == DP_EVENT_NONE)
        return false;

    event->time_ns = (int64_t)((uint64_t)midnight_ns + message->timestamp_ns);
    event->user_ref_num = message->user_ref_num;
    event->orig_user_ref_num = message->orig_user_ref_num;
    event->qty = message->qty;
    event->side = side_of(message->side);
    event->time_in_force = (uint8_t)message->time_in_force;
    event->liquidity = (uint8_t)message->liquidity_flag;
    event->order_state = (uint8_t)message->order_state;
    event->venue_order_id = message->order_ref;
    event->exec_id = message->match_number;
    event->reason = message->type == 'J' ? message->reject_code : (uint8_t)message->reason;
    /* The price of a D is of a trade that did not happen. */
    if (message->type != 'D')
        event->price_nanos = price_nanos_of(message->price_wire);
    return true;
}

const char *dp_ouch_reject_name(uint16_t code)
{
    switch (code) {
    case 0x0001: return "quote unavailable";
    case 0x0002: return "destination closed";
    case 0x0003: return "invalid display";
    case 0x0004: return "invalid max floor";
    case 0x0005: return "invalid peg type";
    case 0x0006: return "fat finger";
    case 0x0007: return "halted";
    case 0x0008: return "iso not allowed";
    case 0x0009: return "invalid side";
    case 0x000a: return "processing error";
    case 0x000b: return "cancel pending";
    case 0x000c: return "firm not authorized";
    case 0x000d: return "invalid min quantity";
    case 0x000e: return "no closing reference price";
    case 0x000f: return "other";
    case 0x0010: return "cancel not allowed";
    case 0x0011: return "pegging not allowed";
    case 0x0012: return "crossed market";
    case 0x0013: return "invalid quantity";
    case 0x0014: return "invalid cross order";
    case 0x0015: return "replace not allowed";
    case 0x0016: return "routing not allowed";
    case 0x0017: return "invalid symbol";
    case 0x0018: return "test";
    case 0x0019: return "late loc too aggressive";
    case 0x001a: return "retail not allowed";
    case 0x001b: return "invalid midpoint post only price";
    case 0x001c: return "invalid destination";
    case 0x001d: return "invalid price";
    case 0x001e: return "shares exceed threshold";
    case 0x001f: return "exceeds max notional";
    case 0x0020: return "risk aggregate exposure";
    case 0x0021: return "risk market impact";
    case 0x0022: return "risk restricted stock";
    case 0x0023: return "risk short sell restricted";
    case 0x0024: return "risk order type restricted";
    case 0x0025: return "risk exceeds adv";
    case 0x0026: return "risk fat finger";
    case 0x0027: return "risk locate required";
    case 0x0028: return "risk symbol message rate";
    case 0x0029: return "risk port message rate";
    case 0x002a: return "risk duplicate message rate";
    case 0x002b: return "risk short sell not allowed";
    case 0x002c: return "risk market order not allowed";
    case 0x002d: return "risk pre market not allowed";
    case 0x002e: return "risk post market not allowed";
    case 0x002f: return "risk short sell exempt not allowed";
    case 0x0030: return "risk single order notional";
    case 0x0031: return "risk max quantity";
    case 0x0032: return "reg sho state not available";
    case 0x0033: return "risk ipo market buy not allowed";
    case 0x0040: return "invalid aiq";
    default: return "code not in the list";
    }
}
