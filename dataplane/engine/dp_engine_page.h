/*
 * dp_engine_page - what a run says of itself, for whoever watches it ("page" in the region).
 *
 * One writer, the engine's thread: at the start, at each change of a session, and at the end of
 * each dp_engine_run*(). Any process reads, wait-free. Every number is atomic and stands for
 * itself: nothing is published by it. Texts are written once, at the start, into zeros and never up
 * to the last byte: a reader that comes in the midst of that finds a shorter one.
 */
#ifndef DP_ENGINE_PAGE_H
#define DP_ENGINE_PAGE_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_feed_channels.h"
#include "dp_journal.h"
#include "dp_route.h"

#define DP_ENGINE_HASH_SIZE 65 /* of a configuration: SHA-256 in hexadecimal, ended by 0 */

struct dp_page_session {
    _Atomic uint64_t state; /* enum dp_engine_live_state */
    _Atomic uint64_t error; /* errno of the last loss */
    _Atomic uint64_t verdict;
    _Atomic uint64_t login_count;
    _Atomic uint64_t loss_count;
    _Atomic uint64_t never_received;
    _Atomic uint64_t unexplained;
    _Atomic uint64_t cancels_again;
    _Atomic uint64_t sequence_next;
    _Atomic uint64_t waiting; /* orders that have not left */
    _Atomic uint64_t given;   /* orders, ever */
    _Atomic uint64_t address; /* IPv4 << 16 | port of the connection, or of the last one tried */
    char user[8];
};

struct dp_page_line {
    _Atomic uint64_t packets;
    _Atomic uint64_t first;
    _Atomic uint64_t lost;
    _Atomic int64_t heard_ns;
    _Atomic uint64_t address; /* as above; of the replies: 0 */
};

#define DP_PAGE_PORTS_MAX 16u

struct dp_page_port {
    _Atomic uint64_t rx_packets;
    _Atomic uint64_t rx_failed;
    _Atomic uint64_t tx_packets;
    _Atomic uint64_t tx_failed;
    _Atomic uint64_t tx_refused;
    _Atomic uint64_t buffers_used;
    _Atomic uint64_t is_up;
    char name[8];
};

struct dp_page_channel {
    _Atomic uint64_t state; /* enum dp_feed_state */
    _Atomic uint64_t line_count;
    struct dp_page_line lines[DP_FEED_LINES_MAX]; /* the last one: replies */
    _Atomic uint64_t hole_first;                  /* 0: nothing is missing */
    _Atomic uint64_t hole_last;
    _Atomic int64_t hole_since_ns;
};

struct dp_engine_page {
    alignas(DP_CACHE_LINE) _Atomic uint64_t is_live;
    _Atomic int64_t wall_ns; /* when this was written */

    _Atomic uint64_t has_journal;
    _Atomic uint64_t journal_last;    /* number of the last record */
    _Atomic uint64_t journal_durable; /* up to which the disk is known to have them */
    _Atomic uint64_t journal_failed;

    _Atomic uint64_t channel_count;
    struct dp_page_channel channels[DP_FEED_CHANNELS_MAX];

    _Atomic uint64_t session_count;
    struct dp_page_session sessions[DP_ROUTE_SESSIONS_MAX];

    _Atomic uint64_t port_count; /* of a live run: in the order in which they were opened */
    struct dp_page_port ports[DP_PAGE_PORTS_MAX];

    uint8_t durability[DP_JOURNAL_CLASS_COUNT];
    char journal_directory[256];
    char configuration[DP_ENGINE_HASH_SIZE];
};

#endif
