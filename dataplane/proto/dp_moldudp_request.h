/*
 * dp_moldudp_request - asking a MoldUDP64 re-request server for what both lines lost.
 *
 * Pure: it looks at the feed's first hole and the time, and writes the request that is due. A reply
 * is an ordinary packet: what answers a request (dp_moldudp_requester_asked()) goes into the feed
 * like any other, whenever it comes and however little it holds. There is no negative reply:
 * silence is answered by asking again, in turn each server, until tries_max; then the feed's own
 * gap_timeout_ns gives the hole up. One thread.
 */
#ifndef DP_MOLDUDP_REQUEST_H
#define DP_MOLDUDP_REQUEST_H

#include "dp_moldudp.h"

#define DP_MOLDUDP_REQUEST_SIZE 20
#define DP_MOLDUDP_REQUEST_COUNT_MAX 65534u

struct dp_moldudp_request_config {
    int64_t wait_ns;     /* a hole is left alone so long: the other line may fill it */
    int64_t retry_ns;    /* without progress, ask again after so long */
    int64_t interval_ns; /* between any two requests: the server's limit */
    uint32_t tries_max;  /* requests without progress before this hole is left alone */
    uint16_t count_max;  /* messages asked for at once: the window */
    uint16_t server_count;
};

struct dp_moldudp_requester {
    struct dp_moldudp_request_config config;
    uint64_t first_asked; /* the hole's beginning when it was asked for last */
    int64_t asked_ns;
    uint32_t tries; /* requests since it last moved */
    bool has_asked;
    uint64_t last_asked; /* the highest number ever asked for in that session */
    uint8_t session[DP_MOLDUDP_SESSION_SIZE]; /* of the last request */
    uint64_t request_count;                   /* ever written */
    uint64_t given_up_count;                  /* holes left alone after tries_max */
};

/* 0, or -EINVAL with the field and the value. */
int dp_moldudp_requester_init(struct dp_moldudp_requester *requester,
    const struct dp_moldudp_request_config *config, struct dp_err *err);
/* The request that is due: DP_MOLDUDP_REQUEST_SIZE bytes in out, for the server with the number
 * *server; 0 when none is. */
size_t dp_moldudp_requester_poll(struct dp_moldudp_requester *requester,
    const struct dp_moldudp_feed *feed, int64_t now_ns, uint8_t *out, uint32_t *server);
/* Whether that packet answers something that was asked for, now or before: messages of the feed's
 * session up to the last number asked for. Anything else a server could only be wrong about. */
bool dp_moldudp_requester_asked(const struct dp_moldudp_requester *requester,
    const struct dp_moldudp_feed *feed, const uint8_t *data, size_t size);

#endif
