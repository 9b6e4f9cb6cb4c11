/*
 * dp_engine - all pieces on one core, and their loop: one packet in, to completion, orders out.
 *
 * The engine owns its ports, the region's parts it writes, the journal and the strategies'
 * gateways. A replay is the same loop fed from a capture, with the replay venue (sim/dp_venue) at
 * the other end of the order port; time then comes from the recorded packets and nothing depends on
 * the machine's clock but the latency histograms.
 *
 * One thread calls everything here; other processes read the region. Files: dp_engine.c (life),
 * dp_engine_feed.c (packet to strategy), dp_engine_orders.c (frames out, reports in),
 * dp_engine_replay.c (the far end of a replay),
 * dp_engine_internal.h (what they share).
 */
#ifndef DP_ENGINE_H
#define DP_ENGINE_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_card.h"
#include "dp_clock.h"
#include "dp_counter.h"
#include "dp_desk.h"
#include "dp_digest.h"
#include "dp_err.h"
#include "dp_hist.h"
#include "dp_order.h"
#include "dp_ouch.h"
#include "dp_recover.h"
#include "dp_region.h"
#include "dp_risk.h"
#include "dp_strategy.h"
#include "dp_submit.h"
#include "dp_venue.h"

#define DP_ENGINE_STRATEGIES_MAX 16
#define DP_ENGINE_WATCH_ALL UINT32_MAX

/* A card before the ports: which, what must run on it, and what its filter is to let in. */
struct dp_engine_card {
    const char *name;        /* as of dp_card_open(); NULL or "": none. Live, the ports know it */
    const uint8_t *identity; /* NULL: any */
    bool watched_only;       /* messages of instruments that a strategy watches; false: of all */
};

struct dp_engine_config {
    const char *name;              /* of the appliance: journal header, status page */
    const char *region_path;       /* file in /dev/shm, or "" for private memory */
    const char *journal_directory; /* "" for none */
    const char *configuration;     /* its hash, at most 64 characters; "" for none */
    const char *pcap_out;          /* "" for none: outgoing frames as a nanosecond pcap */
    struct dp_engine_card card;
    uint64_t journal_segment_size;
    uint8_t journal_durability[DP_JOURNAL_CLASS_COUNT]; /* enum dp_journal_durability */
    /* Tells two runs apart in region and journal; in no event and no frame. */
    uint64_t generation;
    int64_t midnight_ns; /* UTC nanoseconds of the session's local midnight */
    int64_t gap_timeout_ns;
    uint32_t speed_permille; /* of a replay: 1000 as it was recorded; 0: as fast as it goes */
    struct dp_books_config books;
    struct dp_orders_config orders;
    uint32_t account_count;       /* 0: strategies stand alone, without accounts and firm */
    struct dp_desks_config desks; /* desk_count 0: no orders from other processes */
    struct dp_venue_config venue; /* midnight and endpoints are filled in by the engine */
    struct dp_ouch_session session;
    bool measure_latency;
};

/* Limits by symbol (8 bytes, space padded), set when the directory names the instrument.
 * All zero bytes: every other. */
struct dp_engine_limits {
    char symbol[8];
    struct dp_risk_instrument_limits limits;
};

/* A switch that is to be set again: a run before this one had it, or a person set it when none
 * ran. */
struct dp_engine_kept {
    struct dp_risk_scope scope; /* INSTRUMENT: its symbol counts, not its index */
    char symbol[8];
    enum dp_switch_mode mode;
    enum dp_switch_source source;
    char author[16]; /* ended by 0, as the journal has them */
    char cause[40];
};

/* A strategy's name, and which instruments it hears of. */
struct dp_engine_watch {
    const char *name;         /* for people; copied */
    const char (*symbols)[8]; /* space padded; may be NULL */
    uint32_t symbol_count;
    /* The first so many instruments of the directory; DP_ENGINE_WATCH_ALL for all. */
    uint32_t first_count;
};

enum dp_engine_state {
    DP_ENGINE_STARTING = 0,
    DP_ENGINE_RUNNING,
    DP_ENGINE_FINISHED,
    DP_ENGINE_FAILED,
};

/* The status page ("status" in the region): written by the engine, read by anyone. */
struct dp_engine_status {
    alignas(DP_CACHE_LINE) _Atomic uint64_t heartbeat; /* grows while the engine runs */
    _Atomic int64_t now_ns;    /* engine time: of the packet being worked on */
    _Atomic uint64_t position; /* bytes of the capture consumed */
    _Atomic uint64_t size;     /* bytes of the capture */
    _Atomic int64_t wall_start_ns;
    _Atomic uint64_t state; /* enum dp_engine_state */
    _Atomic uint64_t messages_by_type[256];
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
struct dp_counters *dp_engine_counters(struct dp_engine *engine);
struct dp_hist *dp_engine_hist(struct dp_engine *engine, enum dp_stage stage);
struct dp_engine_status *dp_engine_status(struct dp_engine *engine);
const struct dp_clock *dp_engine_clock(const struct dp_engine *engine);
/* Of every event so far; engine thread only. */
const struct dp_digest *dp_engine_events_digest(struct dp_engine *engine);
const struct dp_digest *dp_engine_wire_digest(const struct dp_engine *engine); /* outgoing frames */
/* The card of a run that was started; NULL when there is none. */
struct dp_card *dp_engine_card(const struct dp_engine *engine);
struct dp_venue_stats dp_engine_venue_stats(const struct dp_engine *engine);
/* The price to value a position at: the last middle of an uncrossed book that a strategy was told
 * of, else of the book as it is now; DP_PRICE_NONE when there was none. */
int64_t dp_engine_mark(const struct dp_engine *engine, uint32_t instrument_index);

/* Before dp_engine_start(): limits are copied;
 * the entry with zero bytes as symbol is the default. */
int dp_engine_set_limits(struct dp_engine *engine, const struct dp_engine_limits *limits,
    uint32_t limits_count, struct dp_err *err);
/* Before dp_engine_start(): limits of the firm (group 0) or of account group - 1. */
int dp_engine_set_group(struct dp_engine *engine, uint32_t group, const char *name,
    const struct dp_risk_group_limits *limits, struct dp_err *err);
/* Before the start: copied. They hold from the start on, those of instruments from the moment that
 * the feed names them; no order passes before. */
int dp_engine_keep_switches(struct dp_engine *engine, const struct dp_engine_kept *kept,
    uint32_t count, struct dp_err *err);
/* Before the start: goes on from what a journal leads to: its orders, their exposure, its numbers.
 * The journal that is opened at the start must end at that record; the run then goes on behind it.
 * -EINVAL: the state was laid out for other orders.* counts. found is copied. */
int dp_engine_adopt(struct dp_engine *engine, const struct dp_recover *found, struct dp_err *err);
/* Before dp_engine_start(): the table and its state must outlive the engine; watch is copied. */
int dp_engine_add_strategy(struct dp_engine *engine, const struct dp_strategy *strategy,
    const struct dp_engine_watch *watch, const struct dp_risk_strategy_limits *limits,
    struct dp_err *err);

/* The strategy whose orders come from other processes (dp_desk.h): requests are taken between two
 * messages, and what its callbacks are told goes to every desk that speaks for it. */
extern const struct dp_strategy dp_engine_desk_strategy;

/* Opens the recorded session, then journal and capture, and calls on_start of every strategy. The
 * names in the configuration must live until then. */
int dp_engine_start(struct dp_engine *engine, const char *capture_path, struct dp_err *err);
/* How a replay that keeps the recorded timing kept it; of a feed that is open. */
struct dp_pacer;
const struct dp_pacer *dp_engine_pacer(const struct dp_engine *engine);
/* Works through about message_count messages (a packet is never cut); returns how many records were
 * taken, 0 when the session is over. Between calls the caller may show progress or stop. */
uint64_t dp_engine_run(struct dp_engine *engine, uint64_t message_count);
/* Asks the loop to return at the next message: for a strategy that failed.
 * Callable inside a callback. */
void dp_engine_stop(struct dp_engine *engine);
/* Whether somebody did: a strategy, or a hard-stop. */
bool dp_engine_is_stopping(const struct dp_engine *engine);
/* Ends the session: the venue cancels what is open, on_stop is called, journal closed and flushed,
 * pcap written. Safe at any point of a run; once. */
int dp_engine_finish(struct dp_engine *engine, struct dp_err *err);
/* How the capture ended: 0, or -errno and the words of dp_capture_status(). */
int dp_engine_source_status(const struct dp_engine *engine, struct dp_err *err);

#endif
