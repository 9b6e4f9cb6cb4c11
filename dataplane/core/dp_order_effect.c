#include "dp_exec_set.h"
#include "dp_order_rules.h"

#define REASON_SELF_MATCH 'Q' /* OUCH 5.0, reason of Canceled and AIQ Canceled */
#define STATE_DEAD 'D'        /* OUCH 5.0, order state of Accepted and Replaced */

/* Leaves, once a venue has shown that the order lives. */
static enum dp_order_base live_base(const struct dp_order *order)
{
    return order->cum_qty > 0 ? DP_ORDER_PARTIALLY_FILLED : DP_ORDER_NEW;
}

/* What we did not know is settled by any word of the venue about a live order (T35). */
static void settle(struct dp_order_change *change)
{
    if (change->base == DP_ORDER_UNKNOWN || change->base == DP_ORDER_PENDING_NEW)
        change->base = live_base(change->order);
}

/* A price that does not fit our units is no price. */
static bool has_price(const struct dp_event *event)
{
    return event->price_nanos > 0 && event->price_nanos != DP_PRICE_NONE;
}

static void drop_replace(struct dp_order_change *change)
{
    change->pending &= ~(uint32_t)DP_PENDING_REPLACE;
    change->order->numbers = dp_event_numbers(change->order->user_ref_num, 0);
    change->order->pending_price_nanos = 0;
    change->order->pending_qty = 0;
}

/* Whatever was pending lost the race (T11). */
static void close_order(struct dp_order_change *change, enum dp_order_base base)
{
    drop_replace(change);
    change->pending = DP_PENDING_NONE;
    change->order->leaves_qty = 0;
    change->base = base;
}

static void cancel_rest(struct dp_order_change *change, enum dp_order_base base)
{
    change->order->cxl_qty += change->order->leaves_qty;
    close_order(change, base);
}

/* ---- answers to a new order ---- */

static void adopt_accepted(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    const struct dp_event *event = change->event;
    uint64_t used = order->cum_qty + order->cxl_qty + order->bust_qty;

    order->venue_order_id = event->venue_order_id;
    if (has_price(event))
        order->price_nanos = event->price_nanos;
    if (event->time_in_force != 0)
        order->time_in_force = event->time_in_force;
    if (event->qty > 0)
        order->qty = event->qty > used ? event->qty : used;
    order->leaves_qty = order->qty - used;

    if (event->order_state == STATE_DEAD)
        cancel_rest(change, DP_ORDER_CANCELED);
    else if (order->leaves_qty == 0)
        close_order(change, order->cum_qty > 0 ? DP_ORDER_FILLED : DP_ORDER_CANCELED);
    else
        settle(change);
}

static enum dp_order_result accept_order(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    if (order->venue_order_id != 0)
        return order->venue_order_id == change->event->venue_order_id ? DP_ORDER_DUPLICATE
                                                                      : DP_ORDER_ANOMALY;
    if (dp_order_base_is_live(change->base))
        adopt_accepted(change);
    else /* closed before we heard that it was open: only the name is new */
        order->venue_order_id = change->event->venue_order_id;
    return DP_ORDER_APPLIED;
}

static enum dp_order_result accept_dead(struct dp_order_change *change)
{
    change->flags |= DP_ORDER_FLAG_REVIVED;
    change->base = live_base(change->order);
    adopt_accepted(change);
    return DP_ORDER_ANOMALY;
}

/* A reject, or proof of never having left, cannot be true of an order that the venue has
 * spoken of. */
static enum dp_order_result refuse(struct dp_order_change *change, enum dp_order_base base)
{
    const struct dp_order *order = change->order;
    if (order->venue_order_id != 0 || order->cum_qty != 0 || order->bust_qty != 0)
        return DP_ORDER_ANOMALY;
    close_order(change, base);
    return DP_ORDER_APPLIED;
}

/* ---- executions ---- */

static enum dp_order_result fill_live(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    uint64_t qty = change->event->qty;

    if (change->event->user_ref_num < order->user_ref_num) {
        /* Executed before a replace that we saw first: the venue's Replaced had netted it (R12). */
        order->qty += qty;
    } else if (qty > order->leaves_qty) {
        change->flags |= DP_ORDER_FLAG_OVERFILL;
        close_order(change, DP_ORDER_FILLED);
        return DP_ORDER_ANOMALY;
    } else {
        order->leaves_qty -= qty;
    }
    change->base = DP_ORDER_PARTIALLY_FILLED;
    if (order->leaves_qty == 0)
        close_order(change, DP_ORDER_FILLED);
    return DP_ORDER_APPLIED;
}

/* The shares were not cancelled after all. */
static enum dp_order_result fill_late(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    uint64_t qty = change->event->qty;
    bool over = qty > order->cxl_qty;

    change->flags |= DP_ORDER_FLAG_LATE_FILL | (over ? DP_ORDER_FLAG_OVERFILL : 0u);
    order->cxl_qty -= over ? order->cxl_qty : qty;
    return over ? DP_ORDER_ANOMALY : DP_ORDER_APPLIED;
}

static enum dp_order_result fill_dead(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    uint64_t used = order->cum_qty + order->cxl_qty + order->bust_qty;

    change->flags |= DP_ORDER_FLAG_REVIVED | (used > order->qty ? DP_ORDER_FLAG_OVERFILL : 0u);
    order->leaves_qty = used < order->qty ? order->qty - used : 0;
    change->base = order->leaves_qty > 0 ? DP_ORDER_PARTIALLY_FILLED : DP_ORDER_FILLED;
    return DP_ORDER_ANOMALY;
}

/* The executed shares are in cum already: an execution is the truth whatever the state says. */
static enum dp_order_result fill_by(struct dp_order_change *change, enum dp_order_effect effect)
{
    switch (effect) {
    case DP_EFFECT_FILL: return fill_live(change);
    case DP_EFFECT_FILL_LATE: return fill_late(change);
    case DP_EFFECT_FILL_DEAD: return fill_dead(change);
    case DP_EFFECT_FILL_OVER: change->flags |= DP_ORDER_FLAG_OVERFILL; return DP_ORDER_ANOMALY;
    default: /* DP_EFFECT_FILL_DENIED */ return DP_ORDER_ANOMALY;
    }
}

static void break_exec(struct dp_order_change *change, struct dp_exec *exec)
{
    struct dp_order *order = change->order;

    exec->state = DP_EXEC_BROKEN;
    order->cum_qty -= exec->qty;
    order->bust_qty += exec->qty;
    order->cum_money -= (dp_money_nanos)exec->price_nanos * exec->qty;
    if (change->base == DP_ORDER_FILLED)
        change->base = DP_ORDER_CANCELED;
    else if (change->base == DP_ORDER_PARTIALLY_FILLED)
        change->base = live_base(order);
}

static enum dp_order_result seen_before(struct dp_order_change *change, const struct dp_exec *exec)
{
    const struct dp_event *event = change->event;
    if (exec->qty == event->qty && exec->price_nanos == event->price_nanos)
        return DP_ORDER_DUPLICATE;
    change->flags |= DP_ORDER_FLAG_EXEC_ID_CONFLICT;
    return DP_ORDER_ANOMALY;
}

static enum dp_order_result fill_order(struct dp_order_change *change, enum dp_order_effect effect)
{
    struct dp_order *order = change->order;
    const struct dp_event *event = change->event;
    if (event->qty == 0)
        return DP_ORDER_ANOMALY;

    struct dp_exec *exec = dp_exec_set_take(change->execs, event->exec_id, change->exec_highest);
    if (exec != NULL && (exec->state == DP_EXEC_APPLIED || exec->state == DP_EXEC_BROKEN))
        return seen_before(change, exec);

    order->cum_qty += event->qty;
    order->cum_money += (dp_money_nanos)event->price_nanos * (dp_money_nanos)event->qty;
    enum dp_order_result result = fill_by(change, effect);
    if (exec == NULL)
        return DP_ORDER_TABLE_FULL; /* the position is right; a second copy could not be told */

    bool broken_before = exec->state == DP_EXEC_ORPHAN_BREAK;
    exec->qty = (uint32_t)event->qty;
    exec->price_nanos = event->price_nanos;
    exec->state = DP_EXEC_APPLIED;
    if (broken_before)
        break_exec(change, exec);
    return broken_before ? DP_ORDER_ANOMALY : result;
}

static enum dp_order_result break_fill(struct dp_order_change *change)
{
    struct dp_event *event = change->event;
    struct dp_exec *exec = dp_exec_set_take(change->execs, event->exec_id, change->exec_highest);
    if (exec == NULL)
        return DP_ORDER_TABLE_FULL;
    if (exec->state == DP_EXEC_EMPTY) {
        exec->state = DP_EXEC_ORPHAN_BREAK;
        change->flags |= DP_ORDER_FLAG_ORPHAN_BREAK;
        return DP_ORDER_ANOMALY;
    }
    if (exec->state != DP_EXEC_APPLIED)
        return DP_ORDER_DUPLICATE;

    event->qty = exec->qty; /* the venue names the match, not its size */
    event->price_nanos = exec->price_nanos;
    break_exec(change, exec);
    return DP_ORDER_APPLIED;
}

/* ---- cancels and replaces ---- */

static enum dp_order_result cancel_order(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    uint64_t qty = change->event->qty;
    bool over = qty > order->leaves_qty;
    if (qty == 0)
        return DP_ORDER_ANOMALY;
    if (over) {
        change->flags |= DP_ORDER_FLAG_OVERFILL;
        qty = order->leaves_qty;
    }

    order->cxl_qty += qty;
    order->leaves_qty -= qty;
    if (change->event->reason == REASON_SELF_MATCH)
        order->stp_qty += (uint32_t)qty;
    if (order->leaves_qty == 0)
        close_order(change, DP_ORDER_CANCELED);
    else
        settle(change);
    return over ? DP_ORDER_ANOMALY : DP_ORDER_APPLIED;
}

/* The quantity of Replaced is what is outstanding now: executions are netted already (R5). */
static enum dp_order_result replace_order(struct dp_order_change *change)
{
    struct dp_order *order = change->order;
    const struct dp_event *event = change->event;

    if (has_price(event))
        order->price_nanos = event->price_nanos;
    else if (event->user_ref_num == order->pending_user_ref_num)
        order->price_nanos = order->pending_price_nanos;
    order->user_ref_num = event->user_ref_num;
    order->venue_order_id = event->venue_order_id;
    order->qty = order->cum_qty + order->bust_qty + event->qty;
    order->cxl_qty = 0;
    order->leaves_qty = event->qty;
    drop_replace(change);

    if (event->qty == 0)
        close_order(change, order->cum_qty > 0 ? DP_ORDER_FILLED : DP_ORDER_CANCELED);
    else if (event->order_state == STATE_DEAD)
        cancel_rest(change, DP_ORDER_CANCELED);
    else
        settle(change);
    return DP_ORDER_APPLIED;
}

static enum dp_order_result replace_dead(struct dp_order_change *change)
{
    if (change->event->order_state != STATE_DEAD && change->event->qty > 0) {
        change->flags |= DP_ORDER_FLAG_REVIVED;
        change->base = live_base(change->order);
        replace_order(change);
    }
    return DP_ORDER_ANOMALY;
}

static void want_replace(struct dp_order_change *change)
{
    change->pending |= DP_PENDING_REPLACE;
    change->order->pending_user_ref_num = change->event->user_ref_num;
    change->order->pending_price_nanos = change->event->price_nanos;
    change->order->pending_qty = change->event->qty;
}

static void restate(struct dp_order_change *change)
{
    if (change->event->venue_order_id != 0)
        change->order->venue_order_id = change->event->venue_order_id;
    settle(change);
}

/* ---- dispatch ---- */

/* Effects that cannot fail. */
static enum dp_order_result change_state(
    struct dp_order_change *change, enum dp_order_effect effect)
{
    switch (effect) {
    case DP_EFFECT_WANT_CANCEL: change->pending |= DP_PENDING_CANCEL; break;
    case DP_EFFECT_CANCEL_NOTED:
        change->pending |= DP_PENDING_CANCEL;
        settle(change);
        break;
    case DP_EFFECT_CANCEL_REFUSED: change->pending &= ~(uint32_t)DP_PENDING_CANCEL; break;
    case DP_EFFECT_WANT_REPLACE: want_replace(change); break;
    case DP_EFFECT_REPLACE_REFUSED: drop_replace(change); break;
    case DP_EFFECT_EXPIRE: cancel_rest(change, DP_ORDER_EXPIRED); break;
    case DP_EFFECT_DAY_DONE: cancel_rest(change, DP_ORDER_DONE_FOR_DAY); break;
    case DP_EFFECT_RESTATE: restate(change); break;
    case DP_EFFECT_SUSPEND: change->base = DP_ORDER_SUSPENDED; break;
    case DP_EFFECT_RESUME: change->base = live_base(change->order); break;
    case DP_EFFECT_LOSE: change->base = DP_ORDER_UNKNOWN; break;
    default: /* DP_EFFECT_NOTED */ break;
    }
    return DP_ORDER_APPLIED;
}

enum dp_order_result dp_order_change_apply(struct dp_order_change *change)
{
    enum dp_order_effect effect = dp_order_rule(change->base, change->pending, change->event->kind);
    switch (effect) {
    case DP_EFFECT_ANOMALY: return DP_ORDER_ANOMALY;
    case DP_EFFECT_REPEATED: return DP_ORDER_DUPLICATE;
    case DP_EFFECT_ACCEPT: return accept_order(change);
    case DP_EFFECT_ACCEPT_DEAD: return accept_dead(change);
    case DP_EFFECT_REJECT: return refuse(change, DP_ORDER_REJECTED);
    case DP_EFFECT_UNSEND: return refuse(change, DP_ORDER_DENIED);
    case DP_EFFECT_FILL:
    case DP_EFFECT_FILL_LATE:
    case DP_EFFECT_FILL_OVER:
    case DP_EFFECT_FILL_DEAD:
    case DP_EFFECT_FILL_DENIED: return fill_order(change, effect);
    case DP_EFFECT_BREAK: return break_fill(change);
    case DP_EFFECT_CANCEL: return cancel_order(change);
    case DP_EFFECT_REPLACE: return replace_order(change);
    case DP_EFFECT_REPLACE_DEAD: return replace_dead(change);
    default: return change_state(change, effect);
    }
}
