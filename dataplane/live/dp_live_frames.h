/*
 * dp_live_frames - the port of frames of a live run: an interface's queues through AF_XDP, or a
 * DPDK device's, as one port.
 *
 * Chosen flows are the lines and, where TCP is in user space, its local ports. What a card could do
 * and does not is in the description, not an error: native hook, zero copy, flow rules. One thread.
 */
#ifndef DP_LIVE_FRAMES_H
#define DP_LIVE_FRAMES_H

#include <errno.h>

#include "dp_live_ports.h"

struct dp_live_frames; /* opaque */

/* Says that this build is without a kind of port, and what it needs; returns -ENOTSUP. */
static inline int dp_live_lacks(const char *kind, const char *library, struct dp_err *err)
{
    return dp_err_set(err, ENOTSUP,
        "live: port %s: not in this build; install %s and build again, or name another port", kind,
        library);
}

/* config: its kind is not uring; outlives this. NULL with err filled in. */
struct dp_live_frames *dp_live_frames_open(
    const struct dp_live_ports_config *config, struct dp_err *err);
/* All queues together. Ours, open until dp_live_frames_close(). */
struct dp_port *dp_live_frames_port(const struct dp_live_frames *frames);
/* The port of one queue, for its counters; NULL behind the last. */
struct dp_port *dp_live_frames_queue(const struct dp_live_frames *frames, uint32_t index);
/* The hardware address of the interface below. */
void dp_live_frames_mac(const struct dp_live_frames *frames, uint8_t mac[6]);
void dp_live_frames_describe(const struct dp_live_frames *frames, char *text, size_t size);
void dp_live_frames_close(struct dp_live_frames *frames); /* NULL is fine */

#endif
