/*
 * dp_capture - recorded sessions as a stream: BinaryFILE, pcap, pcapng; plain or gzip.
 *
 * Reads in constant memory, in batches: the records of a batch stay valid until the next read, so
 * that a caller can look ahead inside it. The kind is known by content, not by name. pcap comes in
 * micro- and nanoseconds and both byte orders, pcapng with any number of sections and interfaces,
 * gzip with any number of members. One thread per capture.
 *
 * What is wrong with a file comes after everything whole in front of it has been delivered, as
 * `PATH: byte N: what`; N counts in the uncompressed stream unless the text says "of the file".
 */
#ifndef DP_CAPTURE_H
#define DP_CAPTURE_H

#include "dp_base.h"
#include "dp_err.h"

enum dp_capture_format {
    /* 2-byte big-endian length, message; repeated. A zero length ends the session. */
    DP_CAPTURE_BINARYFILE,
    /* The same with all lengths zero: the message type tells the length. */
    DP_CAPTURE_BINARYFILE_BARE,
    DP_CAPTURE_PCAP,
    DP_CAPTURE_PCAPNG,
};

struct dp_capture_record {
    const uint8_t *data;
    uint32_t size;          /* captured bytes */
    uint32_t original_size; /* bytes on the wire; larger when the capture cut the frame */
    int64_t time_ns;        /* capture time of a frame since the epoch; 0 where there is none */
    uint64_t offset;        /* of the record in the (uncompressed) stream */
};

struct dp_capture; /* opaque, allocated by dp_capture_open() */

/* NULL with err filled: missing, a directory, empty, of no known kind, a pcap of another link type
 * than Ethernet, a gzip that is damaged before its first byte. */
struct dp_capture *dp_capture_open(const char *path, struct dp_err *err);
enum dp_capture_format dp_capture_format(const struct dp_capture *capture);
const char *dp_capture_format_name(enum dp_capture_format format); /* "pcapng" */
/* Up to max records, at least one is asked for; 0 at the end or on a fault, then always. */
uint32_t dp_capture_read(
    struct dp_capture *capture, struct dp_capture_record *records, uint32_t max);
/* 0 when all is well so far; else -errno and what is wrong (EBADMSG: a cut record, a cut gzip, a
 * length that cannot be; EINVAL: a pcapng without one Ethernet frame). Final when read gave 0. */
int dp_capture_status(const struct dp_capture *capture, struct dp_err *err);
/* Bytes of the file consumed (compressed ones for gzip): progress = position / size. */
uint64_t dp_capture_position(const struct dp_capture *capture);
uint64_t dp_capture_size(const struct dp_capture *capture); /* of the file; 0 for a pipe */
/* BinaryFILE: bytes behind the end-of-session mark. pcapng: blocks that carry no frame and are not
 * needed to read one, and frames of another link type. */
uint64_t dp_capture_skipped(const struct dp_capture *capture);
void dp_capture_close(struct dp_capture *capture); /* NULL is fine */

/* Writing pcap, nanosecond resolution, Ethernet. Buffered. The first failure is kept, nothing is
 * written behind it, and dp_capture_writer_close() tells it with the path. Closing NULL is fine. */
struct dp_capture_writer;
/* NULL with err filled. An existing file is emptied. */
struct dp_capture_writer *dp_capture_writer_open(const char *path, struct dp_err *err);
/* 0 or -errno, that of the first failure from then on. time_ns: 0 .. 2^32 seconds. */
int dp_capture_writer_add(
    struct dp_capture_writer *writer, int64_t time_ns, const uint8_t *data, uint32_t size);
int dp_capture_writer_close(struct dp_capture_writer *writer, struct dp_err *err);

#endif
