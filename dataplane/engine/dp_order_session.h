/*
 * dp_order_session - one order session kept alive: connect, log in, resume, heartbeats, loss, and
 * again.
 *
 *   DOWN -- its time has come --> CONNECTING -- open --> LOGIN -- accepted --> ACTIVE
 *     ^                                |                   |                     |
 *     +------------- lost: wait longer each time, up to a limit ----------------+
 *
 * It joins a stream (ports/dp_stream.h) to the SoupBinTCP session (proto/dp_soup_session.h), goes
 * through its addresses in turn, and tells the owner what happens. What the venue says for good (a
 * wrong password, an ended session, a break in the numbering) stops it: a person must look. One
 * thread; no call waits.
 */
#ifndef DP_ORDER_SESSION_H
#define DP_ORDER_SESSION_H

#include "dp_soup_session.h"
#include "dp_stream.h"

#define DP_ORDER_SESSION_ADDRESSES_MAX 4u

/* Host order. */
struct dp_order_session_address {
    uint32_t ip;
    uint16_t port;
};

enum dp_order_session_state {
    DP_ORDER_SESSION_DOWN = 0,
    DP_ORDER_SESSION_CONNECTING,
    DP_ORDER_SESSION_LOGIN,
    DP_ORDER_SESSION_ACTIVE,
    DP_ORDER_SESSION_STOPPED, /* for good: see `verdict` */
};

struct dp_order_session_config {
    struct dp_soup_session_config soup;
    struct dp_order_session_address addresses[DP_ORDER_SESSION_ADDRESSES_MAX];
    uint32_t address_count; /* the first is the primary: it is tried first after each loss */
    /* Begins to connect; which TCP is the caller's choice. NULL with err filled in when it cannot.
     */
    struct dp_stream *(*connect)(
        void *context, const struct dp_order_session_address *address, struct dp_err *err);
    void *connect_context;
    int64_t connect_timeout_ns; /* 0: 2 seconds */
    int64_t backoff_min_ns;     /* 0: 10 ms */
    int64_t backoff_max_ns;     /* 0: 5 seconds */
    uint64_t seed;              /* of the jitter: each wait is half to all of its time */
};

struct dp_order_session_handler {
    void *context;
    void (*on_login)(void *context); /* may send now; what was missed comes first */
    dp_soup_message_fn *on_message;  /* one sequenced message */
    /* The connection is gone; what was sent and not answered may or may not have arrived. */
    void (*on_lost)(void *context, enum dp_soup_session_verdict verdict, int error);
};

struct dp_order_session {
    struct dp_order_session_config config;
    struct dp_order_session_handler handler;
    struct dp_soup_session soup;
    struct dp_stream *stream;
    enum dp_order_session_state state;
    enum dp_soup_session_verdict verdict; /* of the last loss */
    int error;                            /* errno of the last loss; 0: the venue closed */
    int64_t next_ns;                      /* DOWN: when to try; CONNECTING: when to give up */
    uint32_t attempt;                     /* since it was last active */
    uint32_t address_index;
    uint64_t random;
    uint64_t login_count;
    uint64_t loss_count;
};

/* 0, or -EINVAL: no address, no connect, a name too long. Blank session, number 1. */
int dp_order_session_open(struct dp_order_session *session,
    const struct dp_order_session_config *config, const struct dp_order_session_handler *handler,
    struct dp_err *err);
/* Where the journal says it goes on; before the first poll. */
static inline void dp_order_session_resume(
    struct dp_order_session *session, const char *name, uint64_t sequence_next)
{
    dp_soup_session_resume(&session->soup, name, sequence_next);
}

/* Of the connection, or of the last one tried. */
static inline struct dp_order_session_address dp_order_session_address(
    const struct dp_order_session *session)
{
    return session->config.addresses[session->address_index];
}

/* Moves everything on; the handler is called inside. */
void dp_order_session_poll(struct dp_order_session *session, int64_t now_ns);
/* Whole SoupBinTCP packets of ours. False: not active, or no room now; nothing was taken. */
bool dp_order_session_send(
    struct dp_order_session *session, const uint8_t *data, size_t size, int64_t now_ns);
/* Breaks the connection off, with all that TCP has not sent: lost, and tried again in time. */
void dp_order_session_reset(struct dp_order_session *session, int64_t now_ns);
/* Tells the venue, and closes. The owner hears nothing more. */
void dp_order_session_close(struct dp_order_session *session);

#endif
