#include <errno.h>

#include "dp_capture_layout.h"
#include "dp_itch.h"

#define PREFIX_SIZE 2u

static void deliver(struct dp_capture *capture, struct dp_capture_record *record, uint32_t size)
{
    struct dp_capture_stream *stream = &capture->stream;
    *record = (struct dp_capture_record){
        .data = stream->window + stream->head + PREFIX_SIZE,
        .size = size,
        .original_size = size,
        .offset = dp_capture_stream_offset(stream),
    };
    stream->head += PREFIX_SIZE + size;
}

static uint32_t read_prefixed(
    struct dp_capture *capture, struct dp_capture_record *records, uint32_t max)
{
    struct dp_capture_stream *stream = &capture->stream;
    uint32_t count = 0;
    for (; count < max; count++) {
        capture->wanted = PREFIX_SIZE;
        if (dp_capture_stream_available(stream) < PREFIX_SIZE)
            break;
        uint32_t size = dp_load_be16(stream->window + stream->head);
        if (DP_UNLIKELY(size == 0)) {
            /* Ending the stream may move the window: the records in hand go out first. */
            if (count > 0)
                break;
            stream->head += PREFIX_SIZE;
            capture->skipped = dp_capture_stream_end(stream);
            break;
        }
        capture->wanted = PREFIX_SIZE + size;
        if (dp_capture_stream_available(stream) < PREFIX_SIZE + size)
            break;
        deliver(capture, &records[count], size);
    }
    return count;
}

/* Size of the message behind a zero prefix; 0 when it is not all in the window (`wanted` says what
 * is missing) or cannot be told (a fault). */
static uint32_t bare_size(struct dp_capture *capture)
{
    struct dp_capture_stream *stream = &capture->stream;
    const uint8_t *data = stream->window + stream->head;
    uint32_t prefix = dp_load_be16(data);
    uint32_t size = dp_itch_length(data[PREFIX_SIZE]);
    if (prefix != 0)
        dp_capture_stream_fault(
            stream, EBADMSG, "length is %u in a file whose lengths are all zero", prefix);
    else if (size == 0)
        dp_capture_stream_fault(stream, EBADMSG,
            "message type 0x%02x is unknown and its length is zero; nothing tells where the next "
            "one begins",
            data[PREFIX_SIZE]);
    if (prefix != 0 || size == 0)
        return 0;
    capture->wanted = PREFIX_SIZE + size;
    return dp_capture_stream_available(stream) < capture->wanted ? 0 : size;
}

static uint32_t read_bare(
    struct dp_capture *capture, struct dp_capture_record *records, uint32_t max)
{
    struct dp_capture_stream *stream = &capture->stream;
    uint32_t count = 0;
    for (; count < max; count++) {
        capture->wanted = PREFIX_SIZE + 1;
        if (dp_capture_stream_available(stream) < capture->wanted)
            break;
        uint32_t size = bare_size(capture);
        if (size == 0)
            break;
        deliver(capture, &records[count], size);
    }
    return count;
}

int dp_capture_binaryfile_open(struct dp_capture *capture, struct dp_err *err)
{
    struct dp_capture_stream *stream = &capture->stream;
    const uint8_t *data = stream->window;
    size_t size = dp_capture_stream_available(stream);
    capture->format = DP_CAPTURE_BINARYFILE;
    capture->header_size = PREFIX_SIZE;
    capture->read = read_prefixed;
    /* Two zero bytes alone are a session without a message. */
    if (size <= PREFIX_SIZE || dp_load_be16(data) != 0)
        return 0;
    if (dp_itch_length(data[PREFIX_SIZE]) == 0)
        return dp_err_set(err, EINVAL,
            "%s: byte 0: zero length and no message type behind it; this is no BinaryFILE",
            stream->path);
    capture->format = DP_CAPTURE_BINARYFILE_BARE;
    capture->read = read_bare;
    return 0;
}
