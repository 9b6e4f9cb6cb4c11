/*
 * dp_capture - recorded sessions as a stream: BinaryFILE, pcap (micro- and nanosecond), pcapng; plain or gzip.
 *
 * Reads in constant memory, in batches: the records of a batch stay valid until the next read, so that a caller can look
 * ahead inside it. The kind is known by content, not by name. One thread per capture.
 */
#ifndef DP_CAPTURE_H
#define DP_CAPTURE_H

#include "dp_base.h"
#include "dp_err.h"

enum dp_capture_format {
    DP_CAPTURE_BINARYFILE,         /* 2-byte big-endian length, message; repeated; a zero length ends the session */
    DP_CAPTURE_BINARYFILE_BARE,    /* the same with all lengths zero: the message type tells the length */
    DP_CAPTURE_PCAP,
    DP_CAPTURE_PCAPNG,
};

struct dp_capture_record {
    const uint8_t *data;
    uint32_t size;          /* captured bytes */
    uint32_t original_size; /* bytes on the wire; larger when the capture cut the frame */
    int64_t time_ns;        /* capture time of a frame since the epoch; 0 for BinaryFILE */
    uint64_t offset;        /* of the record in the (uncompressed) stream */
};

struct dp_capture; /* opaque, allocated by dp_capture_open() */

/* NULL with err filled: missing, a directory, empty, of no known kind, another link type than Ethernet. */
struct dp_capture *dp_capture_open(const char *path, struct dp_err *err);
enum dp_capture_format dp_capture_format(const struct dp_capture *capture);
/* Up to max records; 0 at the end or on an error. */
uint32_t dp_capture_read(struct dp_capture *capture, struct dp_capture_record *records, uint32_t max);
/* 0 when the end was clean; else -errno and what is wrong at which byte (cut record, cut gzip, a length that cannot be).
 * All whole records before the fault have been delivered. */
int dp_capture_status(const struct dp_capture *capture, struct dp_err *err);
uint64_t dp_capture_position(const struct dp_capture *capture); /* bytes of the file consumed (compressed ones for gzip) */
uint64_t dp_capture_size(const struct dp_capture *capture);     /* bytes of the file: progress = position / size */
/* Frames of another link type and pcapng blocks that were stepped over; bytes behind an end-of-session mark. */
uint64_t dp_capture_skipped(const struct dp_capture *capture);
void dp_capture_close(struct dp_capture *capture); /* NULL is fine */

/* Writing pcap, nanosecond resolution, Ethernet. Buffered; dp_capture_writer_close() reports a failed write. */
struct dp_capture_writer;
struct dp_capture_writer *dp_capture_writer_open(const char *path, struct dp_err *err);
int dp_capture_writer_add(struct dp_capture_writer *writer, int64_t time_ns, const uint8_t *data, uint32_t size);
int dp_capture_writer_close(struct dp_capture_writer *writer, struct dp_err *err);

#endif
