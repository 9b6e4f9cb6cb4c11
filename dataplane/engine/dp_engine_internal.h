/*
 * dp_engine_internal - what the engine's files share. Not for anybody else.
 */
#ifndef DP_ENGINE_INTERNAL_H
#define DP_ENGINE_INTERNAL_H

#include "dp_capture.h"
#include "dp_command.h"
#include "dp_difference.h"
#include "dp_engine.h"
#include "dp_engine_live.h"
#include "dp_engine_page.h"
#include "dp_feed.h"
#include "dp_hold.h"
#include "dp_itch.h"
#include "dp_port.h"
#include "dp_recover.h"
#include "dp_shm.h"
#include "dp_wal.h"

/* Frames between two drains; a callback that sends more is told TX_FULL. */
#define DP_ENGINE_TX_SLOTS 1024
#define DP_ENGINE_SAMPLE_MASK 63    /* one message in 64 of unwatched instruments is timed */
#define DP_ENGINE_TIMER_MIN_NS 1000 /* a shorter timer would never let time pass */

/* One strategy and its window. */
struct dp_engine_seat {
    const struct dp_strategy *strategy;
    struct dp_gateway gateway;
    char (*symbols)[8];
    uint32_t symbol_count;
    uint32_t first_count;
    uint32_t opened[DP_FEED_CHANNELS_MAX]; /* of each channel, taken under first_count so far */
};

struct dp_engine;
struct dp_engine_session;

/* What is told of a channel of the feed, and which instruments are its own. A replay has one. */
struct dp_engine_channel {
    struct dp_engine *engine;
    uint32_t first; /* its instruments: so many from here on */
    uint32_t count;
    uint64_t ref_mark; /* set in its order references: another channel may use the same */
    uint8_t session;   /* event_code of the last System Event; 0 before the first */
    enum dp_engine_telling {
        DP_ENGINE_TELLS = 0,
        DP_ENGINE_TELLS_TRADES,  /* books are right, and late: their touch is told when they are not
                                  */
        DP_ENGINE_TELLS_NOTHING, /* books are being rebuilt */
    } telling;
};

/* The far end of the order path: a venue in memory, or a session with a real one. */
struct dp_engine_link {
    /* Takes one finished frame; false: not now, it stays in the ring. What has left is noted
     * (dp_engine_note_frame). */
    bool (*send)(struct dp_engine *engine, const struct dp_packet *packet, uint32_t user_ref_num);
    void (*drained)(struct dp_engine *engine); /* all that could go has gone; may be NULL */
    int64_t (*next_ns)(const struct dp_engine *engine); /* when it has to act; INT64_MAX: never */
    void (*advance)(struct dp_engine *engine, int64_t time_ns);
    /* A message of the market, before the books change; may be NULL. */
    void (*on_message)(struct dp_engine *engine, const struct dp_itch_message *message);
    void (*end)(struct dp_engine *engine); /* the session is over: ends what is open */
    void (*close)(struct dp_engine *engine);
};

/* Shadow orders of a live run; all zero: none. */
struct dp_engine_warm {
    struct dp_warm *shadow;
    int64_t after_ns; /* of nothing to do, until the first one and from one to the next */
    int64_t next_ns;
    uint32_t instrument_index; /* looked at last */
};

struct dp_engine {
    struct dp_engine_config config;
    const struct dp_engine_link *link;
    struct dp_shm shm;
    struct dp_region *region;
    struct dp_engine_status *status;
    struct dp_engine_page *page;
    struct dp_counters *counters;
    struct dp_recent *recent;
    struct dp_hist *hists[DP_STAGE_COUNT];
    struct dp_books *books;
    struct dp_orders *orders;
    struct dp_risk *risk;
    struct dp_commands *commands;
    struct dp_desks *desks; /* NULL: no orders from other processes */
    uint64_t posted_seen;   /* commands and changes that were looked at */
    uint64_t gate_seen;
    int64_t watched_ns;
    bool is_cancelling; /* switches call for cancels that the ring did not take yet */
    struct {
        uint64_t firm;
        uint64_t accounts[DP_RISK_ACCOUNTS_MAX];
        uint64_t strategies[DP_ENGINE_STRATEGIES_MAX];
        uint64_t sessions[DP_RISK_SESSIONS_MAX];
        uint64_t instrument;     /* of the command at hand */
    } marks_seen;                /* as journalled */
    struct dp_engine_kept *kept; /* switches to be set again */
    uint32_t kept_count;
    struct dp_clock clock;

    struct dp_submit submit;
    struct dp_template *enter_templates; /* one per instrument, made when it opens */
    uint8_t *template_ready;             /* one byte per instrument */
    struct dp_template replace_template;
    struct dp_template cancel_template;
    struct dp_wal wal;
    bool has_wal;
    struct dp_hold hold;    /* where orders wait for the disk */
    uint64_t waiting_noted; /* frames behind a record that must be on disk, so far */

    struct dp_card *card;        /* NULL: none */
    bool owns_card;              /* opened by the engine: a replay's */
    struct dp_port *order_wire;  /* behind the card; NULL: no card */
    struct dp_port *order_port;  /* our end */
    struct dp_port *venue_port;  /* the replay venue's end */
    struct dp_venue *venue;      /* NULL when the far end is a real one */
    struct dp_engine_live *live; /* NULL in a replay */
    struct dp_engine_warm warm;
    struct dp_capture_writer *tx_capture; /* NULL when no pcap was asked for */
    int tx_capture_status;
    struct dp_event_log events;
    struct dp_digest wire_digest;

    struct dp_feed *feed;
    struct dp_engine_channel channels[DP_FEED_CHANNELS_MAX]; /* all instruments are in one */
    uint32_t channel_count;

    struct dp_engine_limits *limits;
    uint32_t limits_count;
    struct dp_engine_seat seats[DP_ENGINE_STRATEGIES_MAX];
    uint32_t seat_count;
    uint8_t *watched_any;   /* one byte per instrument: some strategy watches it */
    uint8_t *journal_named; /* one byte per instrument: the journal knows its symbol */
    struct dp_top *tops;    /* last touch told to strategies, one per instrument */
    int64_t *marks;         /* last middle of a whole, uncrossed touch told; 0: none yet */

    /* From a journal: */
    bool is_adopted;
    uint64_t adopted_sequence;  /* of its last record */
    char (*adopted_symbols)[8]; /* by instrument; zero bytes: it names none there */
    uint32_t misnamed_count;    /* instruments that the feed names otherwise */

    int64_t now_ns;
    uint64_t tick_tsc; /* when the packet being worked on was taken; 0: not measured */
    uint64_t sample;
    bool stop_asked;
    bool started;
    bool finished;
};

/* dp_engine.c */
/* Journal, capture and strategies, at that time; the source is open. */
int dp_engine_begin(struct dp_engine *engine, int64_t now_ns, struct dp_err *err);

/* dp_engine_page.c */
void dp_engine_page_begin(struct dp_engine *engine);   /* texts; the journal is open */
void dp_engine_page_journal(struct dp_engine *engine); /* how far it is, and the time */
void dp_engine_page_session(struct dp_engine_page *page, const struct dp_engine_session *session);
void dp_engine_page_feeds(struct dp_engine_page *page, const struct dp_feed_channels *feeds);

/* dp_engine_card.c: all do nothing when there is no card, or one that cannot. */
/* Arms its filter and makes its kill switch that of the firm, before the first packet. */
int dp_engine_begin_card(struct dp_engine *engine, struct dp_err *err);
void dp_engine_halt_card(struct dp_engine *engine); /* the firm's switch may have changed */
void dp_engine_arm_card(struct dp_engine *engine, uint32_t instrument_index);
void dp_engine_disarm_card(struct dp_engine *engine); /* a new day: other numbers */

/* dp_engine_adopt.c */
/* Whether the feed calls that instrument what the journal called it; counted when not. */
bool dp_engine_is_named(struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol);

/* dp_engine_live.c */
/* A switch was set: no new order leaves any more, or the session is broken off. */
void dp_engine_live_kill(struct dp_engine *engine);
int64_t dp_engine_live_now(const struct dp_engine *engine); /* of the loop's present turn */
/* Of the day that a session of the feed which begins now belongs to. */
int64_t dp_engine_live_midnight(const struct dp_engine *engine);

/* dp_engine_channel.c */
void dp_engine_feed_handler(struct dp_engine_channel *channel, struct dp_feed_handler *handler);
/* counts: instruments of each channel, as of dp_engine_live_channel. */
int dp_engine_set_channels(
    struct dp_engine *engine, const uint32_t *counts, uint32_t channel_count, struct dp_err *err);
uint32_t dp_engine_channel_of(const struct dp_engine *engine, uint32_t instrument_index);
/* Behind the last of its instruments that the books know. */
uint32_t dp_engine_channel_end(const struct dp_engine_channel *channel);
/* From a channel's own numbers to those of the books. False: it has no such instrument; counted. */
bool dp_engine_place(const struct dp_engine_channel *channel, struct dp_itch_message *message);
void dp_engine_forget_instruments(const struct dp_engine_channel *channel);

/* dp_engine_feed.c */
bool dp_engine_decode_itch(
    struct dp_engine *engine, const uint8_t *data, size_t size, struct dp_itch_message *message);
void dp_engine_read_itch(struct dp_engine_channel *channel, const uint8_t *data, size_t size);
void dp_engine_open_instrument(
    struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol);
/* Every book of the channel that somebody watches. */
void dp_engine_tell_books(const struct dp_engine_channel *channel);
int dp_engine_open_feed(struct dp_engine *engine, const char *path, struct dp_err *err);

/* dp_engine_hold.c */
/* Which frames of the ring may leave: those before the returned count (of frames since it was
 * made). Where orders wait for the disk, that is as far as it has their records. Live, the rest
 * waits for a later turn; a replay's time stands still until the disk has all, so its speed changes
 * no event. When the disk has failed, new orders and replaces that it lacks are taken out again (an
 * empty slot, a NOT_SENT event); cancels stay. */
uint64_t dp_engine_hold(struct dp_engine *engine);
/* Whether that frame of the ring may leave, at this moment: no for an order that a switch refuses
 * which was set behind its decision. It stays until dp_engine_control() takes it out. */
bool dp_engine_may_leave(struct dp_engine *engine, const struct dp_packet *packet);
/* The session is lost, or a switch was set: new orders and replaces that still stand in the ring
 * are taken out again in the same way. */
#define DP_ENGINE_ALL_SESSIONS (-1)
void dp_engine_drop_unsent(struct dp_engine *engine, int session_index);

/* dp_engine_warm.c */
/* after_ns 0: no shadow orders. */
int dp_engine_open_warm(struct dp_engine *engine, int64_t after_ns, struct dp_err *err);
void dp_engine_close_warm(struct dp_engine *engine);
/* A turn of a live loop is over. Where nothing has happened for so long: one shadow order, and the
 * memory of each strategy's next order asked for. */
void dp_engine_keep_warm(struct dp_engine *engine, int64_t now_ns, bool is_idle);

/* dp_engine_replay.c */
int dp_engine_open_replay(struct dp_engine *engine, struct dp_err *err);

/* dp_engine_control.c */
/* Journals a change; time and policy version are filled in. */
void dp_engine_record(struct dp_engine *engine, struct dp_journal_control *control);
/* Takes commands, and notes switches that changed. Costs two loads when there is nothing. */
void dp_engine_control(struct dp_engine *engine);
/* Asks for the cancels that switches call for; what the ring does not take now is asked for again
 * in dp_engine_control. */
void dp_engine_cancel_killed(struct dp_engine *engine);
/* Journals a mark that is not as it was, once, and does what the mode asks for. */
void dp_engine_note_mark(
    struct dp_engine *engine, struct dp_risk_scope scope, struct dp_journal_control *control);
/* The feed was heard; once a second of its time profit and loss are looked at. */
void dp_engine_watch_risk(struct dp_engine *engine);

/* dp_engine_kept.c */
/* The journal is open, no strategy was called. */
void dp_engine_set_kept(struct dp_engine *engine);
/* A session of the feed is over, whose instruments are named anew: the switches of those from first
 * on hold for their symbols too, whatever numbers these get. The old numbers keep theirs. */
void dp_engine_carry_switches(struct dp_engine *engine, uint32_t first, uint32_t end);
/* The feed has named an instrument, no strategy was told. symbol: 8 bytes, space padded. */
void dp_engine_set_kept_instrument(
    struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol);

/* dp_engine_desk.c */
int dp_engine_place_desks(struct dp_engine *engine, struct dp_err *err);
/* Carries out what other processes have asked for; returns how many requests that were. */
uint32_t dp_engine_take_orders(struct dp_engine *engine);
/* The session is over: what still waits is refused. */
void dp_engine_close_desks(struct dp_engine *engine);

/* dp_engine_difference.c */
/* Counted, and done about as live.differences says. */
void dp_engine_contradicted(
    struct dp_engine *engine, enum dp_difference difference, uint32_t user_ref_num);

/* dp_engine_orders.c */
/* One event of the venue's, or about what was not sent: table, risk, journal, strategy. */
enum dp_order_result dp_engine_apply_report(struct dp_engine *engine, struct dp_event *event);
/* One OUCH message of the venue's: what it contradicts, and about which number. */
enum dp_difference dp_engine_read_ouch(
    struct dp_engine *engine, const uint8_t *data, size_t size, uint32_t *user_ref_num);
/* The machine's clock was set: no new order until a person says so. */
void dp_engine_clock_stepped(struct dp_engine *engine, int64_t step_ns);
/* A frame has left: counted, captured, timed. */
void dp_engine_note_frame(struct dp_engine *engine, const struct dp_packet *packet);
/* Hands finished frames to the link. */
void dp_engine_drain(struct dp_engine *engine);
/* Lets everything that is due up to and including time_ns happen in time order:
 * arrivals, answers, timers. */
void dp_engine_advance(struct dp_engine *engine, int64_t time_ns);
extern const struct dp_gateway_verbs dp_engine_verbs;

static inline void dp_engine_set_now(struct dp_engine *engine, int64_t time_ns)
{
    if (time_ns > engine->now_ns)
        engine->now_ns = time_ns;
    engine->submit.now_ns = engine->now_ns;
}

/* The gateway of a seat, ready for a callback. */
static inline struct dp_gateway *dp_engine_gateway(struct dp_engine *engine, uint32_t seat_index)
{
    struct dp_gateway *gateway = &engine->seats[seat_index].gateway;
    gateway->now_ns = engine->now_ns;
    dp_counter_add(engine->counters, DP_COUNTER_STRATEGY_CALLS, 1);
    return gateway;
}

#endif
