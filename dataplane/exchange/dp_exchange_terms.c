/* Options of an order, in the engine's words. What is not offered is refused, not approximated. */
#include "dp_exchange_state.h"

#define NANOS_PER_SECOND 1000000000
#define ROUND_LOT 100u

static uint64_t load_number(const uint8_t *value, uint32_t size)
{
    switch (size) {
    case 1: return value[0];
    case 2: return dp_load_be16(value);
    case 4: return dp_load_be32(value);
    case 8: return dp_load_be64(value);
    default: return 0;
    }
}

uint8_t dp_exchange_user_ref_idx(const struct dp_ouch_message *request)
{
    uint32_t cursor = 0;
    uint8_t tag;
    const uint8_t *value;
    uint32_t size;
    while (dp_ouch_next_option(request, &cursor, &tag, &value, &size))
        if (tag == DP_OUCH_TAG_USER_REF_IDX && size == 1)
            return value[0];
    return 0;
}

static uint16_t set_price_type(struct dp_exchange_terms *terms, char type)
{
    switch (type) {
    case 'L': return 0;
    case 'P': terms->terms.peg = DP_MATCH_PEG_MARKET; break;
    case 'R': terms->terms.peg = DP_MATCH_PEG_PRIMARY; break;
    case 'M':
    case 'm': terms->terms.peg = DP_MATCH_PEG_MIDPOINT; break;
    default: return DP_OUCH_REJECT_PEG_TYPE;
    }
    return 0;
}

/* Strategies by what they do; who counts as oneself is the account's group or tag 30's. */
static uint16_t set_strategy(struct dp_exchange_terms *terms, char letter)
{
    switch (letter) {
    case '*': return 0;
    case 'N': terms->order.stp_group = 0; return 0;
    case 'D':
    case 'Y': terms->order.stp_mode = DP_MATCH_DECREMENT_AND_CANCEL; return 0;
    case 'O': terms->order.stp_mode = DP_MATCH_CANCEL_OLDEST; return 0;
    case 'W': terms->order.stp_mode = DP_MATCH_CANCEL_NEWEST; return 0;
    default: return DP_OUCH_REJECT_AIQ;
    }
}

static uint16_t set_group(struct dp_exchange_terms *terms, const uint8_t *value)
{
    if (memcmp(value, "**", 2) != 0)
        terms->order.stp_group = 0x10000u | dp_load_be16(value);
    return 0;
}

static uint16_t set_firm(
    const struct dp_exchange *exchange, uint32_t account, const uint8_t *value, uint32_t size)
{
    const char *firm = exchange->accounts[account].config.firm;
    bool known = size == 4 && (memcmp(value, firm, 4) == 0 || memcmp(value, "    ", 4) == 0);
    return known ? 0 : DP_OUCH_REJECT_FIRM;
}

/* Sizes in bytes that tags must have; 0: any. */
static uint32_t size_of_tag(uint8_t tag)
{
    switch (tag) {
    case DP_OUCH_TAG_PRICE_TYPE:
    case DP_OUCH_TAG_POST_ONLY:
    case DP_OUCH_TAG_SHARES_LOCATED:
    case DP_OUCH_TAG_AIQ_STRATEGY:
    case DP_OUCH_TAG_USER_REF_IDX: return 1;
    case DP_OUCH_TAG_GROUP_ID:
    case DP_OUCH_TAG_AIQ_GROUP: return 2;
    case DP_OUCH_TAG_FIRM:
    case DP_OUCH_TAG_MIN_QTY:
    case DP_OUCH_TAG_MAX_FLOOR:
    case DP_OUCH_TAG_PEG_OFFSET:
    case DP_OUCH_TAG_RANDOM_RESERVES:
    case DP_OUCH_TAG_EXPIRE_TIME: return 4;
    case DP_OUCH_TAG_DISCRETION_PRICE: return 8;
    default: return 0;
    }
}

static uint16_t set_discretion(
    struct dp_exchange_terms *terms, const struct dp_ouch_message *request, uint64_t price_wire)
{
    uint64_t low = price_wire < request->price_wire ? price_wire : request->price_wire;
    uint64_t high = price_wire < request->price_wire ? request->price_wire : price_wire;
    if (price_wire == 0 || price_wire > DP_OUCH_PRICE_MAX)
        return DP_OUCH_REJECT_PRICE;
    terms->terms.discretion_nanos = (int64_t)(high - low) * DP_OUCH_NANOS_PER_TICK;
    return 0;
}

static uint16_t set_option(const struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, struct dp_exchange_terms *terms, uint8_t tag,
    const uint8_t *value, uint32_t size)
{
    if (size_of_tag(tag) != 0 && size != size_of_tag(tag))
        return DP_OUCH_REJECT_OTHER;
    uint64_t number = load_number(value, size);
    switch (tag) {
    case DP_OUCH_TAG_FIRM: return set_firm(exchange, account, value, size);
    case DP_OUCH_TAG_MIN_QTY: terms->terms.min_qty = number; return 0;
    case DP_OUCH_TAG_MAX_FLOOR: terms->terms.display_qty = number; return 0;
    case DP_OUCH_TAG_RANDOM_RESERVES: terms->terms.refresh_range_qty = number; return 0;
    case DP_OUCH_TAG_PRICE_TYPE: return set_price_type(terms, (char)number);
    case DP_OUCH_TAG_PEG_OFFSET:
        terms->terms.peg_offset_nanos = (int64_t)(int32_t)number * DP_OUCH_NANOS_PER_TICK;
        return 0;
    case DP_OUCH_TAG_DISCRETION_PRICE: return set_discretion(terms, request, number);
    case DP_OUCH_TAG_DISCRETION_PRICE_TYPE:
    case DP_OUCH_TAG_DISCRETION_PEG_OFFSET:
        return size == 1 && number == 'L' ? 0 : DP_OUCH_REJECT_PEG_TYPE;
    case DP_OUCH_TAG_POST_ONLY:
        terms->order.flags |= number == 'P' ? DP_MATCH_POST_ONLY : 0;
        return 0;
    case DP_OUCH_TAG_EXPIRE_TIME: terms->expire_seconds = (uint32_t)number; return 0;
    case DP_OUCH_TAG_SHARES_LOCATED: terms->is_located = number == 'Y'; return 0;
    case DP_OUCH_TAG_GROUP_ID: terms->group_id = (uint16_t)number; return 0;
    case DP_OUCH_TAG_AIQ_STRATEGY: return set_strategy(terms, (char)number);
    case DP_OUCH_TAG_AIQ_GROUP: return set_group(terms, value);
    case DP_OUCH_TAG_ROUTE: return DP_OUCH_REJECT_ROUTING;
    default: return 0; /* of no consequence here, or unknown: stepped over */
    }
}

static uint16_t set_options(const struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, struct dp_exchange_terms *terms)
{
    uint32_t cursor = 0;
    uint8_t tag;
    const uint8_t *value;
    uint32_t size;
    while (dp_ouch_next_option(request, &cursor, &tag, &value, &size)) {
        uint16_t code = set_option(exchange, account, request, terms, tag, value, size);
        if (code != 0)
            return code;
    }
    return 0;
}

static uint16_t set_time_in_force(const struct dp_exchange *exchange,
    struct dp_exchange_terms *terms, char time_in_force, char cross_type)
{
    struct dp_match_order *order = &terms->order;
    if (cross_type != 'N') {
        order->time_in_force =
            cross_type == 'O' ? (uint8_t)DP_MATCH_AT_OPEN : (uint8_t)DP_MATCH_AT_CLOSE;
        return cross_type == 'O' || cross_type == 'C' ? 0 : DP_OUCH_REJECT_CROSS;
    }
    switch (time_in_force) {
    case '0':
    case '5':
    case 'E': order->time_in_force = DP_MATCH_DAY; return 0;
    case '3':
        order->time_in_force = terms->terms.min_qty > 0 && terms->terms.min_qty == order->qty
            ? (uint8_t)DP_MATCH_FOK
            : (uint8_t)DP_MATCH_IOC;
        return 0;
    case '6':
        if (terms->expire_seconds == 0 || terms->expire_seconds > DP_OUCH_EXPIRE_SECONDS_MAX)
            return DP_OUCH_REJECT_OTHER;
        order->time_in_force = DP_MATCH_GTD;
        terms->terms.expire_ns =
            exchange->now_ns + (int64_t)terms->expire_seconds * NANOS_PER_SECOND;
        return 0;
    default: return DP_OUCH_REJECT_OTHER;
    }
}

static bool is_market(uint64_t price_wire)
{
    return price_wire == DP_OUCH_PRICE_MARKET || price_wire == DP_OUCH_PRICE_MARKET_OLD ||
        price_wire == UINT32_MAX || price_wire == UINT64_MAX;
}

static uint16_t set_price(struct dp_exchange_terms *terms, uint64_t price_wire, char cross_type)
{
    struct dp_match_order *order = &terms->order;
    order->type =
        terms->terms.peg != DP_MATCH_PEG_NONE ? (uint8_t)DP_MATCH_PEG : (uint8_t)DP_MATCH_LIMIT;
    if (cross_type != 'N' && is_market(price_wire)) {
        order->type = DP_MATCH_MARKET;
        order->price_nanos = DP_PRICE_NONE;
        return 0;
    }
    if (price_wire == 0 || price_wire > DP_OUCH_PRICE_MAX)
        return DP_OUCH_REJECT_PRICE;
    order->price_nanos = (int64_t)price_wire * DP_OUCH_NANOS_PER_TICK;
    return 0;
}

/* Everything here trades at the midpoint, at the order's price at worst. */
static void set_dark(const struct dp_exchange *exchange, struct dp_exchange_terms *terms)
{
    if (!exchange->config.dark || terms->order.type == DP_MATCH_MARKET)
        return;
    terms->order.type = DP_MATCH_PEG;
    terms->terms.peg = DP_MATCH_PEG_MIDPOINT;
    terms->terms.peg_offset_nanos = 0;
}

static uint16_t check_quantities(const struct dp_exchange_terms *terms)
{
    if (terms->terms.min_qty % ROUND_LOT != 0 || terms->terms.min_qty > terms->order.qty)
        return DP_OUCH_REJECT_MIN_QTY;
    if (terms->terms.display_qty > terms->order.qty ||
        terms->terms.refresh_range_qty > terms->terms.display_qty)
        return DP_OUCH_REJECT_MAX_FLOOR;
    return 0;
}

static bool has_terms(const struct dp_match_terms *terms)
{
    static const struct dp_match_terms none;
    return memcmp(terms, &none, sizeof(none)) != 0;
}

static uint16_t check_codes(
    const struct dp_exchange *exchange, const struct dp_ouch_message *request)
{
    if (request->qty == 0 || request->qty > DP_OUCH_QTY_MAX)
        return DP_OUCH_REJECT_QTY;
    bool shown = request->display == 'Y' || request->display == 'A';
    if (shown ? exchange->config.dark : request->display != 'N')
        return DP_OUCH_REJECT_DISPLAY;
    return request->intermarket_sweep == 'N' || request->intermarket_sweep == 'Y'
        ? 0
        : DP_OUCH_REJECT_ISO;
}

uint16_t dp_exchange_read_terms(const struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, char cross_type, struct dp_exchange_terms *terms)
{
    const struct dp_exchange_account_config *config = &exchange->accounts[account].config;
    memset(terms, 0, sizeof(*terms));
    terms->order = (struct dp_match_order){
        .qty = request->qty,
        .participant = account,
        .stp_group = config->stp_group,
        .stp_mode = config->stp_mode,
        .flags = request->display == 'N' ? DP_MATCH_HIDDEN : 0,
    };
    uint16_t code = check_codes(exchange, request);
    if (code == 0)
        code = set_options(exchange, account, request, terms);
    if (code == 0)
        code = check_quantities(terms);
    if (code == 0)
        code = set_price(terms, request->price_wire, cross_type);
    if (code == 0)
        code = set_time_in_force(exchange, terms, request->time_in_force, cross_type);
    if (code != 0)
        return code;
    set_dark(exchange, terms);
    if (terms->order.time_in_force == DP_MATCH_FOK)
        terms->terms.min_qty = 0;
    if (has_terms(&terms->terms))
        terms->order.terms = &terms->terms;
    return 0;
}
