#include "dp_match_extra.h"

/* ---- the list of those that prices or time move ---- */

/* What settling, not only time, must look at. */
static uint32_t attention_of(const struct dp_match_extra *extra)
{
    return extra->terms.trail_nanos != 0 || extra->terms.peg != 0 ||
        extra->terms.discretion_nanos != 0;
}

static void count(struct dp_match_book *book, const struct dp_match_extra *extra, uint32_t by)
{
    book->trail_count += extra->terms.trail_nanos != 0 ? by : 0;
    book->peg_count += extra->terms.peg != 0 ? by : 0;
    book->discretion_count += extra->terms.discretion_nanos != 0 ? by : 0;
    book->expire_count += extra->terms.expire_ns != 0 ? by : 0;
    book->attention += attention_of(extra) * by;
}

void dp_match_watch(struct dp_match_turn *turn, uint32_t number)
{
    struct dp_match_book *book = turn->book;
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    if (attention_of(extra) == 0 && extra->terms.expire_ns == 0)
        return;
    extra->is_watched = true;
    extra->watch_next = 0;
    extra->watch_back = book->watch_last;
    if (book->watch_last != 0)
        dp_match_extra(turn->match, book->watch_last)->watch_next = number;
    else
        book->watch_first = number;
    book->watch_last = number;
    count(book, extra, 1);
    if (extra->terms.expire_ns != 0 && extra->terms.expire_ns < turn->match->timer_next_ns)
        turn->match->timer_next_ns = extra->terms.expire_ns;
}

static void unwatch(struct dp_match_turn *turn, uint32_t number)
{
    struct dp_match_book *book = turn->book;
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    if (!extra->is_watched)
        return;
    *(extra->watch_back != 0 ? &dp_match_extra(turn->match, extra->watch_back)->watch_next
                             : &book->watch_first) = extra->watch_next;
    *(extra->watch_next != 0 ? &dp_match_extra(turn->match, extra->watch_next)->watch_back
                             : &book->watch_last) = extra->watch_back;
    if (book->watch_walk == number)
        book->watch_walk = extra->watch_next;
    extra->is_watched = false;
    count(book, extra, UINT32_MAX);
}

/* ---- what a group has to do ---- */

static void pend(struct dp_match_turn *turn, uint32_t number, enum dp_match_pending pending)
{
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    if (extra->pending == DP_MATCH_PENDING_NONE) {
        uint32_t *link = &turn->match->pending_first;
        while (*link != 0)
            link = &dp_match_extra(turn->match, *link)->pending_next;
        *link = number;
        extra->pending_next = 0;
        turn->book->attention++;
    }
    extra->pending = (uint8_t)pending;
}

static void unpend(struct dp_match_turn *turn, uint32_t number)
{
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    if (extra->pending == DP_MATCH_PENDING_NONE)
        return;
    uint32_t *link = &turn->match->pending_first;
    while (*link != number)
        link = &dp_match_extra(turn->match, *link)->pending_next;
    *link = extra->pending_next;
    extra->pending = DP_MATCH_PENDING_NONE;
    turn->book->attention--;
}

uint32_t dp_match_group_next(struct dp_match_turn *turn, enum dp_match_pending pending)
{
    uint32_t number = turn->match->pending_first;
    while (number != 0 && dp_match_extra(turn->match, number)->pending != pending)
        number = dp_match_extra(turn->match, number)->pending_next;
    if (number != 0)
        unpend(turn, number);
    return number;
}

/* ---- rings ---- */

void dp_match_group_join(struct dp_match_turn *turn, uint32_t extra, uint32_t member)
{
    struct dp_match_extra *of = dp_match_extra(turn->match, member);
    dp_match_extra(turn->match, extra)->group_next = of->group_next;
    of->group_next = extra;
}

static void leave(struct dp_match_turn *turn, uint32_t extra)
{
    uint32_t before = extra;
    while (dp_match_extra(turn->match, before)->group_next != extra)
        before = dp_match_extra(turn->match, before)->group_next;
    dp_match_extra(turn->match, before)->group_next =
        dp_match_extra(turn->match, extra)->group_next;
    dp_match_extra(turn->match, extra)->group_next = extra;
}

static void pend_others(struct dp_match_turn *turn, uint32_t extra, enum dp_match_pending pending)
{
    const struct dp_match_extra *of = dp_match_extra(turn->match, extra);
    uint32_t other = of->group_next;
    for (; other != extra; other = dp_match_extra(turn->match, other)->group_next) {
        dp_match_extra(turn->match, other)->traded_qty = of->traded_qty;
        pend(turn, other, pending);
    }
}

void dp_match_extra_end(struct dp_match_turn *turn, uint32_t number)
{
    const struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    unwatch(turn, number);
    unpend(turn, number);
    if (extra->terms.group == DP_MATCH_GROUP_PARENT)
        pend_others(turn, number,
            extra->traded_qty > 0 ? DP_MATCH_PENDING_ACTIVATE : DP_MATCH_PENDING_CANCEL);
    leave(turn, number);
    dp_match_extra_give(turn->match, number);
}

void dp_match_note_trade(struct dp_match_turn *turn, uint32_t number, uint64_t qty)
{
    if (number == 0)
        return;
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    extra->traded_qty += qty;
    if (extra->terms.group != DP_MATCH_GROUP_OCO)
        return;
    pend_others(turn, number, DP_MATCH_PENDING_CANCEL);
    leave(turn, number);
}

/* ---- reserve orders ---- */

/* Uniform over 0 .. count - 1; splitmix64. */
static uint64_t draw(struct dp_match *match, uint64_t count)
{
    uint64_t word = match->random += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    word ^= word >> 31;
    return (uint64_t)((__uint128_t)word * count >> 64);
}

static uint64_t refresh_qty(struct dp_match_turn *turn, const struct dp_match_terms *terms)
{
    if (terms->refresh_range_qty == 0)
        return terms->display_qty;
    uint64_t steps = 2 * (terms->refresh_range_qty / turn->book->lot_qty) + 1;
    return terms->display_qty - terms->refresh_range_qty +
        draw(turn->match, steps) * turn->book->lot_qty;
}

void dp_match_refresh(struct dp_match_turn *turn, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    struct dp_match_extra *extra = dp_match_extra(turn->match, slot->extra);
    if (extra->terms.display_qty == 0 || extra->shown_qty != 0)
        return;
    uint64_t qty = refresh_qty(turn, &extra->terms);
    extra->shown_qty = qty < slot->leaves_qty ? qty : slot->leaves_qty;
    slot->priority = ++turn->match->priority_last;
    slot->flags &= (uint8_t)~DP_MATCH_SLOT_TOP;
    dp_match_level(turn->match, slot->level)->display_qty += extra->shown_qty;
    dp_match_requeue(turn->match, order);
    dp_match_report_on_book(
        turn, dp_match_report_order(turn, DP_MATCH_RESTATED, slot, slot->leaves_qty), order);
}
