/*
 * dp_match_session - sessions, price bands, and what they make of orders; private to the dp_match
 * files.
 */
#ifndef DP_MATCH_SESSION_H
#define DP_MATCH_SESSION_H

#include "dp_match_turn.h"

/* Does what is due by time: orders that expire, pauses that end. */
void dp_match_session_timers(struct dp_match *match, int64_t now_ns, struct dp_match_sink *sink);

#endif
