#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dp_capture.h"

#define BUF_SIZE (256u << 10)
#define FILE_HEADER_SIZE 24u
#define RECORD_HEADER_SIZE 16u
#define FRAME_SIZE_MAX (BUF_SIZE - RECORD_HEADER_SIZE)
#define SNAP_SIZE (256u << 10)

struct dp_capture_writer {
    int fd;
    char *path;
    size_t used;         /* bytes of buf */
    struct dp_err fault; /* the first failure; nothing is written behind it */
    uint8_t buf[BUF_SIZE];
};

/* The file is little-endian on every machine, so that the same frames are the same bytes. */
static void store_le32(uint8_t *bytes, uint32_t value)
{
    dp_store_be32(bytes, __builtin_bswap32(value));
}

static int flush(struct dp_capture_writer *writer)
{
    size_t written = 0;
    while (writer->fault.code == 0 && written < writer->used) {
        ssize_t result = write(writer->fd, writer->buf + written, writer->used - written);
        if (result >= 0)
            written += (size_t)result;
        else if (errno != EINTR)
            dp_err_set(&writer->fault, errno,
                "%s: writing failed: %s; free some space or name another file", writer->path,
                strerror(errno));
    }
    writer->used = 0;
    return -writer->fault.code;
}

static void put_file_header(struct dp_capture_writer *writer)
{
    uint8_t *header = writer->buf;
    store_le32(header, 0xa1b23c4d);      /* nanoseconds */
    store_le32(header + 4, 2 | 4 << 16); /* version 2.4 */
    store_le32(header + 8, 0);
    store_le32(header + 12, 0);
    store_le32(header + 16, SNAP_SIZE);
    store_le32(header + 20, 1); /* Ethernet */
    writer->used = FILE_HEADER_SIZE;
}

struct dp_capture_writer *dp_capture_writer_open(const char *path, struct dp_err *err)
{
    struct dp_capture_writer *writer = calloc(1, sizeof(*writer));
    char *path_copy = strdup(path);
    if (writer == NULL || path_copy == NULL) {
        dp_err_set(err, ENOMEM, "%s: no memory for writing it", path);
        goto fail;
    }
    writer->path = path_copy;
    writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd < 0) {
        dp_err_set(
            err, errno, "%s: cannot be written: %s; name another file", path, strerror(errno));
        goto fail;
    }
    put_file_header(writer);
    return writer;

fail:
    free(path_copy);
    free(writer);
    return NULL;
}

static int refuse(struct dp_capture_writer *writer, const char *what, long long value)
{
    if (writer->fault.code == 0)
        dp_err_set(&writer->fault, EINVAL, "%s: %s: %lld; a pcap cannot hold it", writer->path,
            what, value);
    return -writer->fault.code;
}

int dp_capture_writer_add(
    struct dp_capture_writer *writer, int64_t time_ns, const uint8_t *data, uint32_t size)
{
    if (time_ns < 0 || time_ns / 1000000000 > UINT32_MAX)
        return refuse(writer, "time in nanoseconds since 1970", time_ns);
    if (size > FRAME_SIZE_MAX)
        return refuse(writer, "frame size", size);
    if (writer->used + RECORD_HEADER_SIZE + size > BUF_SIZE)
        flush(writer);
    if (writer->fault.code != 0)
        return -writer->fault.code;
    uint8_t *record = writer->buf + writer->used;
    store_le32(record, (uint32_t)(time_ns / 1000000000));
    store_le32(record + 4, (uint32_t)(time_ns % 1000000000));
    store_le32(record + 8, size);
    store_le32(record + 12, size);
    memcpy(record + RECORD_HEADER_SIZE, data, size);
    writer->used += RECORD_HEADER_SIZE + size;
    return 0;
}

int dp_capture_writer_close(struct dp_capture_writer *writer, struct dp_err *err)
{
    if (writer == NULL)
        return 0;
    flush(writer);
    /* Some file systems tell about a full disk only here. */
    if (close(writer->fd) < 0 && writer->fault.code == 0)
        dp_err_set(&writer->fault, errno, "%s: writing failed: %s", writer->path, strerror(errno));
    int result = -writer->fault.code;
    if (result < 0)
        dp_err_set(err, writer->fault.code, "%s", writer->fault.text);
    free(writer->path);
    free(writer);
    return result;
}
