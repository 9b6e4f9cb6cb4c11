#include "dp_capture_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_SIZE (256u << 10)
/* One read never asks for more, so that sizes stay far below SSIZE_MAX. */
#define READ_SIZE_MAX (1u << 30)
#define GZIP_WINDOW_BITS (15 + 16) /* zlib: the largest window, gzip framing only */

void dp_capture_stream_fault(struct dp_capture_stream *stream, int code, const char *format, ...)
{
    if (stream->fault.code != 0)
        return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    dp_err_set(&stream->fault, code, "%s: byte %" PRIu64 ": %s", stream->path,
        dp_capture_stream_offset(stream), text);
}

/* Bytes read, 0 at the end or on a fault. EINTR is a fault too: only a signal that somebody handles
 * causes it, and whoever handles it wants to be heard. */
static size_t read_file(struct dp_capture_stream *stream, uint8_t *data, size_t size)
{
    ssize_t got = read(stream->fd, data, size < READ_SIZE_MAX ? size : READ_SIZE_MAX);
    if (got < 0) {
        int code = errno;
        dp_err_set(&stream->fault, code, "%s: byte %" PRIu64 " of the file: reading failed: %s",
            stream->path, stream->file_read, strerror(code));
        return 0;
    }
    stream->file_read += (uint64_t)got;
    return (size_t)got;
}

static void gzip_fault(struct dp_capture_stream *stream, const char *what)
{
    if (stream->fault.code == 0)
        dp_err_set(&stream->fault, EBADMSG, "%s: byte %" PRIu64 " of the file: %s; fetch it again",
            stream->path, dp_capture_stream_position(stream), what);
}

/* True when compressed bytes wait in the input buffer. */
static bool feed_inflater(struct dp_capture_stream *stream)
{
    z_stream *inflater = &stream->inflater;
    if (inflater->avail_in == 0) {
        inflater->next_in = stream->input;
        inflater->avail_in = (uInt)read_file(stream, stream->input, INPUT_SIZE);
    }
    /* Tools pad archives with zeros behind the last member; no member begins with one. */
    while (!stream->is_member_open && inflater->avail_in > 0 && *inflater->next_in == 0) {
        inflater->next_in++;
        inflater->avail_in--;
    }
    return inflater->avail_in > 0;
}

/* One round of inflate; true while it may be called again. */
static bool inflate_once(struct dp_capture_stream *stream)
{
    uint64_t read_before = stream->file_read;
    if (!feed_inflater(stream)) {
        if (!stream->is_member_open && stream->file_read != read_before)
            return true; /* a whole buffer of padding */
        if (stream->is_member_open)
            gzip_fault(stream, "the gzip data is cut short");
        return false;
    }
    stream->is_member_open = true;
    int result = inflate(&stream->inflater, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
        stream->is_member_open = false;
        return inflateReset(&stream->inflater) == Z_OK;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        gzip_fault(stream, "the gzip data is damaged");
        return false;
    }
    return true;
}

/* Bytes written to data: 0 at the end or on a fault. */
static size_t read_gzip(struct dp_capture_stream *stream, uint8_t *data, size_t size)
{
    z_stream *inflater = &stream->inflater;
    uInt room = (uInt)(size < READ_SIZE_MAX ? size : READ_SIZE_MAX);
    inflater->next_out = data;
    inflater->avail_out = room;
    while (inflater->avail_out == room && inflate_once(stream))
        continue;
    return room - inflater->avail_out;
}

static void slide(struct dp_capture_stream *stream)
{
    size_t kept = dp_capture_stream_available(stream);
    memmove(stream->window, stream->window + stream->head, kept);
    stream->offset += stream->head;
    stream->head = 0;
    stream->tail = kept;
}

bool dp_capture_stream_refill(struct dp_capture_stream *stream, size_t wanted)
{
    if (wanted > stream->window_size) {
        dp_capture_stream_fault(stream, EBADMSG, "record of %zu bytes; more than %zu are not read",
            wanted, stream->window_size);
        return false;
    }
    slide(stream);
    while (dp_capture_stream_available(stream) < wanted && !stream->ended) {
        uint8_t *free_bytes = stream->window + stream->tail;
        size_t free_size = stream->window_size - stream->tail;
        size_t got = stream->is_gzip ? read_gzip(stream, free_bytes, free_size)
                                     : read_file(stream, free_bytes, free_size);
        stream->tail += got;
        stream->ended = got == 0;
    }
    return dp_capture_stream_available(stream) >= wanted;
}

uint64_t dp_capture_stream_skip(struct dp_capture_stream *stream, uint64_t count)
{
    uint64_t left = count;
    do {
        size_t available = dp_capture_stream_available(stream);
        size_t step = left < available ? (size_t)left : available;
        stream->head += step;
        left -= step;
    } while (left > 0 && dp_capture_stream_refill(stream, 1));
    return count - left;
}

uint64_t dp_capture_stream_end(struct dp_capture_stream *stream)
{
    uint64_t left = 0;
    if (stream->is_regular && !stream->is_gzip) {
        uint64_t position = dp_capture_stream_position(stream);
        left = stream->file_size > position ? stream->file_size - position : 0;
        stream->file_read = position + left;
    } else {
        left = dp_capture_stream_skip(stream, UINT64_MAX);
    }
    stream->head = stream->tail;
    stream->ended = true;
    return left;
}

uint64_t dp_capture_stream_position(const struct dp_capture_stream *stream)
{
    if (stream->is_gzip)
        return stream->file_read - stream->inflater.avail_in;
    return stream->file_read - dp_capture_stream_available(stream);
}

static int open_file(struct dp_capture_stream *stream, struct dp_err *err)
{
    const char *path = stream->path;
    stream->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0 && errno == ENOENT)
        return dp_err_set(err, ENOENT, "%s: no such file; name a recorded session", path);
    struct stat status;
    if (stream->fd < 0 || fstat(stream->fd, &status) < 0)
        return dp_err_set(err, errno, "%s: cannot be opened: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return dp_err_set(err, EISDIR, "%s: is a directory; name a recorded session", path);
    stream->is_regular = S_ISREG(status.st_mode);
    stream->file_size = stream->is_regular ? (uint64_t)status.st_size : 0;
    return 0;
}

/* What was read so far becomes the inflater's input and the window starts anew. */
static int start_gzip(struct dp_capture_stream *stream, struct dp_err *err)
{
    size_t available = stream->tail;
    stream->input = malloc(available > INPUT_SIZE ? available : INPUT_SIZE);
    if (stream->input == NULL || inflateInit2(&stream->inflater, GZIP_WINDOW_BITS) != Z_OK) {
        free(stream->input);
        stream->input = NULL;
        return dp_err_set(err, ENOMEM, "%s: no memory for reading gzip", stream->path);
    }
    memcpy(stream->input, stream->window, available);
    stream->inflater.next_in = stream->input;
    stream->inflater.avail_in = (uInt)available;
    stream->is_gzip = true;
    stream->tail = 0;
    stream->ended = false;
    dp_capture_stream_refill(stream, 1);
    return 0;
}

static int open_stream(struct dp_capture_stream *stream, struct dp_err *err)
{
    static const uint8_t gzip_magic[3] = {0x1f, 0x8b, 0x08}; /* 8 is deflate, the only method */
    if (stream->path == NULL || stream->window == NULL)
        return dp_err_set(err, ENOMEM, "capture: no memory for a window");
    int result = open_file(stream, err);
    if (result < 0)
        return result;
    if (dp_capture_stream_refill(stream, sizeof(gzip_magic)) &&
        memcmp(stream->window, gzip_magic, sizeof(gzip_magic)) == 0)
        return start_gzip(stream, err);
    return 0;
}

int dp_capture_stream_open(
    struct dp_capture_stream *stream, const char *path, size_t window_size, struct dp_err *err)
{
    *stream = (struct dp_capture_stream){.fd = -1, .window_size = window_size};
    stream->path = strdup(path);
    stream->window = malloc(window_size);
    int result = open_stream(stream, err);
    if (result < 0)
        dp_capture_stream_close(stream);
    return result;
}

void dp_capture_stream_close(struct dp_capture_stream *stream)
{
    if (stream->is_gzip)
        inflateEnd(&stream->inflater);
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream->input);
    free(stream->window);
    free(stream->path);
}
