/*
 * capture_file - files for the tests of captures: bytes put together in memory, written, read back.
 */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "check.h"
#include "dp_capture_layout.h"

struct bytes {
    uint8_t data[1 << 16];
    size_t size;
    bool big_endian; /* for put16() and put32() */
};

static char capture_path[64];

static inline void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static inline void put16(struct bytes *bytes, uint16_t value)
{
    value = bytes->big_endian ? __builtin_bswap16(value) : value;
    put(bytes, &value, sizeof(value));
}

static inline void put32(struct bytes *bytes, uint32_t value)
{
    value = bytes->big_endian ? __builtin_bswap32(value) : value;
    put(bytes, &value, sizeof(value));
}

static inline void put_pcap_header(struct bytes *bytes, uint32_t magic, uint32_t link_type)
{
    const uint32_t words[] = {magic, 2 | 4 << 16, 0, 0, 65535, link_type};
    for (size_t index = 0; index < sizeof(words) / sizeof(words[0]); index++)
        put32(bytes, words[index]);
}

static inline void put_pcap_record(
    struct bytes *bytes, uint32_t seconds, uint32_t fraction, const char *frame)
{
    put32(bytes, seconds);
    put32(bytes, fraction);
    put32(bytes, (uint32_t)strlen(frame));
    put32(bytes, (uint32_t)strlen(frame));
    put(bytes, frame, strlen(frame));
}

/* A pcapng block around its body, padded. */
static inline void put_block(struct bytes *bytes, uint32_t type, const struct bytes *body)
{
    uint32_t padding = (4 - body->size % 4) % 4;
    uint32_t size = (uint32_t)body->size + padding + 12;
    put32(bytes, type);
    put32(bytes, size);
    put(bytes, body->data, body->size);
    put(bytes, "\0\0\0", padding);
    put32(bytes, size);
}

static inline void put_section(struct bytes *bytes)
{
    struct bytes body = {.big_endian = bytes->big_endian};
    put32(&body, 0x1a2b3c4d);
    put16(&body, 1);
    put16(&body, 0);
    put32(&body, UINT32_MAX);
    put32(&body, UINT32_MAX);
    put_block(bytes, 0x0a0d0d0a, &body);
}

/* resolution below zero: no option says anything. */
static inline void put_interface(
    struct bytes *bytes, uint16_t link_type, uint32_t snap_size, int resolution)
{
    struct bytes body = {.big_endian = bytes->big_endian};
    put16(&body, link_type);
    put16(&body, 0);
    put32(&body, snap_size);
    if (resolution >= 0) {
        put16(&body, 9);
        put16(&body, 1);
        put(&body, &(uint8_t){(uint8_t)resolution}, 1);
        put(&body, "\0\0\0", 3);
        put32(&body, 0);
    }
    put_block(bytes, 1, &body);
}

static inline void put_enhanced(
    struct bytes *bytes, uint32_t interface, uint64_t ticks, const char *frame)
{
    struct bytes body = {.big_endian = bytes->big_endian};
    put32(&body, interface);
    put32(&body, (uint32_t)(ticks >> 32));
    put32(&body, (uint32_t)ticks);
    put32(&body, (uint32_t)strlen(frame));
    put32(&body, (uint32_t)strlen(frame));
    put(&body, frame, strlen(frame));
    put_block(bytes, 6, &body);
}

static inline void write_file(const void *data, size_t size)
{
    if (capture_path[0] == '\0') {
        strcpy(capture_path, "/tmp/test_capture_XXXXXX");
        close(mkstemp(capture_path));
    }
    FILE *file = fopen(capture_path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* One gzip member. */
static inline void put_gzip(struct bytes *bytes, const void *data, size_t size)
{
    z_stream deflater = {0};
    if (deflateInit2(&deflater, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    deflater.next_in = (Bytef *)(uintptr_t)data;
    deflater.avail_in = (uInt)size;
    deflater.next_out = bytes->data + bytes->size;
    deflater.avail_out = (uInt)(sizeof(bytes->data) - bytes->size);
    if (deflate(&deflater, Z_FINISH) != Z_STREAM_END)
        abort();
    bytes->size = (size_t)(deflater.next_out - bytes->data);
    deflateEnd(&deflater);
}

/* What a file gave, as text: "offset:time:size/original:data" a record, then the status. */
static inline const char *read_all(size_t window_size, uint32_t max)
{
    static char text[1 << 18];
    struct dp_capture_record records[16];
    struct dp_err err = {0};
    size_t used = 0;
    uint32_t count;
    text[0] = '\0';
    struct dp_capture *capture = dp_capture_open_window(capture_path, window_size, &err);
    while (capture != NULL && (count = dp_capture_read(capture, records, max)) > 0)
        for (uint32_t index = 0; index < count; index++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%llu:%lld:%u/%u:%.*s\n",
                (unsigned long long)records[index].offset, (long long)records[index].time_ns,
                records[index].size, records[index].original_size, (int)records[index].size,
                (const char *)records[index].data);
    if (capture != NULL)
        dp_capture_status(capture, &err);
    if (err.code != 0) /* without the path, which is another one in each run */
        snprintf(
            text + used, sizeof(text) - used, "%d%s", err.code, err.text + strlen(capture_path));
    dp_capture_close(capture);
    return text;
}

/* Records straddle refills: every file is read through windows hardly larger than a record, in
 * batches of all sizes, and must give what the big window gives. */
#define CAPTURE_WINDOW_COUNT 6
static const size_t window_sizes[CAPTURE_WINDOW_COUNT] = {
    64, 65, 71, 100, 4096, DP_CAPTURE_WINDOW_SIZE};

static inline void check_reads(const char *name, const char *expected)
{
    for (size_t index = 0; index < CAPTURE_WINDOW_COUNT; index++)
        for (uint32_t max = 1; max <= 16; max += 5) {
            const char *text = read_all(window_sizes[index], max);
            CHECK_THAT(strcmp(text, expected) == 0, "%s, window %zu, batch %u: '%s'; expected '%s'",
                name, window_sizes[index], max, text, expected);
        }
}

static inline void check_bytes(
    const char *name, const void *data, size_t size, const char *expected)
{
    write_file(data, size);
    check_reads(name, expected);
}

#endif
