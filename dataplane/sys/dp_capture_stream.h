/*
 * dp_capture_stream - the bytes of a file, plain or gzip, through one sliding window.
 *
 *     window:  [ consumed | head ... tail | free ]
 *
 * What lies between head and tail stays where it is until the next refill or skip, so a reader that
 * stops in front of the first incomplete record hands out pointers that live until it is called
 * again. Memory is constant: the window and, for gzip, one buffer of compressed bytes. Files are
 * read and never mapped: a file that is cut while mapped would kill the process.
 *
 * For dp_capture*.c and its tests only. One thread per stream.
 */
#ifndef DP_CAPTURE_STREAM_H
#define DP_CAPTURE_STREAM_H

#include <zlib.h>

#include "dp_base.h"
#include "dp_err.h"

struct dp_capture_stream {
    char *path; /* our copy, for messages */
    int fd;
    bool is_gzip;
    bool is_member_open; /* gzip: inside a member, so the end of the file would be a cut */
    bool is_regular;
    bool ended; /* nothing comes behind tail any more */
    uint8_t *window;
    size_t window_size;
    size_t head;
    size_t tail;
    uint64_t offset;    /* of window[0] in the uncompressed stream */
    uint64_t file_read; /* bytes taken from the file so far */
    uint64_t file_size; /* of a regular file, else 0 */
    z_stream inflater;
    uint8_t *input;      /* compressed bytes, gzip only */
    struct dp_err fault; /* the first thing that was wrong; code 0: nothing */
};

/* 0 or -errno. On success the window is filled once, so that content can be looked at. */
int dp_capture_stream_open(
    struct dp_capture_stream *stream, const char *path, size_t window_size, struct dp_err *err);
void dp_capture_stream_close(struct dp_capture_stream *stream);

/* Brings `wanted` bytes between head and tail if the file has them, and as many more as fit.
 * False when it has not, or on a fault: they would not fit the window, or reading failed. */
bool dp_capture_stream_refill(struct dp_capture_stream *stream, size_t wanted);
/* Steps over `count` bytes, moving the window as needed; returns how many there were. */
uint64_t dp_capture_stream_skip(struct dp_capture_stream *stream, uint64_t count);
/* Ends the stream here; returns the bytes that were left, not read where possible. */
uint64_t dp_capture_stream_end(struct dp_capture_stream *stream);
/* Keeps the first fault: `PATH: byte OFFSET: ` and the text, about the byte at head. */
void dp_capture_stream_fault(struct dp_capture_stream *stream, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Bytes of the file that are behind us: compressed ones for gzip. */
uint64_t dp_capture_stream_position(const struct dp_capture_stream *stream);

static inline size_t dp_capture_stream_available(const struct dp_capture_stream *stream)
{
    return stream->tail - stream->head;
}

static inline uint64_t dp_capture_stream_offset(const struct dp_capture_stream *stream)
{
    return stream->offset + stream->head;
}

#endif
