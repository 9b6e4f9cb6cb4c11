#include "dp_capture_messages.h"

#include "dp_itch.h"
#include "dp_moldudp.h"

#define BLOCK_PREFIX_SIZE 2u

int dp_capture_messages_open(
    struct dp_capture_messages *messages, const char *path, struct dp_err *err)
{
    memset(messages, 0, sizeof(*messages));
    struct dp_err failure = {0};
    messages->capture = dp_capture_open(path, &failure);
    if (messages->capture == NULL)
        return dp_err_set(err, failure.code, "%s", failure.text);
    enum dp_capture_format format = dp_capture_format(messages->capture);
    messages->has_frames = format == DP_CAPTURE_PCAP || format == DP_CAPTURE_PCAPNG;
    return 0;
}

/* The blocks of a frame, if it has any; else why not is counted. */
static void take_frame(struct dp_capture_messages *messages, const struct dp_capture_record *record)
{
    struct dp_capture_messages_stats *stats = &messages->stats;
    struct dp_net_packet frame;
    struct dp_moldudp_packet packet;
    enum dp_net_result result = dp_net_parse(record->data, record->size, true, &frame);
    if (result != DP_NET_OK) {
        stats->dropped[result]++;
    } else if (frame.protocol == DP_NET_TCP) {
        stats->tcp++;
    } else if (!dp_moldudp_parse(frame.payload, frame.payload_size, &packet)) {
        stats->not_moldudp++;
    } else if (packet.message_count == 0) {
        stats->heartbeats++;
    } else if (packet.message_count == DP_MOLDUDP_END_OF_SESSION) {
        stats->ends++;
    } else {
        messages->blocks = packet.blocks;
        messages->block_count = packet.message_count;
    }
}

static bool next_record(struct dp_capture_messages *messages, struct dp_capture_record *record)
{
    if (messages->record_index == messages->record_count) {
        messages->record_index = 0;
        messages->record_count =
            dp_capture_read(messages->capture, messages->records, DP_CAPTURE_MESSAGES_BATCH);
        if (messages->record_count == 0)
            return false;
    }
    *record = messages->records[messages->record_index++];
    messages->stats.records++;
    return true;
}

/* Any message, whatever it is. */
static bool next_any(struct dp_capture_messages *messages, const uint8_t **data, uint32_t *size)
{
    struct dp_capture_record record;
    while (messages->block_count == 0) {
        if (!next_record(messages, &record))
            return false;
        if (!messages->has_frames) {
            *data = record.data;
            *size = record.size;
            return true;
        }
        take_frame(messages, &record);
    }
    /* dp_moldudp_parse() saw that the blocks end where the packet ends. */
    *size = dp_load_be16(messages->blocks);
    *data = messages->blocks + BLOCK_PREFIX_SIZE;
    messages->blocks += BLOCK_PREFIX_SIZE + *size;
    messages->block_count--;
    return true;
}

bool dp_capture_messages_next(
    struct dp_capture_messages *messages, const uint8_t **data, uint32_t *size)
{
    struct dp_capture_messages_stats *stats = &messages->stats;
    while (next_any(messages, data, size)) {
        uint32_t type_size = *size == 0 ? 0 : dp_itch_length((*data)[0]);
        if (*size != 0 && type_size == 0) {
            stats->unknown++;
        } else if (*size == 0 || *size < type_size) {
            stats->incomplete++;
        } else {
            stats->by_type[(*data)[0]]++;
            stats->longer += *size > type_size;
            return true;
        }
    }
    return false;
}

size_t dp_capture_messages_render(
    struct dp_capture_messages *messages, bool json, char *text, size_t size)
{
    DP_ASSERT(size >= DP_ITCH_TEXT_SIZE);
    size_t used = 0;
    const uint8_t *data = NULL;
    uint32_t data_size = 0;
    while (
        size - used >= DP_ITCH_TEXT_SIZE && dp_capture_messages_next(messages, &data, &data_size)) {
        used += dp_itch_render(data, data_size, json, text + used, size - used);
        text[used++] = '\n'; /* where the NUL stood */
    }
    return used;
}

void dp_capture_messages_close(struct dp_capture_messages *messages)
{
    dp_capture_close(messages->capture);
    messages->capture = NULL;
}
