#include "dp_book_feed.h"

#include <errno.h>

#include "dp_feed.h"
#include "dp_itch_apply.h"

#define STEP 4096 /* messages */
#define GAP_TIMEOUT_NS 50000000

struct dp_book_feed {
    struct dp_books *books;
    struct dp_counters *counters;
    struct dp_feed *feed;
    int64_t until_ns;
    bool is_over; /* a message stamped later was seen */
};

static void on_message(void *context, const uint8_t *data, size_t size)
{
    struct dp_book_feed *feed = context;
    struct dp_itch_message message;
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    bool is_read = result == DP_ITCH_OK || result == DP_ITCH_LONGER;
    if (is_read && message.timestamp_ns > feed->until_ns) {
        feed->is_over = true;
        dp_feed_stop(feed->feed);
        return;
    }
    if (dp_itch_note(feed->books, feed->counters, data, size, result))
        dp_itch_apply(feed->books, feed->counters, &message, 0);
}

static void on_gap(void *context)
{
    struct dp_book_feed *feed = context;
    dp_books_set_flags(feed->books, DP_BOOK_STALE);
}

static void on_session(void *context)
{
    struct dp_book_feed *feed = context;
    dp_books_clear(feed->books);
}

struct dp_book_feed *dp_book_feed_open(struct dp_books *books, struct dp_counters *counters,
    const char *path, int64_t until_ns, struct dp_err *err)
{
    struct dp_book_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL) {
        dp_err_set(
            err, ENOMEM, "%s: no memory for a feed: %zu bytes; free some", path, sizeof(*feed));
        return NULL;
    }
    feed->books = books;
    feed->counters = counters;
    feed->until_ns = until_ns;
    struct dp_feed_handler handler = {
        .context = feed,
        .on_message = on_message,
        .on_gap = on_gap,
        .on_session = on_session,
    };
    feed->feed = dp_feed_open(path, GAP_TIMEOUT_NS, counters, &handler, err);
    if (feed->feed == NULL) {
        dp_book_feed_close(feed);
        return NULL;
    }
    return feed;
}

bool dp_book_feed_step(struct dp_book_feed *feed)
{
    return !feed->is_over && dp_feed_run(feed->feed, STEP) != 0;
}

int dp_book_feed_status(const struct dp_book_feed *feed, struct dp_err *err)
{
    return feed->is_over ? 0 : dp_feed_status(feed->feed, err);
}

void dp_book_feed_close(struct dp_book_feed *feed)
{
    if (feed == NULL)
        return;
    dp_feed_close(feed->feed);
    free(feed);
}
