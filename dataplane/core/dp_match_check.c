#include "dp_match_check.h"

static const struct dp_match_terms no_terms;

enum dp_match_reason dp_match_check_price(const struct dp_match_book *book, int64_t price_nanos)
{
    if (price_nanos <= 0 || price_nanos > book->terms.price_nanos_max)
        return DP_MATCH_REASON_PRICE;
    return dp_match_price_slot(book, price_nanos) == 0 ? DP_MATCH_REASON_TICK
                                                       : DP_MATCH_REASON_NONE;
}

/* ---- type, price, time in force ---- */

static bool is_trigger(uint8_t type)
{
    return type == DP_MATCH_STOP || type == DP_MATCH_STOP_LIMIT ||
        type == DP_MATCH_MARKET_IF_TOUCHED || type == DP_MATCH_LIMIT_IF_TOUCHED;
}

static bool has_limit(uint8_t type)
{
    return type == DP_MATCH_LIMIT || type == DP_MATCH_STOP_LIMIT ||
        type == DP_MATCH_LIMIT_IF_TOUCHED;
}

static enum dp_match_reason check_limit(
    const struct dp_match_book *book, const struct dp_match_order *order)
{
    bool is_given = order->price_nanos != DP_PRICE_NONE;
    if (order->type == DP_MATCH_PEG ? !is_given : !has_limit(order->type))
        return is_given ? DP_MATCH_REASON_PRICE : DP_MATCH_REASON_NONE;
    return dp_match_check_price(book, order->price_nanos);
}

static bool is_immediate(uint8_t time_in_force)
{
    return time_in_force == DP_MATCH_IOC || time_in_force == DP_MATCH_FOK;
}

static enum dp_match_reason check_type(const struct dp_match_order *order)
{
    uint8_t time_in_force = order->time_in_force;
    bool is_at_cross = time_in_force == DP_MATCH_AT_OPEN || time_in_force == DP_MATCH_AT_CLOSE;
    if (order->type == 0 || order->type >= DP_MATCH_ORDER_TYPE_COUNT)
        return DP_MATCH_REASON_TYPE;
    if (order->type == DP_MATCH_LIMIT)
        return DP_MATCH_REASON_NONE;
    if (order->type == DP_MATCH_MARKET)
        return time_in_force == DP_MATCH_GTC || time_in_force == DP_MATCH_GTD
            ? DP_MATCH_REASON_TYPE
            : DP_MATCH_REASON_NONE;
    if (order->type == DP_MATCH_MARKET_TO_LIMIT || order->type == DP_MATCH_PEG)
        return is_at_cross || time_in_force == DP_MATCH_FOK ? DP_MATCH_REASON_TYPE
                                                            : DP_MATCH_REASON_NONE;
    return is_at_cross || is_immediate(time_in_force) ? DP_MATCH_REASON_TYPE : DP_MATCH_REASON_NONE;
}

static enum dp_match_reason check_time_in_force(
    const struct dp_match_order *order, const struct dp_match_terms *terms, int64_t now_ns)
{
    switch (order->time_in_force) {
    case DP_MATCH_DAY:
    case DP_MATCH_GTC:
    case DP_MATCH_AT_OPEN:
    case DP_MATCH_IOC:
    case DP_MATCH_FOK:
    case DP_MATCH_AT_CLOSE:
        return terms->expire_ns == 0 ? DP_MATCH_REASON_NONE : DP_MATCH_REASON_TIME_IN_FORCE;
    case DP_MATCH_GTD:
        return terms->expire_ns > now_ns ? DP_MATCH_REASON_NONE : DP_MATCH_REASON_TIME_IN_FORCE;
    default: return DP_MATCH_REASON_TIME_IN_FORCE;
    }
}

/* ---- the session ---- */

static enum dp_match_reason check_session(
    const struct dp_match_book *book, const struct dp_match_order *order)
{
    if (book->session == DP_MATCH_CLOSED)
        return DP_MATCH_REASON_SESSION;
    if (order->time_in_force == DP_MATCH_AT_OPEN && book->session != DP_MATCH_PRE_OPEN)
        return DP_MATCH_REASON_SESSION;
    if (dp_match_is_collecting(book) &&
        (is_immediate(order->time_in_force) || order->type == DP_MATCH_MARKET_TO_LIMIT))
        return DP_MATCH_REASON_SESSION;
    return DP_MATCH_REASON_NONE;
}

/* ---- terms ---- */

static bool is_lots(const struct dp_match_book *book, uint64_t qty)
{
    return qty <= DP_MATCH_QTY_MAX && qty % book->lot_qty == 0;
}

static bool is_ticks(const struct dp_match_book *book, int64_t distance_nanos)
{
    return distance_nanos == 0 || dp_match_check_price(book, distance_nanos) == 0;
}

static bool is_reserve_right(const struct dp_match_book *book, const struct dp_match_order *order,
    const struct dp_match_terms *terms)
{
    if (terms->display_qty == 0)
        return terms->refresh_range_qty == 0;
    bool has_price = has_limit(order->type) || order->type == DP_MATCH_MARKET_TO_LIMIT;
    return has_price && !book->dark && order->flags == (order->flags & DP_MATCH_POST_ONLY) &&
        terms->min_qty == 0 && terms->display_qty <= order->qty &&
        is_lots(book, terms->display_qty) && is_lots(book, terms->refresh_range_qty) &&
        terms->refresh_range_qty < terms->display_qty;
}

static bool is_minimum_right(const struct dp_match_book *book, const struct dp_match_order *order,
    const struct dp_match_terms *terms)
{
    if (terms->min_qty == 0)
        return true;
    return (order->flags & DP_MATCH_ALL_OR_NONE) == 0 && order->time_in_force != DP_MATCH_FOK &&
        terms->min_qty <= order->qty && is_lots(book, terms->min_qty);
}

static bool is_peg_right(const struct dp_match_book *book, const struct dp_match_order *order,
    const struct dp_match_terms *terms)
{
    if (order->type != DP_MATCH_PEG)
        return terms->peg == DP_MATCH_PEG_NONE && terms->peg_offset_nanos == 0;
    return terms->peg >= DP_MATCH_PEG_PRIMARY && terms->peg <= DP_MATCH_PEG_MIDPOINT &&
        is_ticks(book, terms->peg_offset_nanos) &&
        (terms->peg != DP_MATCH_PEG_MIDPOINT || terms->peg_offset_nanos == 0);
}

static bool is_discretion_right(const struct dp_match_book *book,
    const struct dp_match_order *order, const struct dp_match_terms *terms)
{
    if (terms->discretion_nanos == 0)
        return true;
    return order->type == DP_MATCH_LIMIT && is_ticks(book, terms->discretion_nanos) &&
        (order->flags & (DP_MATCH_ALL_OR_NONE | DP_MATCH_POST_ONLY)) == 0 && terms->min_qty == 0 &&
        terms->group == DP_MATCH_GROUP_NONE && !is_immediate(order->time_in_force);
}

static bool is_trigger_right(const struct dp_match_book *book, const struct dp_match_order *order,
    const struct dp_match_terms *terms)
{
    if (!is_trigger(order->type))
        return terms->stop_price_nanos == 0 && terms->trail_nanos == 0;
    if (terms->trail_nanos != 0)
        return order->type == DP_MATCH_STOP && terms->stop_price_nanos == 0 &&
            dp_match_check_price(book, terms->trail_nanos) == 0 &&
            dp_match_trail_from(book) != DP_PRICE_NONE;
    return dp_match_check_price(book, terms->stop_price_nanos) == 0;
}

static bool are_flags_right(const struct dp_match_order *order)
{
    if (order->flags & ~DP_MATCH_ORDER_FLAGS)
        return false;
    if ((order->flags & DP_MATCH_POST_ONLY) == 0)
        return true;
    return order->type == DP_MATCH_LIMIT && !is_immediate(order->time_in_force) &&
        (order->flags & DP_MATCH_ALL_OR_NONE) == 0;
}

static enum dp_match_reason check_terms(const struct dp_match_book *book,
    const struct dp_match_order *order, const struct dp_match_terms *terms)
{
    bool is_right = are_flags_right(order) && is_reserve_right(book, order, terms) &&
        is_minimum_right(book, order, terms) && is_peg_right(book, order, terms) &&
        is_discretion_right(book, order, terms) && is_trigger_right(book, order, terms);
    return is_right ? DP_MATCH_REASON_NONE : DP_MATCH_REASON_TERMS;
}

/* ---- groups ---- */

static enum dp_match_reason check_group(const struct dp_match *match,
    const struct dp_match_book *book, const struct dp_match_order *order,
    const struct dp_match_terms *terms)
{
    bool stays = order->time_in_force == DP_MATCH_DAY || order->time_in_force == DP_MATCH_GTC ||
        order->time_in_force == DP_MATCH_GTD;
    if (terms->group > DP_MATCH_GROUP_CHILD || (terms->group != DP_MATCH_GROUP_NONE && !stays))
        return DP_MATCH_REASON_GROUP;
    if (terms->group_order_id == 0)
        return terms->group == DP_MATCH_GROUP_CHILD ? DP_MATCH_REASON_GROUP : DP_MATCH_REASON_NONE;
    uint32_t member = dp_match_find(match, terms->group_order_id);
    uint8_t wanted = terms->group == DP_MATCH_GROUP_CHILD ? DP_MATCH_GROUP_PARENT
        : terms->group == DP_MATCH_GROUP_OCO              ? DP_MATCH_GROUP_OCO
                                                          : DP_MATCH_GROUP_NONE;
    if (member == 0 || wanted == DP_MATCH_GROUP_NONE)
        return DP_MATCH_REASON_GROUP;
    const struct dp_match_slot *slot = dp_match_slot(match, member);
    if (slot->extra == 0 || slot->participant != order->participant ||
        dp_match_book_of(match, member) != book ||
        dp_match_extra(match, slot->extra)->terms.group != wanted)
        return DP_MATCH_REASON_GROUP;
    return DP_MATCH_REASON_NONE;
}

enum dp_match_reason dp_match_check_special(const struct dp_match *match,
    const struct dp_match_book *book, const struct dp_match_order *order, int64_t now_ns)
{
    const struct dp_match_terms *terms = order->terms != NULL ? order->terms : &no_terms;
    enum dp_match_reason reason = check_type(order);
    if (reason == DP_MATCH_REASON_NONE)
        reason = check_time_in_force(order, terms, now_ns);
    if (reason == DP_MATCH_REASON_NONE)
        reason = check_limit(book, order);
    if (reason == DP_MATCH_REASON_NONE)
        reason = check_session(book, order);
    if (reason == DP_MATCH_REASON_NONE)
        reason = check_terms(book, order, terms);
    if (reason == DP_MATCH_REASON_NONE)
        reason = check_group(match, book, order, terms);
    if (reason == DP_MATCH_REASON_NONE && book->dark && (order->flags & DP_MATCH_HIDDEN) == 0)
        reason = DP_MATCH_REASON_DISPLAY;
    if (reason == DP_MATCH_REASON_NONE && dp_match_needs_extra(order) &&
        !dp_match_has_free(&match->extras))
        reason = DP_MATCH_REASON_CAPACITY;
    return reason;
}
