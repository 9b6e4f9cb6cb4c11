#include "dp_capture_layout.h"

#include <errno.h>

static int copy_fault(const struct dp_capture *capture, struct dp_err *err)
{
    const struct dp_err *fault = &capture->stream.fault;
    return fault->code == 0 ? 0 : dp_err_set(err, fault->code, "%s", fault->text);
}

static int open_format(struct dp_capture *capture, struct dp_err *err)
{
    struct dp_capture_stream *stream = &capture->stream;
    const uint8_t *data = stream->window;
    dp_capture_stream_refill(stream, 4); /* a magic number, if there is that much */
    size_t size = dp_capture_stream_available(stream);
    if (size == 0 && copy_fault(capture, err) < 0)
        return -stream->fault.code;
    if (size == 0)
        return dp_err_set(err, EINVAL, "%s: is empty; name a recorded session", stream->path);
    if (dp_capture_is_pcap(data, size))
        return dp_capture_pcap_open(capture, err);
    if (dp_capture_is_pcapng(data, size))
        return dp_capture_pcapng_open(capture), 0;
    return dp_capture_binaryfile_open(capture, err);
}

struct dp_capture *dp_capture_open_window(const char *path, size_t window_size, struct dp_err *err)
{
    DP_ASSERT(window_size >= 32);
    struct dp_capture *capture = calloc(1, sizeof(*capture));
    if (capture == NULL) {
        dp_err_set(err, ENOMEM, "%s: no memory for reading it", path);
        return NULL;
    }
    if (dp_capture_stream_open(&capture->stream, path, window_size, err) < 0) {
        free(capture);
        return NULL;
    }
    if (open_format(capture, err) < 0) {
        dp_capture_close(capture);
        return NULL;
    }
    return capture;
}

struct dp_capture *dp_capture_open(const char *path, struct dp_err *err)
{
    return dp_capture_open_window(path, DP_CAPTURE_WINDOW_SIZE, err);
}

/* The stream is over: was it over between two records? */
static void check_end(struct dp_capture *capture)
{
    struct dp_capture_stream *stream = &capture->stream;
    size_t available = dp_capture_stream_available(stream);
    size_t header_size = capture->header_size;
    if (available == 0 && capture->delivered == 0 && capture->has_other_link)
        dp_err_set(&stream->fault, EINVAL,
            "%s: link type is %u (%s); only Ethernet (1) is read; capture on the interface itself",
            stream->path, capture->link_type_other, dp_capture_link_name(capture->link_type_other));
    /* A zero length alone ends a session, also where all lengths are zero. */
    bool is_end_mark = capture->format == DP_CAPTURE_BINARYFILE_BARE && available == header_size &&
        dp_load_be16(stream->window + stream->head) == 0;
    if (available == 0 || is_end_mark)
        return;
    if (available < header_size)
        dp_capture_stream_fault(stream, EBADMSG,
            "record header of %zu bytes is cut short after %zu", header_size, available);
    else
        dp_capture_stream_fault(stream, EBADMSG, "record of %zu bytes is cut short after %zu",
            capture->wanted - header_size, available - header_size);
}

uint32_t dp_capture_read(
    struct dp_capture *capture, struct dp_capture_record *records, uint32_t max)
{
    DP_ASSERT(max > 0);
    struct dp_capture_stream *stream = &capture->stream;
    for (;;) {
        uint32_t count = capture->read(capture, records, max);
        capture->delivered += count;
        if (count > 0)
            return count;
        /* A stream's own fault (a cut gzip) comes after the whole records in front of it, a
         * reader's at once: both leave nothing more to deliver when the window has no record. */
        if (stream->fault.code != 0 || !dp_capture_stream_refill(stream, capture->wanted))
            break;
    }
    if (stream->fault.code == 0)
        check_end(capture);
    return 0;
}

enum dp_capture_format dp_capture_format(const struct dp_capture *capture)
{
    return capture->format;
}

const char *dp_capture_format_name(enum dp_capture_format format)
{
    switch (format) {
    case DP_CAPTURE_BINARYFILE: return "BinaryFILE";
    case DP_CAPTURE_BINARYFILE_BARE: return "BinaryFILE with zero lengths";
    case DP_CAPTURE_PCAP: return "pcap";
    case DP_CAPTURE_PCAPNG: return "pcapng";
    }
    return "unknown";
}

int dp_capture_status(const struct dp_capture *capture, struct dp_err *err)
{
    return copy_fault(capture, err);
}

uint64_t dp_capture_position(const struct dp_capture *capture)
{
    return dp_capture_stream_position(&capture->stream);
}

uint64_t dp_capture_size(const struct dp_capture *capture)
{
    return capture->stream.file_size;
}

uint64_t dp_capture_skipped(const struct dp_capture *capture)
{
    return capture->skipped;
}

void dp_capture_close(struct dp_capture *capture)
{
    if (capture == NULL)
        return;
    dp_capture_stream_close(&capture->stream);
    free(capture);
}
