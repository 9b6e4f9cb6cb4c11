#include "dp_order_session.h"

#include <errno.h>

#include "dp_soup.h"

#define CONNECT_TIMEOUT_DEFAULT_NS 2000000000ll
#define BACKOFF_MIN_DEFAULT_NS 10000000ll
#define BACKOFF_MAX_DEFAULT_NS 5000000000ll
#define BACKOFF_SHIFT_MAX 30u
#define DENIED_TRIES 8u

int dp_order_session_open(struct dp_order_session *session,
    const struct dp_order_session_config *config, const struct dp_order_session_handler *handler,
    struct dp_err *err)
{
    if (config->address_count == 0 || config->address_count > DP_ORDER_SESSION_ADDRESSES_MAX)
        return dp_err_set(err, EINVAL, "order session: %u addresses; give 1 to %u",
            config->address_count, DP_ORDER_SESSION_ADDRESSES_MAX);
    *session = (struct dp_order_session){
        .config = *config, .handler = *handler, .random = config->seed | 1};
    if (session->config.connect_timeout_ns == 0)
        session->config.connect_timeout_ns = CONNECT_TIMEOUT_DEFAULT_NS;
    if (session->config.backoff_min_ns == 0)
        session->config.backoff_min_ns = BACKOFF_MIN_DEFAULT_NS;
    if (session->config.backoff_max_ns == 0)
        session->config.backoff_max_ns = BACKOFF_MAX_DEFAULT_NS;
    return dp_soup_session_init(&session->soup, &config->soup, err);
}

/* ---- loss ---- */

static uint64_t draw(struct dp_order_session *session)
{
    session->random ^= session->random >> 12;
    session->random ^= session->random << 25;
    session->random ^= session->random >> 27;
    return session->random * 0x2545f4914f6cdd1dull;
}

/* Twice as long each time, up to the limit; half of it by chance, so that many sessions that were
 * lost together do not come back together. */
static int64_t backoff_ns(struct dp_order_session *session)
{
    uint32_t shift = session->attempt < BACKOFF_SHIFT_MAX ? session->attempt : BACKOFF_SHIFT_MAX;
    int64_t wait_ns = session->config.backoff_max_ns;
    if (session->config.backoff_min_ns <= wait_ns >> shift)
        wait_ns = session->config.backoff_min_ns << shift;
    return wait_ns / 2 + (int64_t)(draw(session) % (uint64_t)(wait_ns / 2 + 1));
}

/* Trying again does not mend these. But a venue that has let us in before may deny a login because
 * it has not seen yet that the connection before is gone. */
static bool is_final(const struct dp_order_session *session, enum dp_soup_session_verdict verdict)
{
    if (verdict == DP_SOUP_SESSION_DENIED)
        return session->login_count == 0 || session->attempt >= DENIED_TRIES;
    return verdict == DP_SOUP_SESSION_ENDED || verdict == DP_SOUP_SESSION_GONE ||
        verdict == DP_SOUP_SESSION_OTHER || verdict == DP_SOUP_SESSION_NUMBERING;
}

/* What TCP holds goes with the connection: the next login settles what the venue has, and nothing
 * may arrive there behind it. */
static void lose(struct dp_order_session *session, enum dp_soup_session_verdict verdict, int error,
    int64_t now_ns)
{
    if (session->stream != NULL)
        dp_stream_reset(session->stream);
    session->stream = NULL;
    dp_soup_session_lost(&session->soup);
    session->verdict = verdict;
    session->error = error;
    session->loss_count++;
    session->next_ns = now_ns + backoff_ns(session);
    session->attempt++;
    session->state = is_final(session, verdict) ? DP_ORDER_SESSION_STOPPED : DP_ORDER_SESSION_DOWN;
    session->handler.on_lost(session->handler.context, verdict, error);
}

/* ---- connecting ---- */

static void begin(struct dp_order_session *session, int64_t now_ns)
{
    struct dp_err err = {0};
    const struct dp_order_session_config *config = &session->config;
    uint32_t index = session->attempt % config->address_count;
    session->address_index = index;
    session->stream = config->connect(config->connect_context, &config->addresses[index], &err);
    if (session->stream == NULL) {
        lose(session, DP_SOUP_SESSION_OK, err.code, now_ns);
        return;
    }
    session->state = DP_ORDER_SESSION_CONNECTING;
    session->next_ns = now_ns + config->connect_timeout_ns;
}

static void log_in(struct dp_order_session *session, int64_t now_ns)
{
    uint8_t login[DP_SOUP_LOGIN_SIZE];
    size_t size = dp_soup_session_connect(&session->soup, login, now_ns);
    session->state = DP_ORDER_SESSION_LOGIN;
    dp_stream_send(session->stream, login, size); /* the first bytes: there is room */
}

static void poll_connecting(struct dp_order_session *session, int64_t now_ns)
{
    enum dp_stream_state state = dp_stream_poll(session->stream);
    if (state == DP_STREAM_OPEN)
        log_in(session, now_ns);
    else if (state == DP_STREAM_CLOSED)
        lose(session, DP_SOUP_SESSION_OK, dp_stream_error(session->stream), now_ns);
    else if (now_ns >= session->next_ns)
        lose(session, DP_SOUP_SESSION_OK, ETIMEDOUT, now_ns);
}

/* ---- connected ---- */

static enum dp_soup_session_verdict read_stream(struct dp_order_session *session, int64_t now_ns)
{
    const uint8_t *data;
    size_t used = 0;
    size_t size = dp_stream_peek(session->stream, &data);
    if (size == 0)
        return DP_SOUP_SESSION_OK;
    enum dp_soup_session_verdict verdict = dp_soup_session_read(&session->soup, data, size, now_ns,
        session->handler.on_message, session->handler.context, &used);
    dp_stream_consume(session->stream, used);
    return verdict;
}

/* The answer to the login and what follows it may come in one piece: the owner hears of the login
 * after that piece, which is before it can have sent anything. */
static void note_login(struct dp_order_session *session)
{
    if (session->state != DP_ORDER_SESSION_LOGIN || session->soup.state != DP_SOUP_ACTIVE)
        return;
    session->state = DP_ORDER_SESSION_ACTIVE;
    session->attempt = 0;
    session->login_count++;
    session->handler.on_login(session->handler.context);
}

static void beat(struct dp_order_session *session, int64_t now_ns)
{
    uint8_t heartbeat[DP_SOUP_HEARTBEAT_SIZE];
    size_t size;
    enum dp_soup_session_verdict verdict =
        dp_soup_session_poll(&session->soup, now_ns, heartbeat, &size);
    if (size > 0)
        dp_stream_send(session->stream, heartbeat, size);
    if (verdict != DP_SOUP_SESSION_OK)
        lose(session, verdict, ETIMEDOUT, now_ns);
}

static void poll_connected(struct dp_order_session *session, int64_t now_ns)
{
    enum dp_stream_state stream_state = dp_stream_poll(session->stream);
    enum dp_soup_session_verdict verdict = read_stream(session, now_ns);
    if (verdict != DP_SOUP_SESSION_OK) {
        lose(session, verdict, 0, now_ns);
        return;
    }
    note_login(session);
    if (stream_state == DP_STREAM_CLOSED)
        lose(session, DP_SOUP_SESSION_OK, dp_stream_error(session->stream), now_ns);
    else
        beat(session, now_ns);
}

void dp_order_session_poll(struct dp_order_session *session, int64_t now_ns)
{
    switch (session->state) {
    case DP_ORDER_SESSION_DOWN:
        if (now_ns >= session->next_ns)
            begin(session, now_ns);
        break;
    case DP_ORDER_SESSION_CONNECTING: poll_connecting(session, now_ns); break;
    case DP_ORDER_SESSION_LOGIN:
    case DP_ORDER_SESSION_ACTIVE: poll_connected(session, now_ns); break;
    case DP_ORDER_SESSION_STOPPED: break;
    }
}

bool dp_order_session_send(
    struct dp_order_session *session, const uint8_t *data, size_t size, int64_t now_ns)
{
    if (session->state != DP_ORDER_SESSION_ACTIVE || !dp_stream_send(session->stream, data, size))
        return false;
    dp_soup_session_note_sent(&session->soup, now_ns);
    return true;
}

void dp_order_session_reset(struct dp_order_session *session, int64_t now_ns)
{
    if (session->stream == NULL)
        return;
    lose(session, DP_SOUP_SESSION_OK, ECANCELED, now_ns);
}

void dp_order_session_close(struct dp_order_session *session)
{
    uint8_t logout[DP_SOUP_HEADER_SIZE];
    if (session->stream == NULL)
        return;
    dp_soup_build(logout, 'O', 0);
    if (session->state == DP_ORDER_SESSION_ACTIVE)
        dp_stream_send(session->stream, logout, sizeof(logout));
    dp_stream_close(session->stream);
    session->stream = NULL;
    session->state = DP_ORDER_SESSION_STOPPED;
}
