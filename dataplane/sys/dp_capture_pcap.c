#include <errno.h>

#include "dp_capture_layout.h"

#define FILE_HEADER_SIZE 24u
#define RECORD_HEADER_SIZE 16u
#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define LINK_TYPE_MASK 0xffffu /* the bits above tell about checksums behind the frame */

static uint32_t load32(const struct dp_capture *capture, const uint8_t *bytes)
{
    uint32_t value = dp_load_be32(bytes);
    return capture->big_endian ? value : __builtin_bswap32(value);
}

bool dp_capture_is_pcap(const uint8_t *data, size_t size)
{
    if (size < 4)
        return false;
    uint32_t magic = dp_load_be32(data);
    uint32_t swapped = __builtin_bswap32(magic);
    return magic == MAGIC_MICRO || magic == MAGIC_NANO || swapped == MAGIC_MICRO ||
        swapped == MAGIC_NANO;
}

const char *dp_capture_link_name(uint32_t link_type)
{
    static const struct {
        uint32_t link_type;
        const char *name;
    } names[] = {
        {0, "NULL"},
        {1, "ETHERNET"},
        {6, "IEEE802_5"},
        {8, "SLIP"},
        {9, "PPP"},
        {12, "RAW"},
        {14, "RAW"},
        {101, "RAW"},
        {105, "IEEE802_11"},
        {108, "LOOP"},
        {113, "LINUX_SLL"},
        {127, "IEEE802_11_RADIOTAP"},
        {228, "IPV4"},
        {229, "IPV6"},
        {276, "LINUX_SLL2"},
    };
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++)
        if (names[index].link_type == link_type)
            return names[index].name;
    return "a kind without a name here";
}

static void deliver(
    struct dp_capture *capture, struct dp_capture_record *record, const uint8_t *header)
{
    struct dp_capture_stream *stream = &capture->stream;
    uint32_t size = load32(capture, header + 8);
    uint32_t original_size = load32(capture, header + 12);
    *record = (struct dp_capture_record){
        .data = header + RECORD_HEADER_SIZE,
        .size = size,
        .original_size = original_size > size ? original_size : size,
        .time_ns = (int64_t)load32(capture, header) * 1000000000 +
            (int64_t)load32(capture, header + 4) * capture->time_unit_ns,
        .offset = dp_capture_stream_offset(stream),
    };
    stream->head += RECORD_HEADER_SIZE + size;
}

static uint32_t read_pcap(
    struct dp_capture *capture, struct dp_capture_record *records, uint32_t max)
{
    struct dp_capture_stream *stream = &capture->stream;
    uint32_t count = 0;
    for (; count < max; count++) {
        capture->wanted = RECORD_HEADER_SIZE;
        if (dp_capture_stream_available(stream) < capture->wanted)
            break;
        const uint8_t *header = stream->window + stream->head;
        uint32_t size = load32(capture, header + 8);
        if (DP_UNLIKELY(size > DP_CAPTURE_FRAME_MAX)) {
            dp_capture_stream_fault(stream, EBADMSG,
                "record of %u bytes; no frame has more than %u: the file is damaged here", size,
                DP_CAPTURE_FRAME_MAX);
            break;
        }
        capture->wanted = RECORD_HEADER_SIZE + size;
        if (dp_capture_stream_available(stream) < capture->wanted)
            break;
        deliver(capture, &records[count], header);
    }
    return count;
}

int dp_capture_pcap_open(struct dp_capture *capture, struct dp_err *err)
{
    struct dp_capture_stream *stream = &capture->stream;
    if (!dp_capture_stream_refill(stream, FILE_HEADER_SIZE))
        return dp_err_set(err, EBADMSG,
            "%s: byte 0: pcap header of %u bytes is cut short after %zu", stream->path,
            FILE_HEADER_SIZE, dp_capture_stream_available(stream));
    uint32_t magic = dp_load_be32(stream->window);
    capture->big_endian = magic == MAGIC_MICRO || magic == MAGIC_NANO;
    magic = load32(capture, stream->window);
    uint32_t link_type = load32(capture, stream->window + 20) & LINK_TYPE_MASK;
    if (link_type != DP_CAPTURE_LINK_ETHERNET)
        return dp_err_set(err, EINVAL,
            "%s: link type is %u (%s); only Ethernet (1) is read; capture on the interface itself",
            stream->path, link_type, dp_capture_link_name(link_type));
    capture->format = DP_CAPTURE_PCAP;
    capture->time_unit_ns = magic == MAGIC_NANO ? 1 : 1000;
    capture->header_size = RECORD_HEADER_SIZE;
    capture->read = read_pcap;
    stream->head = FILE_HEADER_SIZE;
    return 0;
}
