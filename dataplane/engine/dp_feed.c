#include "dp_feed.h"

#include <errno.h>

#include "dp_capture.h"
#include "dp_moldudp.h"
#include "dp_net.h"
#include "dp_port.h"

#define BATCH 256u
#define AHEAD_FAR 12u
#define AHEAD_NEAR 5u
#define HOLD_COUNT 4096
#define PACKET_SIZE_MAX 9216 /* jumbo frames */

struct dp_feed {
    struct dp_counters *counters;
    struct dp_feed_handler handler;
    struct dp_capture *capture;    /* BinaryFILE: messages */
    struct dp_port *port;          /* pcap: frames */
    struct dp_moldudp_feed *lines; /* pcap: joined into one sequence */
    struct dp_moldudp_handler lines_handler;
    uint64_t message_count; /* handed on during one run */
    bool stop_asked;
};

static const struct dp_capture *capture_of(const struct dp_feed *feed)
{
    return feed->port != NULL ? dp_port_pcap_capture(feed->port) : feed->capture;
}

static void count(struct dp_feed *feed, enum dp_counter id, uint64_t by)
{
    dp_counter_add(feed->counters, id, by);
}

/* ---- messages ---- */

static void look_ahead(
    const struct dp_feed *feed, const struct dp_capture_record *records, uint32_t left)
{
    const struct dp_feed_handler *handler = &feed->handler;
    if (left > AHEAD_FAR)
        handler->on_ahead(
            handler->context, records[AHEAD_FAR].data, records[AHEAD_FAR].size, false);
    if (left > AHEAD_NEAR)
        handler->on_ahead(
            handler->context, records[AHEAD_NEAR].data, records[AHEAD_NEAR].size, true);
}

static void hand_on(
    struct dp_feed *feed, const struct dp_capture_record *records, uint32_t record_count)
{
    for (uint32_t index = 0; index < record_count && !feed->stop_asked; index++) {
        const struct dp_capture_record *record = &records[index];
        if (feed->handler.on_ahead != NULL)
            look_ahead(feed, record, record_count - index);
        if (record->size > 0)
            feed->handler.on_message(feed->handler.context, record->data, record->size);
        count(feed, DP_COUNTER_RX_BYTES, record->size);
    }
}

static uint64_t run_messages(struct dp_feed *feed, uint64_t message_count)
{
    struct dp_capture_record records[BATCH];
    uint64_t taken = 0;
    while (taken < message_count && !feed->stop_asked) {
        uint32_t record_count = dp_capture_read(feed->capture, records, BATCH);
        if (record_count == 0)
            break;
        hand_on(feed, records, record_count);
        taken += record_count;
    }
    return taken;
}

/* ---- packets ---- */

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct dp_feed *feed = context;
    (void)sequence;
    (void)time_ns;
    feed->message_count++;
    if (size > 0 && !feed->stop_asked) /* an empty message only uses up its number */
        feed->handler.on_message(feed->handler.context, data, size);
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct dp_feed *feed = context;
    (void)time_ns;
    if (feed->stop_asked)
        return;
    count(feed, DP_COUNTER_MOLD_GAPS, 1);
    count(feed, DP_COUNTER_MOLD_LOST, last - first + 1);
    feed->handler.on_gap(feed->handler.context);
}

static void on_session(void *context, const uint8_t *session)
{
    struct dp_feed *feed = context;
    (void)session;
    if (!feed->stop_asked)
        feed->handler.on_session(feed->handler.context);
}

static void on_end(void *context)
{
    (void)context;
}

static void count_verdict(struct dp_feed *feed, enum dp_moldudp_verdict verdict)
{
    if (verdict == DP_MOLDUDP_DUPLICATE || verdict == DP_MOLDUDP_OLD_SESSION)
        count(feed, DP_COUNTER_MOLD_DUPLICATE, 1);
    else if (verdict == DP_MOLDUDP_HELD)
        count(feed, DP_COUNTER_MOLD_REORDERED, 1);
    else if (verdict == DP_MOLDUDP_MALFORMED)
        count(feed, DP_COUNTER_MOLD_MALFORMED, 1);
}

static void take_packet(struct dp_feed *feed, const struct dp_packet *packet)
{
    struct dp_net_packet net;
    enum dp_net_result result = dp_net_parse(packet->data, packet->size, true, &net);
    count(feed, DP_COUNTER_RX_PACKETS, 1);
    count(feed, DP_COUNTER_RX_BYTES, packet->size);
    if (result == DP_NET_CHECKSUM) {
        count(feed, DP_COUNTER_NET_CHECKSUM_BAD, 1);
    } else if (result != DP_NET_OK || net.protocol != DP_NET_UDP) {
        count(feed, DP_COUNTER_NET_DROPPED, 1);
    } else {
        dp_moldudp_feed_poll(feed->lines, packet->time_ns, &feed->lines_handler);
        count_verdict(feed,
            dp_moldudp_feed_push(
                feed->lines, net.payload, net.payload_size, packet->time_ns, &feed->lines_handler));
    }
}

static uint64_t run_packets(struct dp_feed *feed, uint64_t message_count)
{
    struct dp_packet packets[BATCH];
    uint64_t taken = 0;
    feed->message_count = 0;
    while (feed->message_count < message_count && !feed->stop_asked) {
        uint32_t packet_count = dp_port_receive(feed->port, packets, BATCH);
        for (uint32_t index = 0; index < packet_count && !feed->stop_asked; index++)
            take_packet(feed, &packets[index]);
        taken += packet_count;
        if (packet_count == 0) {
            /* The capture is over: nothing more can close a hole. */
            dp_moldudp_feed_poll(feed->lines, INT64_MAX, &feed->lines_handler);
            break;
        }
    }
    return taken;
}

uint64_t dp_feed_run(struct dp_feed *feed, uint64_t message_count)
{
    feed->stop_asked = false;
    return feed->port != NULL ? run_packets(feed, message_count)
                              : run_messages(feed, message_count);
}

void dp_feed_stop(struct dp_feed *feed)
{
    feed->stop_asked = true;
}

/* ---- the file ---- */

static int open_lines(
    struct dp_feed *feed, const char *path, int64_t gap_timeout_ns, struct dp_err *err)
{
    struct dp_moldudp_config config = {
        .hold_count_max = HOLD_COUNT,
        .packet_size_max = PACKET_SIZE_MAX,
        .gap_timeout_ns = gap_timeout_ns,
        .sequence_first = 1,
    };
    size_t size = dp_round_up(dp_moldudp_feed_size(&config), DP_CACHE_LINE);
    feed->lines_handler = (struct dp_moldudp_handler){feed, on_message, on_gap, on_session, on_end};
    feed->lines = aligned_alloc(DP_CACHE_LINE, size);
    if (feed->lines == NULL)
        return dp_err_set(err, ENOMEM,
            "%s: no memory for packets held ahead of a gap: %zu bytes; free some", path, size);
    int status = dp_moldudp_feed_init(feed->lines, &config, err);
    if (status < 0)
        return status;
    feed->port = dp_port_pcap_open(path, NULL, err);
    return feed->port != NULL ? 0 : -err->code;
}

static int open_file(
    struct dp_feed *feed, const char *path, int64_t gap_timeout_ns, struct dp_err *err)
{
    feed->capture = dp_capture_open(path, err);
    if (feed->capture == NULL)
        return -err->code;
    enum dp_capture_format format = dp_capture_format(feed->capture);
    if (format != DP_CAPTURE_PCAP && format != DP_CAPTURE_PCAPNG)
        return 0;
    dp_capture_close(feed->capture);
    feed->capture = NULL;
    return open_lines(feed, path, gap_timeout_ns, err);
}

struct dp_feed *dp_feed_open(const char *path, int64_t gap_timeout_ns, struct dp_counters *counters,
    const struct dp_feed_handler *handler, struct dp_err *err)
{
    struct dp_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL) {
        dp_err_set(
            err, ENOMEM, "%s: no memory for a feed: %zu bytes; free some", path, sizeof(*feed));
        return NULL;
    }
    feed->counters = counters;
    feed->handler = *handler;
    if (open_file(feed, path, gap_timeout_ns, err) < 0) {
        dp_feed_close(feed);
        return NULL;
    }
    return feed;
}

uint64_t dp_feed_position(const struct dp_feed *feed)
{
    return dp_capture_position(capture_of(feed));
}

uint64_t dp_feed_size(const struct dp_feed *feed)
{
    return dp_capture_size(capture_of(feed));
}

int dp_feed_status(const struct dp_feed *feed, struct dp_err *err)
{
    return dp_capture_status(capture_of(feed), err);
}

void dp_feed_close(struct dp_feed *feed)
{
    if (feed == NULL)
        return;
    if (feed->port != NULL)
        dp_port_close(feed->port, NULL);
    dp_capture_close(feed->capture);
    free(feed->lines);
    free(feed);
}
