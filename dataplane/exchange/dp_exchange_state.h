/*
 * dp_exchange_state - what the files of dp_exchange share; for dp_exchange*.c only.
 *
 *   dp_exchange.c           open and close, instruments and accounts
 *   dp_exchange_time.c      what is due, and what goes out to the lines
 *   dp_exchange_session.c   connections: beginning, end, heartbeats, output
 *   dp_exchange_login.c     connections: packets out of the stream, logins
 *   dp_exchange_request.c   OUCH requests: who may ask what, numbers, latency
 *   dp_exchange_enter.c     Enter and Replace
 *   dp_exchange_cancel.c    Cancel, Modify, the mass requests
 *   dp_exchange_terms.c     options of an order, in the engine's words
 *   dp_exchange_order.[ch]  records of live orders
 *   dp_exchange_market.c    what the engine reports, for owners
 *   dp_exchange_show.c      what the feed shows of it
 *   dp_exchange_imbalance.c what it says while orders collect
 *   dp_exchange_short.c     short sales: locates and the price test
 *   dp_exchange_report.c    OUCH reports: their way out, and what a fault does to them
 *   dp_exchange_snapshot.c  the books as a stream of their own
 *   dp_exchange_operate.c   sessions of the day, faults, broken trades, the end
 */
#ifndef DP_EXCHANGE_STATE_H
#define DP_EXCHANGE_STATE_H

#include "dp_exchange.h"
#include "dp_exchange_order.h"
#include "dp_ouch.h"
#include "dp_ouch_codes.h"
#include "dp_pool.h"
#include "dp_soup_server.h"

#define DP_EXCHANGE_TICK_NS 50000000 /* how often heartbeats and silences are looked at */
#define DP_EXCHANGE_NOTES_HELD 1024u
#define DP_EXCHANGE_TRADES_HELD 8192u /* that can still be broken */
#define DP_EXCHANGE_ENGINE_REPORTS 1024u
#define DP_EXCHANGE_CONTROL_SIZE 128u /* an answer to a login, heartbeats, the end */
#define DP_EXCHANGE_HOUSE 0           /* the account that faults trade with; nobody logs in to it */
#define DP_EXCHANGE_NO_ACCOUNT DP_EXCHANGE_TAPE_NO_ACCOUNT
/* Longest report: the longest fixed part and the options of its order. */
#define DP_EXCHANGE_REPORT_MAX (DP_OUCH_FIXED_MAX + DP_EXCHANGE_REQUEST_MAX)

enum dp_exchange_connection_state {
    DP_EXCHANGE_FREE = 0,
    DP_EXCHANGE_GREETING, /* no login yet */
    DP_EXCHANGE_LIVE,
    DP_EXCHANGE_ENDING, /* what is queued is still sent */
    DP_EXCHANGE_OVER,   /* nothing is: the host closes it */
};

struct dp_exchange_connection {
    uint8_t state;      /* enum dp_exchange_connection_state */
    uint8_t port;       /* enum dp_exchange_port */
    uint8_t ended;      /* enum dp_exchange_note_kind: why */
    bool ready;         /* in the queue of take_ready */
    bool end_after;     /* say end of session when all reports are sent */
    bool garbage_after; /* or a packet of no known type */
    uint32_t account;   /* DP_EXCHANGE_NONE before login */
    uint32_t ready_next;
    uint32_t pending_size;
    uint32_t control_size;
    uint32_t control_sent;
    int64_t opened_ns;
    int64_t heard_ns;
    int64_t said_ns;
    struct dp_exchange_store *store; /* what it reads: its account's reports, or its own snapshot */
    struct dp_exchange_cursor cursor;          /* the first byte not yet sent */
    uint8_t control[DP_EXCHANGE_CONTROL_SIZE]; /* sent before the store goes on */
    uint8_t pending[DP_EXCHANGE_MESSAGE_MAX];  /* the beginning of a packet */
};

/* A report whose time has not come. */
struct dp_exchange_delayed {
    int64_t due_ns;
    uint32_t size;
    uint8_t bytes[DP_EXCHANGE_REPORT_MAX];
};

struct dp_exchange_delay_queue {
    struct dp_exchange_delayed *entries; /* ring of mask + 1; NULL until first used */
    uint64_t mask;
    uint64_t head;
    uint64_t tail;
    int64_t last_due_ns;
};

struct dp_exchange_account {
    struct dp_exchange_account_config config;
    uint32_t connection; /* DP_EXCHANGE_NONE: not logged in */
    bool disabled;       /* by its own request: no new orders */
    char session[DP_SOUP_SERVER_SESSION_SIZE];
    struct dp_exchange_store *store;
    struct dp_exchange_order_list orders;
    struct dp_exchange_faults faults;
    struct dp_exchange_delay_queue delay;
    uint32_t swapped_size; /* of a report that the next one is to overtake; 0: none */
    uint8_t swapped[DP_EXCHANGE_REPORT_MAX];
    int64_t second_began_ns; /* of the throttle */
    uint32_t second_count;
    uint32_t user_ref_num_last[256]; /* by sub-channel */
};

/* A request on its way to the book. */
struct dp_exchange_arrival {
    int64_t due_ns;
    uint32_t account;
    uint32_t size;
    uint8_t bytes[DP_EXCHANGE_REQUEST_MAX];
};

struct dp_exchange_instrument {
    char symbol[8];
    int64_t tick_nanos;
    bool frozen;            /* before a cross */
    char short_sale;        /* enum dp_exchange_short_sale */
    uint8_t session;        /* enum dp_match_session */
    uint8_t session_before; /* tells what a cross is one of */
    int64_t bid_nanos;      /* last touch told to the follower */
    int64_t ask_nanos;
    int64_t imbalance_due_ns; /* INT64_MAX: none is */
    uint32_t twin;            /* index of the same symbol at the follower; DP_EXCHANGE_NONE */
};

struct dp_exchange_party {
    uint32_t account;
    uint32_t user_ref_num;
    uint32_t qty;
    uint8_t user_ref_idx;
    char cl_ord_id[14];
};

struct dp_exchange_trade {
    uint64_t match_number; /* 0: none, or broken */
    uint32_t instrument_index;
    struct dp_exchange_party parties[2];
};

/* The order that the engine is being told of, and what its acceptance has to say besides. */
struct dp_exchange_entry {
    uint32_t record;
    const struct dp_ouch_message *request; /* for its options */
    uint32_t orig_user_ref_num;            /* of a Replace; 0: an Enter */
};

struct dp_exchange {
    struct dp_exchange_config config;
    struct dp_exchange_stats stats;
    int64_t now_ns;
    int64_t tick_ns;          /* next look at heartbeats and silences */
    int64_t imbalance_due_ns; /* the earliest of all instruments */
    bool started;
    bool ended;

    struct dp_match *match;
    struct dp_match_sink sink;
    struct dp_match_report engine_reports[DP_EXCHANGE_ENGINE_REPORTS];
    const struct dp_exchange_entry *entry; /* NULL between entries */
    /* While an order is replaced: the cancel of the old one is not reported, and what the feed
     * shows of it passes to the new one. */
    uint32_t quiet_record;
    uint32_t quiet_successor;
    char cancel_reason; /* of cancels asked of the engine; 0: what its own reason says */
    struct dp_exchange *follower;
    struct dp_exchange_instrument *instruments;
    uint32_t instrument_count;

    struct dp_exchange_orders orders;
    uint64_t order_ref_next;
    uint64_t symbol_mask; /* symbols[hash]: index + 1, 0 empty */
    uint32_t *symbols;

    struct dp_exchange_account *accounts;
    uint32_t account_count;
    struct dp_exchange_connection *connections;
    struct dp_pool *connection_pool;
    uint32_t connection_high; /* no connection in use from here on */
    uint32_t ready_first;
    uint32_t ready_last;

    struct dp_exchange_arrival *arrivals; /* ring, grown when full */
    uint64_t arrival_mask;
    uint64_t arrival_head;
    uint64_t arrival_tail;
    uint64_t delayed_count; /* of all accounts */

    struct dp_exchange_feed feed;
    struct dp_exchange_tape tape;
    struct dp_exchange_trade *trades; /* by match number */
    struct dp_exchange_note notes[DP_EXCHANGE_NOTES_HELD];
    uint64_t note_head;
    uint64_t note_tail;
    uint32_t session_number; /* of sequence resets */
};

/* Time never goes back, whatever the host's clock does. */
static inline void dp_exchange_set_now(struct dp_exchange *exchange, int64_t now_ns)
{
    exchange->now_ns = now_ns > exchange->now_ns ? now_ns : exchange->now_ns;
}

/* dp_exchange.c */

void dp_exchange_say(struct dp_exchange *exchange, enum dp_exchange_note_kind kind,
    uint32_t connection, uint32_t account, uint8_t detail);
/* The instrument of an 8-byte symbol, DP_EXCHANGE_NONE. */
uint32_t dp_exchange_find_symbol(const struct dp_exchange *exchange, const char symbol[8]);
/* A record of truth about an account or none (DP_EXCHANGE_NONE). */
void dp_exchange_record(struct dp_exchange *exchange, enum dp_exchange_tape_kind kind,
    uint32_t account, uint32_t connection, uint64_t sequence, const uint8_t *data, uint32_t size);
void dp_exchange_publish(struct dp_exchange *exchange, struct dp_itch_message *message);

/* dp_exchange_session.c */

void dp_exchange_make_ready(struct dp_exchange *exchange, uint32_t connection);
/* Ends a connection: at once, or when all that is queued is sent. Says why. */
void dp_exchange_hang_up(struct dp_exchange *exchange, uint32_t connection,
    enum dp_exchange_note_kind why, uint8_t detail, bool at_once);
void dp_exchange_watch(
    struct dp_exchange *exchange); /* heartbeats, silences, logins that never come */
/* Queues a packet outside the numbering; false when the connection is in the middle of others. */
bool dp_exchange_control(
    struct dp_exchange *exchange, uint32_t connection, const uint8_t *data, uint32_t size);

/* dp_exchange_request.c */

/* A request that has arrived at the port: to the book after its latency. Without bytes it says that
 * the account's connection is gone. */
void dp_exchange_arrive(
    struct dp_exchange *exchange, uint32_t account, const uint8_t *data, uint32_t size);
void dp_exchange_work_arrivals(struct dp_exchange *exchange);
void dp_exchange_reject(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx, uint16_t code);

/* dp_exchange_enter.c, dp_exchange_cancel.c */

void dp_exchange_enter(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx);
void dp_exchange_replace(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx);
void dp_exchange_cancel(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx);
void dp_exchange_modify(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx);
void dp_exchange_mass_cancel(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx);
/* Disable ('D') and enable ('E') order entry. */
void dp_exchange_able(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx);
void dp_exchange_cancel_all(struct dp_exchange *exchange, uint32_t account, char reason);
/* Cancels that waited for a cross of this instrument. */
void dp_exchange_cancel_waiting(struct dp_exchange *exchange, uint32_t instrument_index);

/* dp_exchange_terms.c */

struct dp_exchange_terms {
    struct dp_match_order order;
    struct dp_match_terms terms;
    uint32_t expire_seconds;
    uint16_t group_id;
    bool is_located; /* option 25 */
    bool
        is_barred; /* a short sale that may neither trade nor stand: it is accepted and cancelled */
};

/* The sub-channel that a message names; 0 when it names none. */
uint8_t dp_exchange_user_ref_idx(const struct dp_ouch_message *request);
/* Fills *terms from what an Enter and a Replace have in common; 0, or the code it is to be rejected
 * with. cross_type: of the order, which a Replace does not say again. */
uint16_t dp_exchange_read_terms(const struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, char cross_type, struct dp_exchange_terms *terms);

/* dp_exchange_market.c */

/* After each call of the engine: what it reported goes to owners and the feed. */
void dp_exchange_settle(struct dp_exchange *exchange);
/* Whether the engine's reports, not settled yet, refuse the order: the reason, else 0. */
uint8_t dp_exchange_refused(const struct dp_exchange *exchange);
uint16_t dp_exchange_reject_code(
    const struct dp_exchange *exchange, uint32_t instrument_index, uint8_t reason);
/* An order's terms in an answer, with the options that it was entered with. */
struct dp_ouch_message dp_exchange_order_message(const struct dp_exchange *exchange,
    const struct dp_exchange_order *order, const struct dp_ouch_message *request);

/* dp_exchange_show.c */

/* What the feed shows of an order becomes this quantity at this price; 0: nothing. */
void dp_exchange_show(struct dp_exchange *exchange, struct dp_exchange_order *order,
    uint64_t display_qty, int64_t price_nanos);
/* The order to be replaced passes what is shown of it on; the next show makes a replace of it. */
void dp_exchange_pass_on(struct dp_exchange_order *from, struct dp_exchange_order *to);
/* A trade of an order that rested, as the feed tells it. */
void dp_exchange_show_trade(struct dp_exchange *exchange, struct dp_exchange_order *order,
    const struct dp_match_report *report);
uint8_t dp_exchange_state_code(enum dp_match_session session); /* ITCH's trading state */
void dp_exchange_show_session(
    struct dp_exchange *exchange, uint32_t instrument_index, enum dp_match_session session);
void dp_exchange_show_auction(struct dp_exchange *exchange, const struct dp_match_report *report);
void dp_exchange_show_directory(struct dp_exchange *exchange, uint32_t instrument_index);
void dp_exchange_show_short_sale(struct dp_exchange *exchange, uint32_t instrument_index);

/* dp_exchange_imbalance.c */

/* The instrument is in another session: imbalances are due from now on, or no more. */
void dp_exchange_schedule_imbalance(struct dp_exchange *exchange, uint32_t instrument_index);
void dp_exchange_say_imbalances(struct dp_exchange *exchange); /* those that are due */

/* dp_exchange_short.c */

/* 0, or the code the order is to be rejected with. Moves the price of a short sale that may not be
 * where it wants to be, or bars it. */
uint16_t dp_exchange_test_short_sale(const struct dp_exchange *exchange, uint32_t account,
    uint32_t instrument_index, char side, struct dp_exchange_terms *terms);
/* Whether a Modify may make a short sale of a sale. */
bool dp_exchange_may_sell_short(
    const struct dp_exchange *exchange, uint32_t account, const struct dp_ouch_message *request);

/* dp_exchange_report.c */

void dp_exchange_report(
    struct dp_exchange *exchange, uint32_t account, struct dp_ouch_message *message);
/* As above, naming the sub-channel when there is one. */
void dp_exchange_report_on(struct dp_exchange *exchange, uint32_t account, uint8_t user_ref_idx,
    struct dp_ouch_message *message);
/* About an order, to its owner, under its number. */
void dp_exchange_report_owner(struct dp_exchange *exchange, const struct dp_exchange_order *order,
    struct dp_ouch_message *message);
void dp_exchange_report_cancelled(
    struct dp_exchange *exchange, const struct dp_exchange_order *order, uint32_t qty, char reason);
void dp_exchange_send_delayed(struct dp_exchange *exchange);
int64_t dp_exchange_delayed_next_ns(const struct dp_exchange *exchange);
void dp_exchange_system_event(struct dp_exchange *exchange, uint32_t account, char event_code);

/* dp_exchange_operate.c */

/* Trades against the order with the house account until it is gone or nothing trades. */
void dp_exchange_fill(struct dp_exchange *exchange, const struct dp_exchange_order *order);

/* dp_exchange_snapshot.c */

struct dp_exchange_store *dp_exchange_snapshot(struct dp_exchange *exchange);

/* ITCH's cross type of the auction that ends a session. */
static inline char dp_exchange_cross_code(uint8_t session)
{
    return session == DP_MATCH_PRE_OPEN ? 'O' : session == DP_MATCH_PRE_CLOSE ? 'C' : 'H';
}
static inline uint32_t dp_exchange_account_of(const struct dp_exchange_order *order)
{
    return (uint32_t)(order->key >> 40);
}
static inline uint8_t dp_exchange_idx_of(const struct dp_exchange_order *order)
{
    return (uint8_t)(order->key >> 32);
}
static inline uint32_t dp_exchange_number_of(const struct dp_exchange_order *order)
{
    return (uint32_t)order->key;
}

#endif
