#include <errno.h>

#include "dp_capture_layout.h"

/* Every block: type (4), total length (4), body, total length again (4); padded to 32 bits. */
#define BLOCK_SIZE_MIN 12u
#define BLOCK_SECTION 0x0a0d0d0au /* reads the same in both byte orders */
#define BLOCK_INTERFACE 1u
#define BLOCK_SIMPLE_PACKET 3u
#define BLOCK_ENHANCED_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define SECTION_SIZE_MIN 28u
#define INTERFACE_SIZE_MIN 20u
#define INTERFACE_OPTIONS 16u /* where they begin */
#define SIMPLE_SIZE_MIN 16u
#define SIMPLE_DATA 12u
#define ENHANCED_SIZE_MIN 32u
#define ENHANCED_DATA 28u
#define OPTION_TSRESOL 9u
#define OPTION_TSOFFSET 14u

enum outcome { FAULT, NOTHING, RECORD };

static uint32_t load32(const struct dp_capture *capture, const uint8_t *bytes)
{
    uint32_t value = dp_load_be32(bytes);
    return capture->big_endian ? value : __builtin_bswap32(value);
}

static uint16_t load16(const struct dp_capture *capture, const uint8_t *bytes)
{
    uint16_t value = dp_load_be16(bytes);
    return capture->big_endian ? value : __builtin_bswap16(value);
}

bool dp_capture_is_pcapng(const uint8_t *data, size_t size)
{
    return size >= 4 && dp_load_be32(data) == BLOCK_SECTION;
}

static bool fault(struct dp_capture *capture, const char *text, uint64_t value)
{
    dp_capture_stream_fault(&capture->stream, EBADMSG, "%s: %llu; the file is damaged here", text,
        (unsigned long long)value);
    return false;
}

static bool set_resolution(
    struct dp_capture *capture, struct dp_capture_interface *interface, uint8_t resolution)
{
    uint32_t exponent = resolution & 0x7f;
    bool is_binary = (resolution & 0x80) != 0;
    /* Beyond this a tick is so short that 64 bits of them last less than 20 seconds. */
    if (exponent > (is_binary ? 60u : 18u))
        return fault(capture, "if_tsresol", resolution);
    interface->time_multiplier = 1000000000;
    interface->time_divisor = 1;
    for (uint32_t power = 0; power < exponent; power++)
        interface->time_divisor *= is_binary ? 2 : 10;
    return true;
}

static bool set_option(struct dp_capture *capture, struct dp_capture_interface *interface,
    uint32_t code, const uint8_t *value, uint32_t size)
{
    if (code == OPTION_TSRESOL && size >= 1)
        return set_resolution(capture, interface, value[0]);
    if (code == OPTION_TSOFFSET && size >= 8) {
        uint64_t offset_be = dp_load_be64(value);
        interface->time_offset_s =
            (int64_t)(capture->big_endian ? offset_be : __builtin_bswap64(offset_be));
    }
    return true;
}

static bool read_options(struct dp_capture *capture, struct dp_capture_interface *interface,
    const uint8_t *options, const uint8_t *end)
{
    while (end - options >= 4) {
        uint32_t code = load16(capture, options);
        uint32_t size = load16(capture, options + 2);
        const uint8_t *value = options + 4;
        if (code == 0)
            break;
        if ((size_t)(end - value) < dp_round_up(size, 4))
            return fault(capture, "option runs past its block; option size", size);
        if (!set_option(capture, interface, code, value, size))
            return false;
        options = value + dp_round_up(size, 4);
    }
    return true;
}

static bool read_interface(struct dp_capture *capture, const uint8_t *block, uint32_t size)
{
    if (capture->interface_count == DP_CAPTURE_INTERFACE_MAX)
        return fault(capture, "interfaces in one section, too many", DP_CAPTURE_INTERFACE_MAX + 1);
    struct dp_capture_interface *interface = &capture->interfaces[capture->interface_count++];
    *interface = (struct dp_capture_interface){
        .link_type = load16(capture, block + 8),
        .snap_size = load32(capture, block + 12),
        .time_multiplier = 1000000000,
        .time_divisor = 1000000, /* microseconds, where no option says otherwise */
    };
    return read_options(capture, interface, block + INTERFACE_OPTIONS, block + size - 4);
}

/* A time that does not fit is as wrong as none: the nearest end of the range. */
static int64_t time_ns(const struct dp_capture_interface *interface, uint64_t ticks)
{
    dp_money_nanos time = (dp_money_nanos)ticks * (int64_t)interface->time_multiplier /
            (int64_t)interface->time_divisor +
        (dp_money_nanos)interface->time_offset_s * 1000000000;
    return time > INT64_MAX ? INT64_MAX : time < INT64_MIN ? INT64_MIN : (int64_t)time;
}

/* NOTHING: a frame of another link type, counted. */
static enum outcome deliver(struct dp_capture *capture, uint32_t interface_index,
    const uint8_t *data, uint32_t room, struct dp_capture_record *record)
{
    if (interface_index >= capture->interface_count)
        return fault(capture, "no such interface", interface_index), FAULT;
    if (record->size > room)
        return fault(capture, "frame runs past its block; frame size", record->size), FAULT;
    const struct dp_capture_interface *interface = &capture->interfaces[interface_index];
    if (interface->link_type != DP_CAPTURE_LINK_ETHERNET) {
        capture->link_type_other = interface->link_type;
        capture->has_other_link = true;
        capture->skipped++;
        return NOTHING;
    }
    record->data = data;
    if (record->original_size < record->size)
        record->original_size = record->size;
    record->offset = dp_capture_stream_offset(&capture->stream);
    return RECORD;
}

static enum outcome read_enhanced(struct dp_capture *capture, const uint8_t *block, uint32_t size,
    struct dp_capture_record *record)
{
    uint32_t index = load32(capture, block + 8);
    *record = (struct dp_capture_record){
        .size = load32(capture, block + 20),
        .original_size = load32(capture, block + 24),
    };
    uint32_t room = size - ENHANCED_SIZE_MIN;
    enum outcome outcome = deliver(capture, index, block + ENHANCED_DATA, room, record);
    if (outcome != RECORD)
        return outcome;
    uint64_t ticks = (uint64_t)load32(capture, block + 12) << 32 | load32(capture, block + 16);
    record->time_ns = time_ns(&capture->interfaces[index], ticks);
    return RECORD;
}

/* No time, and no captured size of its own: what the first interface's snap size left of it. */
static enum outcome read_simple(struct dp_capture *capture, const uint8_t *block, uint32_t size,
    struct dp_capture_record *record)
{
    uint32_t original_size = load32(capture, block + 8);
    uint32_t snap_size = capture->interface_count > 0 ? capture->interfaces[0].snap_size : 0;
    *record = (struct dp_capture_record){
        .size = snap_size != 0 && snap_size < original_size ? snap_size : original_size,
        .original_size = original_size,
    };
    return deliver(capture, 0, block + SIMPLE_DATA, size - SIMPLE_SIZE_MIN, record);
}

static uint32_t size_min(uint32_t type)
{
    switch (type) {
    case BLOCK_SECTION: return SECTION_SIZE_MIN;
    case BLOCK_INTERFACE: return INTERFACE_SIZE_MIN;
    case BLOCK_SIMPLE_PACKET: return SIMPLE_SIZE_MIN;
    case BLOCK_ENHANCED_PACKET: return ENHANCED_SIZE_MIN;
    default: return BLOCK_SIZE_MIN;
    }
}

static bool is_read(uint32_t type)
{
    return size_min(type) != BLOCK_SIZE_MIN;
}

/* One whole block at head. */
static enum outcome read_block(
    struct dp_capture *capture, uint32_t type, uint32_t size, struct dp_capture_record *record)
{
    const uint8_t *block = capture->stream.window + capture->stream.head;
    uint32_t size_again = load32(capture, block + size - 4);
    if (size_again != size)
        return fault(capture, "block's two lengths differ; the second", size_again), FAULT;
    switch (type) {
    case BLOCK_SECTION: capture->interface_count = 0; return NOTHING;
    case BLOCK_INTERFACE: return read_interface(capture, block, size) ? NOTHING : FAULT;
    case BLOCK_SIMPLE_PACKET: return read_simple(capture, block, size, record);
    case BLOCK_ENHANCED_PACKET: return read_enhanced(capture, block, size, record);
    default: capture->skipped++; return NOTHING;
    }
}

/* A section says its byte order itself, in front of its length being readable. */
static bool set_byte_order(struct dp_capture *capture, const uint8_t *block)
{
    uint32_t magic = dp_load_be32(block + 8);
    capture->big_endian = magic == BYTE_ORDER_MAGIC;
    if (!capture->big_endian && __builtin_bswap32(magic) != BYTE_ORDER_MAGIC)
        return fault(capture, "byte-order magic of a section", magic);
    return true;
}

/* Type and size of the block at head. False: more bytes are wanted, or a fault. */
static bool peek(struct dp_capture *capture, uint32_t *type, uint32_t *size)
{
    struct dp_capture_stream *stream = &capture->stream;
    capture->wanted = BLOCK_SIZE_MIN;
    if (dp_capture_stream_available(stream) < BLOCK_SIZE_MIN)
        return false;
    const uint8_t *block = stream->window + stream->head;
    *type = load32(capture, block);
    if (*type == BLOCK_SECTION && !set_byte_order(capture, block))
        return false;
    *size = load32(capture, block + 4);
    if (*size < size_min(*type) || *size % 4 != 0)
        return fault(capture, "block size", *size);
    capture->wanted = *size;
    return true;
}

/* A block that nobody reads may be larger than the window. */
static bool skip_large(struct dp_capture *capture, uint32_t size)
{
    struct dp_capture_stream *stream = &capture->stream;
    uint64_t skipped = dp_capture_stream_skip(stream, size);
    capture->skipped++;
    if (skipped < size)
        dp_capture_stream_fault(stream, EBADMSG, "block of %u bytes is cut short after %llu", size,
            (unsigned long long)skipped);
    return skipped == size;
}

static uint32_t read_pcapng(
    struct dp_capture *capture, struct dp_capture_record *records, uint32_t max)
{
    struct dp_capture_stream *stream = &capture->stream;
    uint32_t count = 0;
    uint32_t type = 0;
    uint32_t size = 0;
    while (count < max && peek(capture, &type, &size)) {
        if (dp_capture_stream_available(stream) < size) {
            /* Skipping moves the window: the records in hand go out first. */
            if (is_read(type) || size <= stream->window_size || count > 0 ||
                !skip_large(capture, size))
                break;
            continue;
        }
        enum outcome outcome = read_block(capture, type, size, &records[count]);
        if (outcome == FAULT)
            break;
        count += outcome == RECORD;
        stream->head += size;
    }
    return count;
}

/* The first section is read like every other. */
void dp_capture_pcapng_open(struct dp_capture *capture)
{
    capture->format = DP_CAPTURE_PCAPNG;
    capture->header_size = BLOCK_SIZE_MIN;
    capture->read = read_pcapng;
}
