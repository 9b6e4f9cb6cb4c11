/*
 * dp_capture_messages - every ITCH message of a recorded session, one after the other.
 *
 * A BinaryFILE gives its records; a pcap or pcapng the message blocks of every MoldUDP64 packet of
 * every line, as recorded: no arbitration, so two lines give every message twice. Nothing is lost
 * silently: each record and each message is counted under exactly one name.
 *
 * Owns the capture it opens. One thread.
 */
#ifndef DP_CAPTURE_MESSAGES_H
#define DP_CAPTURE_MESSAGES_H

#include "dp_capture.h"
#include "dp_net.h"

#define DP_CAPTURE_MESSAGES_BATCH 256u

struct dp_capture_messages_stats {
    uint64_t records;      /* messages of a BinaryFILE, frames of a capture */
    uint64_t by_type[256]; /* whole messages of a known type */
    uint64_t longer;       /* of these: with more bytes than the specification says */
    uint64_t unknown;      /* of no known type: skipped by their length */
    uint64_t incomplete;   /* shorter than their type needs, or empty: skipped */
    /* Frames that gave no message. */
    uint64_t dropped[DP_NET_MALFORMED + 1]; /* by enum dp_net_result; [DP_NET_OK] stays 0 */
    uint64_t tcp;
    uint64_t not_moldudp;
    uint64_t heartbeats;
    uint64_t ends; /* end-of-session packets */
};

struct dp_capture_messages {
    struct dp_capture *capture;
    struct dp_capture_messages_stats stats;
    bool has_frames; /* pcap or pcapng */
    struct dp_capture_record records[DP_CAPTURE_MESSAGES_BATCH];
    uint32_t record_count;
    uint32_t record_index;
    const uint8_t *blocks; /* what is left of the current packet */
    uint32_t block_count;
};

/* 0 or -errno. The struct belongs to the caller and is large (10 KiB). */
int dp_capture_messages_open(
    struct dp_capture_messages *messages, const char *path, struct dp_err *err);
/* The next whole message of a known type; false at the end (see dp_capture_status). Whatever stood
 * in between has been counted. data stays valid until the next call. */
bool dp_capture_messages_next(
    struct dp_capture_messages *messages, const uint8_t **data, uint32_t *size);
/* Renders messages into lines with line ends until less than DP_ITCH_TEXT_SIZE of `size` is left;
 * returns the bytes written, 0 at the end. Of a message longer than its type the known part is
 * rendered. */
size_t dp_capture_messages_render(
    struct dp_capture_messages *messages, bool json, char *text, size_t size);
void dp_capture_messages_close(struct dp_capture_messages *messages);

#endif
