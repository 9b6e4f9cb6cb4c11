/*
 * dp_route - the order sessions of one venue, and which of them a new order leaves by.
 *
 * An order keeps its session for life: replaces and cancels of it go there, and only there is it
 * answered. All sessions draw their numbers from one rising sequence, so each sees numbers that
 * rise, and a number names one order wherever it went.
 *
 * A session that is not open is passed over as long as another one is. When none is, the order
 * goes to the session that would be its own, and the gate refuses it there (NOT_AUTHORISED).
 *
 * The engine's thread owns all of it; memory is the caller's.
 */
#ifndef DP_ROUTE_H
#define DP_ROUTE_H

#include "dp_throttle.h"

#define DP_ROUTE_SESSIONS_MAX 8u
/* Orders of one session that have not left yet. */
#define DP_ROUTE_WAITING_MAX 1024u

enum dp_route_spread {
    DP_ROUTE_BY_STRATEGY = 0,
    DP_ROUTE_BY_INSTRUMENT,
    DP_ROUTE_LEAST_LOADED, /* the fewest that wait; of those the one that was given the fewest */
};

struct dp_route_session {
    bool is_open;     /* takes new orders and replaces */
    uint32_t waiting; /* orders that were passed and have not left */
    uint64_t given;   /* orders that were passed, ever */
    struct dp_throttle throttle;
};

struct dp_route {
    uint32_t session_count; /* 1 .. DP_ROUTE_SESSIONS_MAX */
    enum dp_route_spread spread;
    bool queues; /* an order beyond the venue's limit waits; false: it is refused */
    struct dp_route_session sessions[DP_ROUTE_SESSIONS_MAX];
};

/* The session for a new order. */
uint8_t dp_route_choose(
    const struct dp_route *route, uint16_t strategy_index, uint32_t instrument_index);

/* Whether its session could take one more order now. */
static inline bool dp_route_has_room(const struct dp_route *route, uint8_t session_index)
{
    return route->sessions[session_index].waiting < DP_ROUTE_WAITING_MAX;
}
static inline bool dp_route_is_throttled(
    const struct dp_route *route, uint8_t session_index, int64_t now_ns)
{
    return !route->queues &&
        !dp_throttle_has(&route->sessions[session_index].throttle, now_ns, false);
}
/* One was passed. Where orders beyond the limit are refused it has its place in the limit now. */
static inline void dp_route_give(struct dp_route *route, uint8_t session_index, int64_t now_ns)
{
    struct dp_route_session *session = &route->sessions[session_index];
    session->waiting++;
    session->given++;
    if (!route->queues)
        dp_throttle_take(&session->throttle, now_ns);
}

#endif
