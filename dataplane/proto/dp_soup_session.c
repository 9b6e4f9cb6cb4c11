#include "dp_soup_session.h"

#include <errno.h>

#include "dp_soup.h"

#define NANOS_PER_SECOND 1000000000ll
#define HEARTBEAT_DEFAULT_NS NANOS_PER_SECOND
#define SILENCE_DEFAULT_NS (15 * NANOS_PER_SECOND)

/* Where things stand in the payloads of L and A. */
#define LOGIN_USERNAME 0
#define LOGIN_PASSWORD 6
#define LOGIN_SESSION 16
#define LOGIN_SEQUENCE 26
#define ACCEPTED_SESSION 0
#define ACCEPTED_SEQUENCE 10
#define SEQUENCE_DIGITS 20

static const char blank_name[DP_SOUP_SESSION_NAME_SIZE] = "          ";

const char *dp_soup_session_words(enum dp_soup_session_verdict verdict)
{
    switch (verdict) {
    case DP_SOUP_SESSION_OK: return "in order";
    case DP_SOUP_SESSION_ENDED: return "the venue ended the session";
    case DP_SOUP_SESSION_DENIED: return "the venue does not know this user and password";
    case DP_SOUP_SESSION_GONE: return "the venue has no such session";
    case DP_SOUP_SESSION_OTHER: return "the venue is in another session";
    case DP_SOUP_SESSION_NUMBERING: return "the venue counts its messages differently";
    case DP_SOUP_SESSION_PROTOCOL: return "what came is not SoupBinTCP";
    case DP_SOUP_SESSION_SILENT: return "the venue is silent";
    default: return "not a verdict of this build";
    }
}

int dp_soup_session_init(struct dp_soup_session *session,
    const struct dp_soup_session_config *config, struct dp_err *err)
{
    if (memchr(config->username, '\0', sizeof(config->username)) == NULL ||
        memchr(config->password, '\0', sizeof(config->password)) == NULL)
        return dp_err_set(err, EINVAL,
            "soup session: username or password: too long; at most 6 and 10 characters");
    *session = (struct dp_soup_session){.config = *config, .sequence_next = 1};
    memcpy(session->name, blank_name, sizeof(session->name));
    if (session->config.heartbeat_ns == 0)
        session->config.heartbeat_ns = HEARTBEAT_DEFAULT_NS;
    if (session->config.silence_ns == 0)
        session->config.silence_ns = SILENCE_DEFAULT_NS;
    return 0;
}

void dp_soup_session_resume(
    struct dp_soup_session *session, const char *name, uint64_t sequence_next)
{
    DP_ASSERT(sequence_next >= 1);
    memcpy(session->name, name, sizeof(session->name));
    session->sequence_next = sequence_next;
    session->state = DP_SOUP_OFFLINE;
}

static void pad_right(uint8_t *field, size_t size, const char *text)
{
    memset(field, ' ', size);
    memcpy(field, text, strlen(text));
}

size_t dp_soup_session_connect(struct dp_soup_session *session, uint8_t *out, int64_t now_ns)
{
    DP_ASSERT(session->state == DP_SOUP_OFFLINE);
    uint8_t *payload = out + DP_SOUP_HEADER_SIZE;
    char digits[SEQUENCE_DIGITS + 1];
    dp_soup_build(out, 'L', DP_SOUP_LOGIN_SIZE - DP_SOUP_HEADER_SIZE);
    pad_right(payload + LOGIN_USERNAME, 6, session->config.username);
    pad_right(payload + LOGIN_PASSWORD, 10, session->config.password);
    memcpy(payload + LOGIN_SESSION, session->name, sizeof(session->name));
    snprintf(digits, sizeof(digits), "%20llu", (unsigned long long)session->sequence_next);
    memcpy(payload + LOGIN_SEQUENCE, digits, SEQUENCE_DIGITS);
    session->state = DP_SOUP_LOGIN;
    session->sent_ns = now_ns;
    session->heard_ns = now_ns;
    return DP_SOUP_LOGIN_SIZE;
}

void dp_soup_session_lost(struct dp_soup_session *session)
{
    if (session->state != DP_SOUP_ENDED)
        session->state = DP_SOUP_OFFLINE;
}

/* ---- what arrives ---- */

/* Digits with spaces on the left; false for anything else, and for what 64 bits cannot hold. */
static bool read_number(const uint8_t *field, size_t size, uint64_t *number)
{
    size_t at = 0;
    *number = 0;
    while (at < size && field[at] == ' ')
        at++;
    if (at == size)
        return false;
    for (; at < size; at++) {
        uint64_t digit = (uint64_t)field[at] - '0';
        if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static enum dp_soup_session_verdict read_accepted(
    struct dp_soup_session *session, const uint8_t *payload)
{
    uint64_t sequence;
    bool asked_for_any = memcmp(session->name, blank_name, sizeof(blank_name)) == 0;
    if (session->state != DP_SOUP_LOGIN ||
        !read_number(payload + ACCEPTED_SEQUENCE, SEQUENCE_DIGITS, &sequence))
        return DP_SOUP_SESSION_PROTOCOL;
    if (!asked_for_any &&
        memcmp(session->name, payload + ACCEPTED_SESSION, sizeof(session->name)) != 0)
        return DP_SOUP_SESSION_OTHER;
    if (sequence != session->sequence_next)
        return DP_SOUP_SESSION_NUMBERING;
    memcpy(session->name, payload + ACCEPTED_SESSION, sizeof(session->name));
    session->state = DP_SOUP_ACTIVE;
    return DP_SOUP_SESSION_OK;
}

static enum dp_soup_session_verdict read_rejected(
    const struct dp_soup_session *session, const uint8_t *payload)
{
    if (session->state != DP_SOUP_LOGIN)
        return DP_SOUP_SESSION_PROTOCOL;
    return payload[0] == 'S' ? DP_SOUP_SESSION_GONE : DP_SOUP_SESSION_DENIED;
}

static enum dp_soup_session_verdict read_packet(struct dp_soup_session *session,
    const struct dp_soup_packet *packet, dp_soup_message_fn *on_message, void *context)
{
    if (packet->type == '+')
        return DP_SOUP_SESSION_OK;
    if (packet->type == 'A')
        return read_accepted(session, packet->payload);
    if (packet->type == 'J')
        return read_rejected(session, packet->payload);
    if (session->state != DP_SOUP_ACTIVE)
        return DP_SOUP_SESSION_PROTOCOL; /* before the answer to the login only '+' may come */
    switch (packet->type) {
    case 'S':
        on_message(context, session->sequence_next, packet->payload, packet->payload_size);
        session->sequence_next++;
        return DP_SOUP_SESSION_OK;
    case 'H':
    case 'U': /* some venues' own: not numbered, not ours */ return DP_SOUP_SESSION_OK;
    case 'Z': session->state = DP_SOUP_ENDED; return DP_SOUP_SESSION_ENDED;
    default: return DP_SOUP_SESSION_PROTOCOL; /* a client's packet */
    }
}

enum dp_soup_session_verdict dp_soup_session_read(struct dp_soup_session *session,
    const uint8_t *data, size_t size, int64_t now_ns, dp_soup_message_fn *on_message, void *context,
    size_t *used)
{
    *used = 0;
    if (size > 0)
        session->heard_ns = now_ns;
    for (;;) {
        struct dp_soup_packet packet;
        enum dp_soup_result result = dp_soup_parse(data + *used, size - *used, &packet);
        if (result == DP_SOUP_MORE)
            return DP_SOUP_SESSION_OK;
        if (result == DP_SOUP_MALFORMED)
            return DP_SOUP_SESSION_PROTOCOL;
        enum dp_soup_session_verdict verdict = read_packet(session, &packet, on_message, context);
        *used += packet.size;
        if (verdict != DP_SOUP_SESSION_OK)
            return verdict;
    }
}

/* ---- time ---- */

enum dp_soup_session_verdict dp_soup_session_poll(
    struct dp_soup_session *session, int64_t now_ns, uint8_t *out, size_t *size)
{
    *size = 0;
    if (session->state != DP_SOUP_LOGIN && session->state != DP_SOUP_ACTIVE)
        return DP_SOUP_SESSION_OK;
    if (now_ns - session->heard_ns >= session->config.silence_ns)
        return DP_SOUP_SESSION_SILENT;
    /* Before the answer to the login the client may send nothing. */
    if (session->state == DP_SOUP_ACTIVE &&
        now_ns - session->sent_ns >= session->config.heartbeat_ns) {
        *size = dp_soup_build(out, 'R', 0);
        session->sent_ns = now_ns;
    }
    return DP_SOUP_SESSION_OK;
}
