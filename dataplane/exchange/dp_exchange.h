/*
 * dp_exchange - one exchange to trade against: order sessions, matching, market data.
 *
 *   bytes of connections in  -> SoupBinTCP -> OUCH 5.0 -> dp_match -> OUCH, SoupBinTCP -> bytes out
 *                                                           `-> ITCH 5.0, MoldUDP64 -> datagrams
 * out
 *
 * A pure function of its calls: time is an argument that never goes back, sockets are the host's
 * (server/dp_server.h has one). The same calls give the same bytes. What the exchange does with
 * each request is docs/venue.md's subject.
 *
 * The host: dp_exchange_connect() for each accepted connection; dp_exchange_receive() with what was
 * read, in pieces of any size; dp_exchange_advance() after each round of reading and whenever
 * dp_exchange_next_ns() has come; then dp_exchange_take_ready() until none is left, sending
 * dp_exchange_output() of each, and dp_exchange_pop_datagram() of each line.
 *
 * One thread. Memory: dp_exchange_open() takes nearly all; what is kept for readers (reports of
 * each account, market data) and delayed reports grow up to their limits.
 */
#ifndef DP_EXCHANGE_H
#define DP_EXCHANGE_H

#include "dp_exchange_fault.h"
#include "dp_exchange_feed.h"
#include "dp_exchange_note.h"
#include "dp_exchange_tape.h"
#include "dp_match.h"

#define DP_EXCHANGE_NONE UINT32_MAX
#define DP_EXCHANGE_ACCOUNTS_MAX 4096u
#define DP_EXCHANGE_CONNECTIONS_MAX 65536u
#define DP_EXCHANGE_REQUEST_MAX 256u /* bytes: no OUCH message with all its options is longer */

struct dp_exchange_config {
    uint8_t index;    /* of this exchange in its process, for the record of truth */
    char session[10]; /* of order entry and market data, padded on the left */
    int64_t midnight_ns;
    int64_t order_latency_ns;  /* from a request's arrival to the book */
    int64_t report_latency_ns; /* from a decision to its report's way out */
    int64_t heartbeat_ns;
    int64_t silence_ns; /* a client silent for longer is cut off */
    int64_t login_ns;   /* and one that does not log in by then */
    int64_t
        imbalance_ns; /* between two imbalance messages while orders collect; 0: none are said */
    uint32_t connection_count_max;
    uint32_t account_count_max;
    uint32_t instrument_count_max;
    uint32_t order_count_max; /* live at a time */
    uint64_t store_bytes_max; /* reports kept for each account, and market data */
    uint64_t slow_bytes_max;  /* a client further behind is cut off */
    uint32_t packet_size_max; /* of market data */
    uint64_t seed;
    bool dark;              /* shows no orders; every order is pegged to the midpoint elsewhere */
    bool newest_login_wins; /* a second login ends the first one, else it is refused */
};

struct dp_exchange_account_config {
    char user[6]; /* lower case, padded with spaces */
    char password[10];
    char firm[4];
    uint32_t fee_class;
    uint32_t stp_group; /* 0: trades with itself */
    uint8_t stp_mode;   /* enum dp_match_stp_mode */
    bool cancel_on_disconnect;
    bool locate_required; /* a short sale says that its shares are located, or is rejected */
    bool no_login;        /* of background flow */
    uint32_t requests_per_second; /* more are rejected; 0: no limit */
};

struct dp_exchange_stats {
    uint64_t requests;
    uint64_t orders; /* accepted */
    uint64_t rejected;
    uint64_t ignored; /* silently, as the protocol says */
    uint64_t trades;
    uint64_t cancels;
    uint64_t malformed;
    uint64_t reports;
    uint64_t logins;
    uint64_t connections;      /* accepted so far */
    uint32_t connection_count; /* now */
    uint32_t order_count;      /* live */
    uint64_t notes_lost;
};

/* Values are ITCH's reg_sho_action. */
enum dp_exchange_short_sale {
    DP_EXCHANGE_SHORT_SALE_FREE = '0',
    DP_EXCHANGE_SHORT_SALE_RESTRICTED = '1', /* since today */
    DP_EXCHANGE_SHORT_SALE_REMAINS = '2',    /* since before today */
};

enum dp_exchange_port { DP_EXCHANGE_PORT_ORDERS, DP_EXCHANGE_PORT_SNAPSHOT };

struct dp_exchange; /* opaque */

struct dp_exchange *dp_exchange_open(const struct dp_exchange_config *config, struct dp_err *err);
void dp_exchange_close(struct dp_exchange *exchange); /* NULL is fine */
/* Each returns the new index, or -errno with err filled. Account 0 is the house's own, which trades
 * when a fault wants a trade. instrument->dark and ->quoted are set by
 * config.dark. Its stock locate on the feed is its index + 1. */
int64_t dp_exchange_add_instrument(struct dp_exchange *exchange, const char symbol[8],
    const struct dp_match_instrument *instrument, struct dp_err *err);
int64_t dp_exchange_add_account(struct dp_exchange *exchange,
    const struct dp_exchange_account_config *config, struct dp_err *err);
int dp_exchange_set_fees(struct dp_exchange *exchange, uint32_t fee_class,
    const struct dp_match_fee_tier *tiers, uint32_t tier_count, struct dp_err *err);
/* A dark exchange takes the midpoints of `lit`, instrument by symbol, from now on. Both live in one
 * thread; `lit` tells `dark` after each of its calls. At most one follower. */
void dp_exchange_follow(struct dp_exchange *dark, struct dp_exchange *lit);
/* Announces the day: what a feed says before the first order, and OUCH's start of day. Once, before
 * anything else. */
void dp_exchange_start(struct dp_exchange *exchange, int64_t now_ns);

/* ---- connections ---- */

/* DP_EXCHANGE_NONE: full, close it. */
uint32_t dp_exchange_connect(
    struct dp_exchange *exchange, enum dp_exchange_port port, int64_t now_ns);
void dp_exchange_receive(struct dp_exchange *exchange, uint32_t connection, const uint8_t *data,
    size_t size, int64_t now_ns);
/* The connection is gone: the peer closed it, or the host did because it was over. */
void dp_exchange_closed(struct dp_exchange *exchange, uint32_t connection, int64_t now_ns);
/* The next connection with something to send, to end, or to read again; DP_EXCHANGE_NONE. */
uint32_t dp_exchange_take_ready(struct dp_exchange *exchange);
/* Bytes to send now; 0: none. After sending some: dp_exchange_sent(). */
size_t dp_exchange_output(struct dp_exchange *exchange, uint32_t connection, const uint8_t **data);
void dp_exchange_sent(
    struct dp_exchange *exchange, uint32_t connection, size_t size, int64_t now_ns);
bool dp_exchange_is_over(const struct dp_exchange *exchange, uint32_t connection); /* close it */
/* Its bytes are to stay unread: a fault that was asked for. */
bool dp_exchange_is_paused(const struct dp_exchange *exchange, uint32_t connection);

/* ---- time ---- */

void dp_exchange_advance(struct dp_exchange *exchange, int64_t now_ns);
int64_t dp_exchange_next_ns(const struct dp_exchange *exchange); /* INT64_MAX: nothing waits */

/* ---- market data ---- */

const uint8_t *dp_exchange_pop_datagram(
    struct dp_exchange *exchange, uint32_t line, int64_t now_ns, uint32_t *size);
/* Answers a retransmission request; reply: DP_EXCHANGE_PACKET_MAX bytes; 0: by silence. */
uint32_t dp_exchange_reply(struct dp_exchange *exchange, const uint8_t *request, size_t size,
    uint8_t *reply, int64_t now_ns);
void dp_exchange_set_line(
    struct dp_exchange *exchange, uint32_t line, const struct dp_exchange_line_config *config);
/* Best bid and offer; DP_PRICE_NONE where there is none. */
void dp_exchange_touch(const struct dp_exchange *exchange, uint32_t instrument_index,
    int64_t *bid_nanos, int64_t *ask_nanos);

/* ---- the operator ---- */

/* A request of an account that needs no connection: background flow. */
void dp_exchange_request(struct dp_exchange *exchange, uint32_t account, const uint8_t *data,
    uint32_t size, int64_t now_ns);
/* What the account has been told: numbered OUCH messages, each behind the letter S. */
const struct dp_exchange_store *dp_exchange_reports(
    const struct dp_exchange *exchange, uint32_t account);
/* instrument_index: DP_EXCHANGE_NONE for all. */
void dp_exchange_set_session(struct dp_exchange *exchange, uint32_t instrument_index,
    enum dp_match_session session, int64_t now_ns);
/* Pre-cross freeze: cancels of orders for the cross are held until the session changes. */
void dp_exchange_freeze(struct dp_exchange *exchange, uint32_t instrument_index);
/* Regulation SHO, Rule 201: while restricted, a short sale neither trades nor stands at the best
 * bid or below. Before the start: what the day begins with. */
void dp_exchange_set_short_sale(struct dp_exchange *exchange, uint32_t instrument_index,
    enum dp_exchange_short_sale state, int64_t now_ns);
/* account: DP_EXCHANGE_NONE for all. */
void dp_exchange_set_fault(struct dp_exchange *exchange, uint32_t account,
    enum dp_exchange_fault fault, int64_t value, int64_t now_ns);
/* Takes a trade back: both sides and the feed are told. False: no such trade among the last ones.
 */
bool dp_exchange_break(
    struct dp_exchange *exchange, uint64_t match_number, char reason, int64_t now_ns);
/* The day is over: open orders end, end of day and of session are said; sessions then end. */
void dp_exchange_end(struct dp_exchange *exchange, int64_t now_ns);
/* False when there is none. */
bool dp_exchange_take_note(struct dp_exchange *exchange, struct dp_exchange_note *note);
struct dp_exchange_tape *dp_exchange_tape(struct dp_exchange *exchange);
struct dp_exchange_stats dp_exchange_stats(const struct dp_exchange *exchange);
const struct dp_match *dp_exchange_match(const struct dp_exchange *exchange);

#endif
