/*
 * dp_engine_session - one order session of a live run: its state, what it owes, and what is made of
 * the venue's words. dp_engine_live.h tells the states.
 *
 * Private to the engine; its thread calls all of this.
 */
#ifndef DP_ENGINE_SESSION_H
#define DP_ENGINE_SESSION_H

#include "dp_engine_live.h"
#include "dp_engine_outbox.h"
#include "dp_feed_channels.h"
#include "dp_wall.h"

struct dp_engine_session {
    struct dp_engine *engine;
    uint8_t index;
    struct dp_order_session wire;
    struct dp_engine_live_status status;
    struct dp_engine_outbox outbox;
    /* A switch was set then, while the first so many bytes were not all acknowledged: they must be
     * gone in time, or the connection is broken off. 0: none. */
    int64_t killed_ns;
    uint64_t killed_bytes;
};

struct dp_engine_live {
    struct dp_engine_live_config config;
    struct dp_feed_channels feeds;
    struct dp_route route;
    struct dp_engine_session sessions[DP_ROUTE_SESSIONS_MAX];
    bool has_opened; /* all sessions were open at once: trading has begun */
    bool is_ending;  /* nothing new any more */
    struct dp_wall wall;
    uint64_t clock_step_count; /* of which new orders were stopped */
    int64_t now_ns;            /* of this turn of the loop */
    int64_t busy_ns;           /* of the last turn in which something happened */
};

/* config: of session `index` of engine->live. */
int dp_engine_session_open(struct dp_engine *engine, uint8_t index, struct dp_err *err);
void dp_engine_session_close(struct dp_engine_session *session);
/* Moves it on; whether anything was received. */
bool dp_engine_session_poll(struct dp_engine_session *session);
/* One frame of the order path. False: not now. */
bool dp_engine_session_send(
    struct dp_engine_session *session, const struct dp_packet *packet, uint32_t user_ref_num);
/* Requests of the run before whose answers are not known. */
void dp_engine_session_lose_in_flight(struct dp_engine_session *session);
/* A switch was set: what waits here is taken back, and what TCP holds is watched. */
void dp_engine_session_kill(struct dp_engine_session *session);
/* The run's end: nothing new any more, and as it stands for readers. */
void dp_engine_session_shut(struct dp_engine_session *session);

#endif
