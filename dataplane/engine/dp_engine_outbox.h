/*
 * dp_engine_outbox - what a session of a live run was given and has not sent yet.
 *
 * Cancels stand apart from orders and go first. A cancel of an order that still waits here never
 * leaves: the order is taken out instead. Private to the engine; its thread calls all of this.
 */
#ifndef DP_ENGINE_OUTBOX_H
#define DP_ENGINE_OUTBOX_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_port.h"
#include "dp_ring.h"
#include "dp_route.h"

struct dp_engine_outbox {
    struct dp_ring *orders; /* new orders and replaces */
    struct dp_ring *cancels;
};

int dp_engine_outbox_open(struct dp_engine_outbox *outbox, struct dp_err *err);
void dp_engine_outbox_close(struct dp_engine_outbox *outbox);

static inline bool dp_engine_outbox_is_empty(const struct dp_ring *ring)
{
    return dp_load_relaxed(&ring->head) == dp_load_relaxed(&ring->tail);
}

/* False: no room. */
bool dp_engine_outbox_put(
    struct dp_ring *ring, const struct dp_packet *packet, uint32_t user_ref_num);
/* The oldest that waits, or NULL; dp_ring_release() when it has gone. */
struct dp_ring_slot *dp_engine_outbox_peek(struct dp_ring *ring);
/* Whether a request with that number waited; it does not any more. */
bool dp_engine_outbox_take_out(struct dp_ring *ring, uint32_t user_ref_num);
/* Empties it; the numbers of what waited. Returns how many. */
uint32_t dp_engine_outbox_drop(struct dp_ring *ring, uint32_t numbers[DP_ROUTE_WAITING_MAX]);

#endif
