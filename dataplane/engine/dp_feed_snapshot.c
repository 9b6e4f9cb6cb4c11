#include "dp_feed_snapshot.h"

#define END_SIZE 21u /* G, and a number of 20 characters */
#define BACKOFF_MAX_NS 1000000000ll
#define AGAIN_NS 50000000ll /* until one is asked for that is newer, or of the feed's session */
#define SILENCE_NS 2000000000ll

static const char any_session[DP_SOUP_SESSION_NAME_SIZE + 1] = "          ";

/* A snapshot has no second half: the next connection begins with the first message again. */
static void begin_anew(struct dp_feed_snapshot *snapshot)
{
    dp_order_session_resume(&snapshot->session, any_session, 1);
    snapshot->is_over = false;
}

/* Digits with spaces on either side; 0 for anything else. */
static uint64_t read_number(const uint8_t *field, size_t size)
{
    uint64_t number = 0;
    while (size > 0 && field[0] == ' ')
        field++, size--;
    while (size > 0 && field[size - 1] == ' ')
        size--;
    for (; size > 0; field++, size--) {
        uint64_t digit = (uint64_t)field[0] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

static void take_end(struct dp_feed_snapshot *snapshot, const uint8_t *data, uint32_t size)
{
    uint64_t sequence = size == END_SIZE ? read_number(data + 1, size - 1) : 0;
    snapshot->is_over = true;
    if (sequence == 0 || !snapshot->handler.on_end(snapshot->handler.context, sequence))
        return;
    snapshot->is_asked = false;
    snapshot->taken_count++;
}

static void on_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct dp_feed_snapshot *snapshot = context;
    const struct dp_feed_snapshot_handler *handler = &snapshot->handler;
    if (snapshot->is_over || size == 0)
        return;
    if (memcmp(snapshot->session.soup.name, snapshot->wanted, sizeof(snapshot->wanted)) != 0) {
        snapshot->is_over = true;
        return;
    }
    if (sequence == 1)
        handler->on_begin(handler->context);
    if (data[0] == 'G')
        take_end(snapshot, data, size);
    else
        handler->on_message(handler->context, data, size);
}

static void on_login(void *context)
{
    (void)context; /* the messages come by themselves */
}

/* Also what is final for a session of orders: the next snapshot may be had all the same. */
static void on_lost(void *context, enum dp_soup_session_verdict verdict, int error)
{
    struct dp_feed_snapshot *snapshot = context;
    (void)verdict;
    (void)error;
    snapshot->session.state = DP_ORDER_SESSION_DOWN;
    begin_anew(snapshot);
}

int dp_feed_snapshot_open(struct dp_feed_snapshot *snapshot,
    const struct dp_order_session_config *session, const struct dp_feed_snapshot_handler *handler,
    struct dp_err *err)
{
    struct dp_order_session_config config = *session;
    const struct dp_order_session_handler words = {snapshot, on_login, on_message, on_lost};
    config.backoff_max_ns = BACKOFF_MAX_NS;
    config.soup.silence_ns = SILENCE_NS;
    *snapshot = (struct dp_feed_snapshot){.handler = *handler};
    return dp_order_session_open(&snapshot->session, &config, &words, err);
}

static void hang_up(struct dp_feed_snapshot *snapshot, int64_t next_ns)
{
    dp_order_session_close(&snapshot->session);
    snapshot->session.state = DP_ORDER_SESSION_DOWN;
    snapshot->session.next_ns = next_ns;
    begin_anew(snapshot);
}

void dp_feed_snapshot_ask(struct dp_feed_snapshot *snapshot, const uint8_t *session)
{
    if (snapshot->is_asked)
        return;
    snapshot->is_asked = true;
    memcpy(snapshot->wanted, session, sizeof(snapshot->wanted));
}

void dp_feed_snapshot_drop(struct dp_feed_snapshot *snapshot)
{
    if (!snapshot->is_asked)
        return;
    snapshot->is_asked = false;
    hang_up(snapshot, 0);
}

void dp_feed_snapshot_poll(struct dp_feed_snapshot *snapshot, int64_t now_ns)
{
    if (!snapshot->is_asked)
        return;
    dp_order_session_poll(&snapshot->session, now_ns);
    if (snapshot->is_over)
        hang_up(snapshot, snapshot->is_asked ? now_ns + AGAIN_NS : 0);
}
