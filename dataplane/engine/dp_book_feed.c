#include "dp_book_feed.h"

#include <errno.h>

#include "dp_capture.h"
#include "dp_itch_apply.h"
#include "dp_moldudp.h"
#include "dp_net.h"

#define BATCH 4096
/* The same as the engine's, so that both end with the same books. */
#define HOLD_COUNT 1024
#define PACKET_SIZE_MAX 9000
#define GAP_TIMEOUT_NS 50000000

struct dp_book_feed {
    struct dp_books *books;
    struct dp_counters *counters;
    struct dp_capture *capture;
    struct dp_moldudp_feed *lines; /* NULL for a BinaryFILE */
    struct dp_moldudp_handler handler;
    int64_t until_ns;
    bool is_over; /* a message stamped later was seen */
    struct dp_capture_record records[BATCH];
};

static void apply(struct dp_book_feed *feed, const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    if (feed->is_over || size == 0)
        return;
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    bool decoded = result == DP_ITCH_OK || result == DP_ITCH_LONGER;
    if (decoded && message.timestamp_ns > feed->until_ns) {
        feed->is_over = true;
        return;
    }
    dp_counter_add(feed->counters, DP_COUNTER_ITCH_MESSAGES, 1);
    if (result == DP_ITCH_LONGER)
        dp_counter_add(feed->counters, DP_COUNTER_ITCH_LONGER, 1);
    else if (result == DP_ITCH_SHORT)
        dp_counter_add(feed->counters, DP_COUNTER_ITCH_MALFORMED, 1);
    else if (result == DP_ITCH_UNKNOWN)
        dp_counter_add(feed->counters, DP_COUNTER_ITCH_UNKNOWN, 1);
    if (decoded)
        dp_itch_apply(feed->books, feed->counters, &message, 0);
    else if (result == DP_ITCH_SHORT)
        dp_itch_apply_short(feed->books, data, size);
}

/* ---- what MoldUDP64 tells ---- */

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    (void)sequence;
    (void)time_ns;
    apply(context, data, size);
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct dp_book_feed *feed = context;
    (void)time_ns;
    if (feed->is_over)
        return;
    dp_counter_add(feed->counters, DP_COUNTER_MOLD_GAPS, 1);
    dp_counter_add(feed->counters, DP_COUNTER_MOLD_LOST, last - first + 1);
    dp_books_set_flags(feed->books, DP_BOOK_STALE);
}

static void on_session(void *context, const uint8_t *session)
{
    struct dp_book_feed *feed = context;
    (void)session;
    if (!feed->is_over)
        dp_books_clear(feed->books);
}

static void on_end(void *context)
{
    (void)context;
}

static void apply_frame(struct dp_book_feed *feed, const struct dp_capture_record *record)
{
    struct dp_net_packet net;
    enum dp_net_result result = dp_net_parse(record->data, record->size, true, &net);
    dp_counter_add(feed->counters, DP_COUNTER_RX_PACKETS, 1);
    if (result == DP_NET_CHECKSUM) {
        dp_counter_add(feed->counters, DP_COUNTER_NET_CHECKSUM_BAD, 1);
        return;
    }
    if (result != DP_NET_OK || net.protocol != DP_NET_UDP) {
        dp_counter_add(feed->counters, DP_COUNTER_NET_DROPPED, 1);
        return;
    }
    dp_moldudp_feed_poll(feed->lines, record->time_ns, &feed->handler);
    enum dp_moldudp_verdict verdict = dp_moldudp_feed_push(
        feed->lines, net.payload, net.payload_size, record->time_ns, &feed->handler);
    if (verdict == DP_MOLDUDP_MALFORMED)
        dp_counter_add(feed->counters, DP_COUNTER_MOLD_MALFORMED, 1);
}

/* ---- opening and stepping ---- */

static int open_lines(struct dp_book_feed *feed, struct dp_err *err)
{
    struct dp_moldudp_config config = {.hold_count_max = HOLD_COUNT,
        .packet_size_max = PACKET_SIZE_MAX, .gap_timeout_ns = GAP_TIMEOUT_NS, .sequence_first = 1};
    size_t size = dp_round_up(dp_moldudp_feed_size(&config), DP_CACHE_LINE);
    feed->handler = (struct dp_moldudp_handler){feed, on_message, on_gap, on_session, on_end};
    feed->lines = aligned_alloc(DP_CACHE_LINE, size);
    if (feed->lines == NULL)
        return dp_err_set(err, ENOMEM, "book: memory: %zu bytes to join lines; free some", size);
    memset(feed->lines, 0, size);
    return dp_moldudp_feed_init(feed->lines, &config, err);
}

struct dp_book_feed *dp_book_feed_open(struct dp_books *books, struct dp_counters *counters,
    const char *path, int64_t until_ns, struct dp_err *err)
{
    struct dp_book_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL) {
        dp_err_set(err, ENOMEM, "book: memory: %zu bytes for a batch; free some", sizeof(*feed));
        return NULL;
    }
    feed->books = books;
    feed->counters = counters;
    feed->until_ns = until_ns;
    feed->capture = dp_capture_open(path, err);
    if (feed->capture == NULL)
        goto close;
    enum dp_capture_format format = dp_capture_format(feed->capture);
    if ((format == DP_CAPTURE_PCAP || format == DP_CAPTURE_PCAPNG) && open_lines(feed, err) != 0)
        goto close;
    return feed;
close:
    dp_book_feed_close(feed);
    return NULL;
}

bool dp_book_feed_step(struct dp_book_feed *feed)
{
    uint32_t count = feed->is_over ? 0 : dp_capture_read(feed->capture, feed->records, BATCH);
    for (uint32_t index = 0; index < count; index++) {
        if (feed->lines != NULL)
            apply_frame(feed, &feed->records[index]);
        else
            apply(feed, feed->records[index].data, feed->records[index].size);
    }
    /* Holes still open at the end are given up: nothing will fill them. */
    if (count == 0 && feed->lines != NULL)
        dp_moldudp_feed_poll(feed->lines, INT64_MAX, &feed->handler);
    return count != 0;
}

int dp_book_feed_status(const struct dp_book_feed *feed, struct dp_err *err)
{
    return feed->is_over ? 0 : dp_capture_status(feed->capture, err);
}

void dp_book_feed_close(struct dp_book_feed *feed)
{
    if (feed == NULL)
        return;
    dp_capture_close(feed->capture);
    free(feed->lines);
    free(feed);
}
