#include "dp_feed.h"

#include <errno.h>

#include "dp_capture.h"
#include "dp_feed_lines.h"
#include "dp_pacer.h"
#include "dp_port_card.h"

#define BATCH 256u
#define ITCH_TIMESTAMP_AT 5u /* six bytes, nanoseconds since midnight, in every message */
#define ITCH_TIMESTAMP_END 11u
#define AHEAD_FAR 12u
#define AHEAD_NEAR 5u

struct dp_feed {
    struct dp_counters *counters;
    struct dp_feed_handler handler;
    struct dp_capture *capture; /* BinaryFILE: messages */
    struct dp_port *file;       /* pcap: its frames */
    struct dp_port *port;       /* what they are read from: the file's, or a card's before it */
    struct dp_feed_lines lines; /* pcap: joined into one sequence */
    struct dp_pacer pacer;
    bool is_interrupted;
    bool stop_asked;
};

/* One at a time where it waits for each: what was read and not handed on would be lost. */
static uint32_t batch_of(const struct dp_feed *feed)
{
    return feed->pacer.speed_permille != 0 ? 1 : BATCH;
}

/* A signal ends the wait and, behind what was waited for, the run. */
static void wait_for(struct dp_feed *feed, int64_t recorded_ns)
{
    if (!dp_pacer_wait(&feed->pacer, recorded_ns))
        feed->is_interrupted = true;
}

static const struct dp_capture *capture_of(const struct dp_feed *feed)
{
    return feed->file != NULL ? dp_port_pcap_capture(feed->file) : feed->capture;
}

static void count(struct dp_feed *feed, enum dp_counter id, uint64_t by)
{
    dp_counter_add(feed->counters, id, by);
}

/* ---- messages ---- */

static void wait_for_message(struct dp_feed *feed, const struct dp_capture_record *record)
{
    if (record->size >= ITCH_TIMESTAMP_END)
        wait_for(
            feed, (int64_t)(dp_load_be64(record->data + ITCH_TIMESTAMP_AT - 2) & 0xffffffffffff));
}

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
        if (feed->pacer.speed_permille != 0)
            wait_for_message(feed, record);
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
    while (taken < message_count && !feed->stop_asked && !feed->is_interrupted) {
        uint32_t record_count = dp_capture_read(feed->capture, records, batch_of(feed));
        if (record_count == 0)
            break;
        hand_on(feed, records, record_count);
        taken += record_count;
    }
    return taken;
}

/* ---- packets ---- */

static uint64_t run_packets(struct dp_feed *feed, uint64_t message_count)
{
    static const struct dp_feed_target any = {0};
    struct dp_feed_lines *lines = &feed->lines;
    struct dp_packet packets[BATCH];
    uint64_t taken = 0;
    lines->message_count = 0;
    while (lines->message_count < message_count && !lines->stop_asked && !feed->is_interrupted) {
        uint32_t packet_count = dp_port_receive(feed->port, packets, batch_of(feed));
        for (uint32_t index = 0; index < packet_count && !lines->stop_asked; index++) {
            if (feed->pacer.speed_permille != 0)
                wait_for(feed, packets[index].time_ns);
            dp_feed_lines_push_frame(lines, &any, 1, &packets[index]);
        }
        taken += packet_count;
        if (packet_count == 0) {
            /* The capture is over: nothing more can close a hole. */
            dp_feed_lines_poll(lines, INT64_MAX);
            break;
        }
    }
    return taken;
}

uint64_t dp_feed_run(struct dp_feed *feed, uint64_t message_count)
{
    feed->stop_asked = false;
    feed->is_interrupted = false;
    feed->lines.stop_asked = false;
    return feed->port != NULL ? run_packets(feed, message_count)
                              : run_messages(feed, message_count);
}

void dp_feed_stop(struct dp_feed *feed)
{
    feed->stop_asked = true;
    feed->lines.stop_asked = true;
}

/* ---- the file ---- */

static int open_lines(
    struct dp_feed *feed, const char *path, int64_t gap_timeout_ns, struct dp_err *err)
{
    const struct dp_feed_lines_config config = {.gap_timeout_ns = gap_timeout_ns};
    int status = dp_feed_lines_open(&feed->lines, &config, feed->counters, &feed->handler, err);
    if (status < 0)
        return status;
    feed->file = dp_port_pcap_open(path, NULL, err);
    feed->port = feed->file;
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

void dp_feed_set_speed(struct dp_feed *feed, uint32_t speed_permille)
{
    dp_pacer_init(&feed->pacer, speed_permille);
}

const struct dp_pacer *dp_feed_pacer(const struct dp_feed *feed)
{
    return &feed->pacer;
}

int dp_feed_put_card(struct dp_feed *feed, struct dp_card *card, struct dp_err *err)
{
    if (feed->file == NULL)
        return 0;
    DP_ASSERT(feed->port == feed->file);
    struct dp_port *port = dp_port_card_open(feed->file, card, err);
    if (port == NULL)
        return -err->code;
    feed->port = port;
    return 0;
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
    if (feed->port != feed->file)
        dp_port_close(feed->port, NULL);
    if (feed->file != NULL)
        dp_port_close(feed->file, NULL);
    dp_capture_close(feed->capture);
    dp_feed_lines_close(&feed->lines);
    free(feed);
}
