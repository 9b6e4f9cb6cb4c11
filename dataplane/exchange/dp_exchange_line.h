/*
 * dp_exchange_line - one line of a feed, as good or as bad as it is told to be.
 *
 * Packets go in, and come out when they are due: at once on a good line; late, overtaken, twice or
 * never on a bad one, as drawn from the line's seed. Same seed, same packets, same times: same
 * order out. One thread; a line holds DP_EXCHANGE_LINE_HELD_MAX packets, and one more is lost.
 */
#ifndef DP_EXCHANGE_LINE_H
#define DP_EXCHANGE_LINE_H

#include "dp_base.h"

#define DP_EXCHANGE_LINE_HELD_MAX 1024u
#define DP_EXCHANGE_PACKET_MAX 1472u   /* bytes of a datagram: Ethernet's MTU less IP and UDP */
#define DP_EXCHANGE_REORDER_NS 2000000 /* how long an overtaken packet is held */

struct dp_exchange_line_config {
    uint64_t seed;
    int64_t delay_ns;       /* of every packet */
    uint32_t loss_ppm;      /* packets of a million that never come */
    uint32_t reorder_ppm;   /* that later ones overtake */
    uint32_t duplicate_ppm; /* that come twice */
};

struct dp_exchange_line; /* opaque */

struct dp_exchange_line *dp_exchange_line_open(void);       /* a good line; NULL: no memory */
void dp_exchange_line_close(struct dp_exchange_line *line); /* NULL is fine */
/* From now on; what is held stays held. */
void dp_exchange_line_set(
    struct dp_exchange_line *line, const struct dp_exchange_line_config *config);
/* False when the line loses the packet. size: at most DP_EXCHANGE_PACKET_MAX. */
bool dp_exchange_line_push(
    struct dp_exchange_line *line, const uint8_t *data, uint32_t size, int64_t now_ns);
/* The next packet due by now_ns, NULL when there is none. Valid until the next call. */
const uint8_t *dp_exchange_line_pop(struct dp_exchange_line *line, int64_t now_ns, uint32_t *size);
int64_t dp_exchange_line_next_ns(const struct dp_exchange_line *line); /* INT64_MAX: none held */

#endif
