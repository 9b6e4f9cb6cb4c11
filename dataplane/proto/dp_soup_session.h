/*
 * dp_soup_session - the client's half of a SoupBinTCP 3.00 session: login, numbering, heartbeats,
 * silence, end. Pure: bytes and the time come in, bytes go out; whoever owns the socket calls.
 *
 *   OFFLINE -- connect --> LOGIN -- A --> ACTIVE -- Z --> ENDED
 *      ^                     |              |
 *      +------- lost --------+--------------+
 *
 * The server's sequenced packets carry no number: both sides count. What is durable is the
 * session's name and the next number expected, which the caller stores with whatever it made of the
 * message (journal), and gives back at the next connect: the server then sends what was missed.
 *
 * The caller's loop, once a connection is there: send what dp_soup_session_connect() wrote; give
 * what arrives to dp_soup_session_read(); call dp_soup_session_poll() about every 100 ms and send
 * what it wrote; dp_soup_session_note_sent() after each packet of its own. One thread.
 */
#ifndef DP_SOUP_SESSION_H
#define DP_SOUP_SESSION_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_SOUP_SESSION_NAME_SIZE 10
#define DP_SOUP_LOGIN_SIZE 49
#define DP_SOUP_HEARTBEAT_SIZE 3

enum dp_soup_session_state {
    DP_SOUP_OFFLINE = 0,
    DP_SOUP_LOGIN,  /* login sent, no answer yet */
    DP_SOUP_ACTIVE, /* unsequenced messages may be sent */
    DP_SOUP_ENDED,  /* the venue said so: this session can never be joined again */
};

/* What became of what was read, or of the time that passed. Anything but OK is final for the
 * connection: close the socket. */
enum dp_soup_session_verdict {
    DP_SOUP_SESSION_OK = 0,
    DP_SOUP_SESSION_ENDED,  /* Z: no more messages; reconcile, then log in to a new session */
    DP_SOUP_SESSION_DENIED, /* J A: user or password; trying again does not help */
    DP_SOUP_SESSION_GONE,   /* J S: no such session; log in with a blank name at number 1 */
    DP_SOUP_SESSION_OTHER, /* A with another session than was asked for: the old one ended unseen */
    DP_SOUP_SESSION_NUMBERING, /* A with another number than was asked for: messages are missing, or
                                  were taken back */
    DP_SOUP_SESSION_PROTOCOL,  /* bytes that are no SoupBinTCP, or a packet at the wrong time */
    DP_SOUP_SESSION_SILENT,    /* nothing came for silence_ns: the link is dead */
};

const char *dp_soup_session_words(enum dp_soup_session_verdict verdict);

struct dp_soup_session_config {
    char username[6 + 1]; /* at most 6 and 10 characters */
    char password[10 + 1];
    int64_t heartbeat_ns; /* send one after so long without a packet of ours; 0: a second */
    int64_t silence_ns;   /* the link is dead after so long without one of theirs; 0: 15 seconds */
};

struct dp_soup_session {
    struct dp_soup_session_config config;
    enum dp_soup_session_state state;
    char name[DP_SOUP_SESSION_NAME_SIZE]; /* as the venue wrote it; blank: the active one */
    uint64_t sequence_next;               /* of the next sequenced message */
    int64_t sent_ns;                      /* our last packet */
    int64_t heard_ns;                     /* the last byte of theirs */
};

/* 0, or -EINVAL: a name or password that is too long. Offline, blank session, number 1. */
int dp_soup_session_init(struct dp_soup_session *session,
    const struct dp_soup_session_config *config, struct dp_err *err);
/* Where a session that is known goes on: before connect. name: 10 bytes as in its A. */
void dp_soup_session_resume(
    struct dp_soup_session *session, const char *name, uint64_t sequence_next);
/* A connection is there: writes the login, DP_SOUP_LOGIN_SIZE bytes. */
size_t dp_soup_session_connect(struct dp_soup_session *session, uint8_t *out, int64_t now_ns);
/* The connection is gone, or was closed. An ended session stays ended. */
void dp_soup_session_lost(struct dp_soup_session *session);

/* One sequenced message. The number is counted (sequence_next) when this returns. */
typedef void dp_soup_message_fn(
    void *context, uint64_t sequence, const uint8_t *data, uint32_t size);

/* Takes whole packets off what has arrived, from its first byte; *used says how many bytes: keep
 * the rest and put what comes next behind it. Stops at the first verdict that is not OK. */
enum dp_soup_session_verdict dp_soup_session_read(struct dp_soup_session *session,
    const uint8_t *data, size_t size, int64_t now_ns, dp_soup_message_fn *on_message, void *context,
    size_t *used);
/* What time itself brings: SILENT, or a heartbeat of ours in out (*size bytes of
 * DP_SOUP_HEARTBEAT_SIZE; 0: nothing to send). */
enum dp_soup_session_verdict dp_soup_session_poll(
    struct dp_soup_session *session, int64_t now_ns, uint8_t *out, size_t *size);

static inline void dp_soup_session_note_sent(struct dp_soup_session *session, int64_t now_ns)
{
    session->sent_ns = now_ns;
}

#endif
