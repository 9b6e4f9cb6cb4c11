/*
 * dp_generate_lines - a generated session as frames: MoldUDP64 over UDP multicast on two lines, A
 * and B.
 *
 * Messages are packed as an exchange packs them: what happens within 10 microseconds shares a
 * packet, up to the Ethernet MTU. Line B is the same a few microseconds later. Quiet times carry a
 * heartbeat a second (at most DP_GENERATE_HEARTBEATS_MAX of them, so that a small session stays
 * small); three end-of-session packets close each line. Loss, reordering and duplicates are drawn
 * from the session's seed. A packet is lost on one line only, unless lose_both_count asks for gaps.
 * One thread; all memory is taken at open.
 */
#ifndef DP_GENERATE_LINES_H
#define DP_GENERATE_LINES_H

#include "dp_generate.h"

#define DP_GENERATE_SESSION "TICKPLANE1" /* the 10 bytes of the MoldUDP64 session */
/* Midnight in New York of Monday, 2 March 2026, in UTC. */
#define DP_GENERATE_MIDNIGHT_NS 1772427600000000000
#define DP_GENERATE_HEARTBEATS_MAX 10
/* Each gap needs so many messages, so that two never fall into one packet. */
#define DP_GENERATE_MESSAGES_PER_GAP 128

struct dp_generate_lines_config {
    struct dp_generate_config session;
    uint32_t loss_ppm[2];     /* packets lost on line A, on line B; up to 1,000,000 */
    uint32_t reorder_ppm;     /* packets that later ones of the same line overtake */
    uint32_t duplicate_ppm;   /* packets that come twice on the same line */
    uint32_t lose_both_count; /* packets that come on neither line */
};

/* One packet that came on neither line. */
struct dp_generate_gap {
    uint64_t first; /* sequence numbers of the messages in it */
    uint64_t last;
};

struct dp_generate_lines; /* opaque */

/* NULL with err filled: a number out of its range, or no memory. */
struct dp_generate_lines *dp_generate_lines_open(
    const struct dp_generate_lines_config *config, struct dp_err *err);
/* The next frame of either line, in the order of time; NULL when both lines are over. Valid until
 * the next call. time_ns is since the epoch and never goes back. */
const uint8_t *dp_generate_lines_next(
    struct dp_generate_lines *lines, uint32_t *size, int64_t *time_ns);
/* What was lost so far, all of it once dp_generate_lines_next() has returned NULL. */
uint32_t dp_generate_lines_gap_count(const struct dp_generate_lines *lines);
struct dp_generate_gap dp_generate_lines_gap(const struct dp_generate_lines *lines, uint32_t index);
uint64_t dp_generate_lines_written(
    const struct dp_generate_lines *lines);                    /* messages packed so far */
void dp_generate_lines_close(struct dp_generate_lines *lines); /* NULL is fine */

#endif
