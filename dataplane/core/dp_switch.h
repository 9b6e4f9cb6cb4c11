/*
 * dp_switch - the kill switch: one mark for each scope, and one gate word that tells of any change.
 *
 * A submitter keeps the gate value at which it last found everything clear. One load and one
 * comparison tell it that nothing has changed since: no scope was killed, no limit changed, no
 * breaker tripped. When they differ it looks at the marks of its scopes before it goes on.
 *
 * Setting stores the mark first and moves the gate second, with release; a submitter loads the gate
 * with acquire first and the marks second. So a decision that begins after dp_switch_set() returned
 * sees the mark: either its gate value is old and it looks, or it has looked behind the new one.
 *
 * Any process may set: a mark is one word, a stronger mode replaces a weaker one, never the other
 * way round. Wait-free but for the retry when two set the same mark at once. Only dp_switch_clear()
 * goes back; it is for a person's decision, and refuses when the mark is no longer what that person
 * saw. Plain words in shared memory, no pointers.
 */
#ifndef DP_SWITCH_H
#define DP_SWITCH_H

#include "dp_atomic.h"
#include "dp_base.h"

/* In the order of their strength. Cancels pass under all of them. */
#define DP_SWITCH_MODES(X) \
    X(0, CLEAR, "clear", "orders pass") \
    X(1, REDUCE_ONLY, "reduce-only", "only orders that reduce a position pass") \
    X(2, UNCERTAIN, "uncertain", "nobody has said yet that orders may pass; none does") \
    X(3, REJECT_NEW, "reject-new", "no new order and no replace passes") \
    X(4, CANCEL_ALL, "cancel-all", "and what is open is cancelled") \
    X(5, HARD_STOP, "hard-stop", "and the run ends")

enum dp_switch_mode {
#define X(number, name, word, words) DP_SWITCH_##name = number,
    DP_SWITCH_MODES(X) DP_SWITCH_MODE_COUNT
#undef X
};

/* Who set it: a person, or the breaker that tripped. */
#define DP_SWITCH_SOURCES(X) \
    X(0, NOBODY, "nobody") \
    X(1, PERSON, "person") \
    X(2, RESTART, "restart") \
    X(3, LOSS, "loss") \
    X(4, DRAWDOWN, "drawdown") \
    X(5, REJECT_RATE, "reject-rate") \
    X(6, REPEAT_EXECUTION, "repeat-execution") \
    X(7, FEED_STALE, "feed-stale") \
    X(8, FAN_OUT, "fan-out") \
    X(9, BREACH, "breach") \
    X(10, CLOCK, "clock") \
    X(11, VENUE, "venue")

enum dp_switch_source {
#define X(number, name, word) DP_SWITCH_BY_##name = number,
    DP_SWITCH_SOURCES(X) DP_SWITCH_SOURCE_COUNT
#undef X
};

/* Bits 0-7 mode, 8-15 source, 16-63 how often it has changed. */
typedef _Atomic uint64_t dp_switch_mark;

static inline enum dp_switch_mode dp_switch_mode_of(uint64_t mark)
{
    return (enum dp_switch_mode)(mark & 0xff);
}

static inline enum dp_switch_source dp_switch_source_of(uint64_t mark)
{
    return (enum dp_switch_source)(mark >> 8 & 0xff);
}

/* Relaxed: the caller has loaded the gate with acquire (dp_switch_set). */
static inline uint64_t dp_switch_look(const dp_switch_mark *mark)
{
    return dp_load_relaxed(mark);
}

/* Moves the gate: release, so that who sees the new value sees what was stored before. */
static inline uint64_t dp_switch_tell(_Atomic uint64_t *gate)
{
    return dp_fetch_add_release(gate, 1) + 1;
}

/* False when the mark was as strong already; it holds from here on in any case. */
bool dp_switch_set(_Atomic uint64_t *gate, dp_switch_mark *mark, enum dp_switch_mode mode,
    enum dp_switch_source source);
/* False when the mark is not `seen`: somebody has set it anew. */
bool dp_switch_clear(_Atomic uint64_t *gate, dp_switch_mark *mark, uint64_t seen);

const char *dp_switch_mode_word(enum dp_switch_mode mode);       /* "reduce-only" */
const char *dp_switch_source_word(enum dp_switch_source source); /* "person" */

#endif
