/*
 * dp_engine - puts the pieces on one core and runs the loop: one packet in, to completion, orders out.
 *
 * The engine owns its ports, the region's parts it writes, the journal and the strategies' gateways. A replay is the
 * same loop fed from a capture, with the replay venue (sim/dp_venue) at the other end of the order port; time then comes
 * from the recorded packets and nothing depends on the machine's clock but the latency histograms.
 */
#ifndef DP_ENGINE_H
#define DP_ENGINE_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_capture.h"
#include "dp_clock.h"
#include "dp_counter.h"
#include "dp_digest.h"
#include "dp_err.h"
#include "dp_hist.h"
#include "dp_moldudp.h"
#include "dp_ouch.h"
#include "dp_region.h"
#include "dp_risk.h"
#include "dp_shm.h"
#include "dp_strategy.h"
#include "dp_submit.h"
#include "dp_venue.h"
#include "dp_wal.h"

#define DP_ENGINE_STRATEGIES_MAX 16

struct dp_engine_config {
    const char *name;          /* of the appliance: journal header, status page */
    const char *region_path;   /* file in /dev/shm, or "" for private memory */
    const char *journal_directory; /* "" for none */
    const char *pcap_out;      /* "" for none: outgoing frames as pcap */
    uint64_t journal_segment_size;
    uint64_t generation;
    int64_t midnight_ns;
    struct dp_books_config books;
    struct dp_orders_config orders;
    struct dp_venue_config venue;
    struct dp_ouch_session session;
    int64_t gap_timeout_ns;
    bool measure_latency;
};

/* The status page: written by the engine, read by `tickplane top` in any process. */
struct dp_engine_status {
    alignas(DP_CACHE_LINE) _Atomic uint64_t heartbeat; /* grows while the engine runs */
    _Atomic int64_t now_ns;        /* engine time: of the packet being worked on */
    _Atomic uint64_t position;     /* bytes of the capture consumed */
    _Atomic uint64_t size;         /* bytes of the capture */
    _Atomic uint64_t wall_start_ns;
    _Atomic uint64_t state;        /* 0 starting, 1 running, 2 finished, 3 failed */
    uint64_t messages_by_type[256]; /* relaxed single-writer counts */
    char name[64];
    char source[256];
};

struct dp_engine; /* opaque, allocated by dp_engine_open() */

struct dp_engine *dp_engine_open(const struct dp_engine_config *config, struct dp_err *err);
void dp_engine_close(struct dp_engine *engine); /* the region file stays: see dp_shm_remove() */

struct dp_region *dp_engine_region(struct dp_engine *engine);
struct dp_books *dp_engine_books(struct dp_engine *engine);
struct dp_orders *dp_engine_orders(struct dp_engine *engine);
struct dp_risk *dp_engine_risk(struct dp_engine *engine);
struct dp_submit *dp_engine_submit(struct dp_engine *engine);
struct dp_venue *dp_engine_venue(struct dp_engine *engine);
struct dp_counters *dp_engine_counters(struct dp_engine *engine);
struct dp_hist *dp_engine_hist(struct dp_engine *engine, enum dp_stage stage);
struct dp_engine_status *dp_engine_status(struct dp_engine *engine);
const struct dp_clock *dp_engine_clock(const struct dp_engine *engine);
const struct dp_digest *dp_engine_events_digest(const struct dp_engine *engine);
const struct dp_digest *dp_engine_wire_digest(const struct dp_engine *engine);

/* The strategy's table and state must outlive the engine. */
int dp_engine_add_strategy(struct dp_engine *engine, const struct dp_strategy *strategy, struct dp_err *err);

/* Opens the recorded session and calls on_start of every strategy. */
int dp_engine_start(struct dp_engine *engine, const char *capture_path, struct dp_err *err);
/* Works through about `message_count` messages; returns how many, 0 when the session is over. Between calls
 * the caller may show progress or stop. */
uint64_t dp_engine_run(struct dp_engine *engine, uint64_t message_count);
/* Ends the session: open orders cancelled by the venue, on_stop called, journal closed and flushed, pcap written.
 * Safe at any point of a run. */
int dp_engine_finish(struct dp_engine *engine, struct dp_err *err);
/* How the capture ended: dp_capture_status(). */
int dp_engine_source_status(const struct dp_engine *engine, struct dp_err *err);

#endif
