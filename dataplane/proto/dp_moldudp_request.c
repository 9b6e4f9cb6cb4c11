#include "dp_moldudp_request.h"

#include <errno.h>

int dp_moldudp_requester_init(struct dp_moldudp_requester *requester,
    const struct dp_moldudp_request_config *config, struct dp_err *err)
{
    if (config->count_max == 0 || config->count_max > DP_MOLDUDP_REQUEST_COUNT_MAX)
        return dp_err_set(err, EINVAL, "moldudp request: count_max: %u; give 1 to %u",
            config->count_max, DP_MOLDUDP_REQUEST_COUNT_MAX);
    if (config->server_count == 0 || config->tries_max == 0)
        return dp_err_set(err, EINVAL,
            "moldudp request: %u servers, %u tries; give at least one of each",
            config->server_count, config->tries_max);
    if (config->wait_ns < 0 || config->retry_ns <= 0 || config->interval_ns < 0)
        return dp_err_set(err, EINVAL,
            "moldudp request: wait_ns %lld, retry_ns %lld, interval_ns %lld; only wait_ns and "
            "interval_ns may be 0, none negative",
            (long long)config->wait_ns, (long long)config->retry_ns,
            (long long)config->interval_ns);
    *requester = (struct dp_moldudp_requester){.config = *config};
    return 0;
}

/* A hole whose beginning has moved since it was asked for: an answer came, ask on at once. */
static bool has_moved(
    const struct dp_moldudp_requester *requester, const struct dp_moldudp_hole *hole)
{
    return !requester->has_asked || hole->first != requester->first_asked;
}

static bool is_due(const struct dp_moldudp_requester *requester, const struct dp_moldudp_hole *hole,
    int64_t now_ns)
{
    const struct dp_moldudp_request_config *config = &requester->config;
    int64_t since_ns = now_ns - requester->asked_ns;
    if (now_ns - hole->since_ns < config->wait_ns)
        return false;
    if (requester->has_asked && since_ns < config->interval_ns)
        return false;
    return has_moved(requester, hole) ||
        (since_ns >= config->retry_ns && requester->tries < config->tries_max);
}

static void note(
    struct dp_moldudp_requester *requester, const struct dp_moldudp_hole *hole, int64_t now_ns)
{
    requester->tries = has_moved(requester, hole) ? 1 : requester->tries + 1;
    requester->first_asked = hole->first;
    requester->asked_ns = now_ns;
    requester->has_asked = true;
    if (memcmp(requester->session, hole->session, sizeof(requester->session)) != 0)
        requester->last_asked = 0;
    memcpy(requester->session, hole->session, sizeof(requester->session));
    requester->request_count++;
    requester->given_up_count += requester->tries == requester->config.tries_max;
}

size_t dp_moldudp_requester_poll(struct dp_moldudp_requester *requester,
    const struct dp_moldudp_feed *feed, int64_t now_ns, uint8_t *out, uint32_t *server)
{
    struct dp_moldudp_hole hole;
    if (!dp_moldudp_feed_hole(feed, &hole) || !is_due(requester, &hole, now_ns))
        return 0;
    uint64_t missing = hole.last - hole.first + 1;
    uint16_t count_max = requester->config.count_max;
    uint16_t count = missing < count_max ? (uint16_t)missing : count_max;
    note(requester, &hole, now_ns);
    if (hole.first + count - 1 > requester->last_asked)
        requester->last_asked = hole.first + count - 1;
    *server = (requester->tries - 1) % requester->config.server_count;
    /* A request looks like the header of a downstream packet. */
    return dp_moldudp_build(out, hole.session, hole.first, count);
}

bool dp_moldudp_requester_asked(const struct dp_moldudp_requester *requester,
    const struct dp_moldudp_feed *feed, const uint8_t *data, size_t size)
{
    struct dp_moldudp_packet packet;
    const uint8_t *session = dp_moldudp_feed_session(feed);
    if (!requester->has_asked || session == NULL || !dp_moldudp_parse(data, size, &packet))
        return false;
    uint32_t count = dp_moldudp_numbers_used(&packet);
    return memcmp(packet.session, session, sizeof(requester->session)) == 0 &&
        memcmp(packet.session, requester->session, sizeof(requester->session)) == 0 && count > 0 &&
        packet.sequence > 0 && packet.sequence + count - 1 <= requester->last_asked;
}
