/*
 * dp_feed_lines - packets of several lines joined into one sequence of messages.
 *
 * Frames or datagrams go in as they come, each with the number of its line; the messages come out
 * of the handler (dp_feed.h) once each and in sequence. Counts every packet that gives none, and
 * for each line what it won, lost, and how far it was behind. Live, a line that brings numbers far
 * below those it brought a second ago tells that the sender began anew. dp_feed (recorded) and
 * dp_feed_live stand on it. One thread; the handler is called inside push and poll.
 */
#ifndef DP_FEED_LINES_H
#define DP_FEED_LINES_H

#include "dp_feed.h"
#include "dp_moldudp.h"
#include "dp_port.h"

#define DP_FEED_LINES_MAX 4u
#define DP_FEED_REPLIES \
    (DP_FEED_LINES_MAX - 1)      /* live, the line that answers of servers count as */
#define DP_FEED_SKEW_SLOTS 1024u /* packets whose first arrival is remembered */

/* Where the frames of a line are sent to; zeroes take any. Host order. */
struct dp_feed_target {
    uint32_t ip;
    uint16_t port;
    uint64_t mac; /* 48 bits: a port may bring what was sent to others (promiscuous, a hub) */
};

struct dp_feed_line_stats {
    uint64_t packets;      /* MoldUDP64 packets of any kind */
    uint64_t first;        /* of them, with a message that no other line had brought */
    uint64_t lost;         /* messages that this line skipped (of a line of replies: no sense) */
    uint64_t behind_count; /* packets that another line had brought before, by their stamps */
    int64_t behind_ns_sum; /* by how much, together */
    int64_t behind_ns_max;
    int64_t heard_ns;       /* the last packet; 0: none yet */
    uint64_t sequence_next; /* what this line brings next if it loses nothing */
    /* sequence_next as it was at mark_ns, and at the mark before that. */
    uint64_t mark_next;
    uint64_t past_next;
    int64_t mark_ns;
};

struct dp_feed_lines {
    struct dp_counters *counters;
    struct dp_feed_handler handler;
    bool is_live;
    struct dp_moldudp_feed *feed;
    struct dp_moldudp_handler feed_handler;
    struct dp_feed_line_stats stats[DP_FEED_LINES_MAX];
    struct dp_feed_arrival {
        uint64_t sequence;
        int64_t time_ns;
        uint32_t line;
    } arrivals[DP_FEED_SKEW_SLOTS];
    /* Live: when this turn began. Holes are as old as we have known them, so that one which we only
     * hear of late is asked for before it is given up. 0: recorded, they are as old as packets say.
     */
    int64_t turn_ns;
    bool is_lost;           /* a hole was given up in this session */
    uint64_t message_count; /* handed on; the owner may set it to 0 */
    bool stop_asked;        /* hand on no more: the owner sets it and takes it back */
};

struct dp_feed_lines_config {
    int64_t gap_timeout_ns;
    bool is_live;      /* noise must end no session, and numbers that go back are a new beginning */
    bool pause_at_gap; /* a snapshot will mend it (dp_moldudp.h) */
};

/* 0, or -errno with err filled in. */
int dp_feed_lines_open(struct dp_feed_lines *lines, const struct dp_feed_lines_config *config,
    struct dp_counters *counters, const struct dp_feed_handler *handler, struct dp_err *err);
void dp_feed_lines_close(struct dp_feed_lines *lines);

/* A whole Ethernet frame: of the first line whose target it was sent to. One for none of them is
 * somebody else's: counted, dropped. targets: target_count of them, by line. */
void dp_feed_lines_push_frame(struct dp_feed_lines *lines, const struct dp_feed_target *targets,
    uint32_t target_count, const struct dp_packet *packet);
/* The same in two steps, where frames of several feeds come through one port: the target that it
 * was sent to, or target_count, and what it holds for that one. Counts what it drops. */
uint32_t dp_feed_lines_read_frame(struct dp_counters *counters,
    const struct dp_feed_target *targets, uint32_t target_count, const struct dp_packet *packet,
    struct dp_packet *datagram);
void dp_feed_lines_push(
    struct dp_feed_lines *lines, uint32_t line, const struct dp_packet *datagram);
void dp_feed_lines_push_datagram(
    struct dp_feed_lines *lines, uint32_t line, const struct dp_packet *packet);
/* Holes whose time is up are given up; INT64_MAX: all. */
void dp_feed_lines_poll(struct dp_feed_lines *lines, int64_t now_ns);

#endif
