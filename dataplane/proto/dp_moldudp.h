/*
 * dp_moldudp - MoldUDP64 1.00: packets, and the arbitration of two lines into one sequence.
 *
 * dp_moldudp_parse() is a pure function over (bytes, size). struct dp_moldudp_feed joins lines A
 * and B (any number of lines: the first copy of a message wins): packets go in as they arrive,
 * messages come out once each, in sequence. A packet, heartbeat or end mark ahead of the expected
 * number is held (copied, bounded); when the hold is full or its time is up, the hole is given up:
 * the callback hears of the gap first and of the messages behind it afterwards. Callbacks do not
 * call the feed. One thread.
 */
#ifndef DP_MOLDUDP_H
#define DP_MOLDUDP_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_MOLDUDP_HEADER_SIZE 20
#define DP_MOLDUDP_SESSION_SIZE 10
#define DP_MOLDUDP_END_OF_SESSION 0xffff
#define DP_MOLDUDP_HOLD_COUNT_MAX 65536u
#define DP_MOLDUDP_PACKET_SIZE_MAX 65535u

struct dp_moldudp_packet {
    const uint8_t *session; /* 10 bytes, opaque */
    uint64_t sequence; /* of the first message; of the next one for heartbeat and end of session */
    uint16_t message_count; /* as on the wire: 0 heartbeat, 0xffff end of session */
    const uint8_t *blocks;  /* length-prefixed messages, known to end where the packet ends */
    size_t blocks_size;
};

static inline bool dp_moldudp_is_end(const struct dp_moldudp_packet *packet)
{
    return packet->message_count == DP_MOLDUDP_END_OF_SESSION;
}

/* Heartbeats and end marks name the next number and use up none. */
static inline uint32_t dp_moldudp_numbers_used(const struct dp_moldudp_packet *packet)
{
    return dp_moldudp_is_end(packet) ? 0 : packet->message_count;
}

/* False when malformed: shorter than a header, blocks that do not end at the packet's end, numbers
 * past 64 bits. */
bool dp_moldudp_parse(const uint8_t *data, size_t size, struct dp_moldudp_packet *packet);

enum dp_moldudp_verdict {
    DP_MOLDUDP_DELIVERED,   /* at least one new message went out */
    DP_MOLDUDP_DUPLICATE,   /* all seen before */
    DP_MOLDUDP_HELD,        /* ahead of a hole: kept */
    DP_MOLDUDP_IDLE,        /* heartbeat or end of session with nothing missing */
    DP_MOLDUDP_MALFORMED,   /* also above packet_size_max, or number 0 after another first one */
    DP_MOLDUDP_OLD_SESSION, /* of a session that is over, or more than its end mark allowed */
    DP_MOLDUDP_STRANGE,     /* of another session, of which this is the first packet: kept */
};

struct dp_moldudp_handler {
    void *context;
    /* One message, in sequence. data is valid during the call only. time_ns is when it could go
     * out: the arrival of the packet that brought it or closed the hole before it; it never goes
     * back. */
    void (*on_message)(
        void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns);
    /* Messages first .. last are missing on every line and will not come. */
    void (*on_gap)(void *context, uint64_t first, uint64_t last, int64_t time_ns);
    /* Another session began, at number 1: empty books. Not called for the first one. session is 10
     * bytes. What the old one still missed has been given up; on_end is not called for an end mark
     * that never came. */
    void (*on_session)(void *context, const uint8_t *session);
    /* End of session reached with nothing missing or the rest given up. Once a session. */
    void (*on_end)(void *context);
};

struct dp_moldudp_config {
    uint32_t hold_count_max;  /* packets held at once */
    uint32_t packet_size_max; /* bytes of one MoldUDP64 packet */
    int64_t gap_timeout_ns;   /* a hole known for longer than this is given up */
    uint64_t sequence_first;  /* 1 at the start of a day; 0: start at the first packet's */
    /* A hole that is given up is not stepped over: on_gap is told once, and everything is held
     * until dp_moldudp_feed_jump(). What does not fit then pushes out the earliest. */
    bool pause_at_gap;
    /* Another session begins with the second packet of it (the first is kept) when that is no copy
     * and the session before said nothing in between; or with the first behind an end mark. One
     * datagram of noise, on however many lines, ends no session. */
    bool confirm_session;
};

struct dp_moldudp_feed; /* opaque; holds no pointers but what the handler carries */

/* Bytes of memory, aligned to 8, that a feed takes. */
size_t dp_moldudp_feed_size(const struct dp_moldudp_config *config);
int dp_moldudp_feed_init(
    struct dp_moldudp_feed *feed, const struct dp_moldudp_config *config, struct dp_err *err);
/* time_ns: receive time of the packet; never goes back (a smaller one is taken as the largest so
 * far). Holes whose time is up are given up first. */
enum dp_moldudp_verdict dp_moldudp_feed_push(struct dp_moldudp_feed *feed, const uint8_t *data,
    size_t size, int64_t time_ns, const struct dp_moldudp_handler *handler);
/* Gives up holes whose time is up; called between packets and at the end (with INT64_MAX: all
 * holes). */
void dp_moldudp_feed_poll(
    struct dp_moldudp_feed *feed, int64_t now_ns, const struct dp_moldudp_handler *handler);
/* Gives up the first hole now, if there is one. */
void dp_moldudp_feed_give_up(
    struct dp_moldudp_feed *feed, const struct dp_moldudp_handler *handler);
/* Forgets the session, as if nothing had come: its sender began anew under the same name. Calls
 * on_session when one had begun. */
void dp_moldudp_feed_restart(
    struct dp_moldudp_feed *feed, const struct dp_moldudp_handler *handler);
/* The next sequence number to go out. */
uint64_t dp_moldudp_feed_expected(const struct dp_moldudp_feed *feed);
/* A hole was given up, and a jump is waited for. */
bool dp_moldudp_feed_is_paused(const struct dp_moldudp_feed *feed);
/* 10 bytes, the feed's; NULL before the first packet. */
const uint8_t *dp_moldudp_feed_session(const struct dp_moldudp_feed *feed);

/* The hole that keeps messages waiting: first .. last are missing, since since_ns. */
struct dp_moldudp_hole {
    uint64_t first;
    uint64_t last;
    int64_t since_ns;
    const uint8_t *session; /* 10 bytes, the feed's */
};

/* False when nothing is missing, as far as it is known, and while a jump is waited for. */
bool dp_moldudp_feed_hole(const struct dp_moldudp_feed *feed, struct dp_moldudp_hole *hole);
/* Goes on at that number, where a snapshot of the books ended: what came before it and waits is
 * dropped, what waits from it on goes out; what was pushed out of a full hold behind it is a hole
 * like any other. Not back: false when the number is below expected. */
bool dp_moldudp_feed_jump(
    struct dp_moldudp_feed *feed, uint64_t sequence, const struct dp_moldudp_handler *handler);

/* Writes a header; returns DP_MOLDUDP_HEADER_SIZE. session: 10 bytes. */
size_t dp_moldudp_build(
    uint8_t *data, const uint8_t *session, uint64_t sequence, uint16_t message_count);

#endif
