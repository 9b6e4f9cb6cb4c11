#include "dp_template.h"

/* Where the fixed headers of every template stand: Ethernet without a tag, IPv4 without options,
 * TCP without options. */
enum {
    IP_OFFSET = 14,
    IP_CHECKSUM_OFFSET = 24,
    IP_SOURCE_OFFSET = 26,
    TCP_OFFSET = 34,
    TCP_CHECKSUM_OFFSET = 50,
    IP_PROTOCOL_TCP = 6,
};

/* One's complement sums: 2^16 and 2^32 are both 1 modulo 65,535, so words of any width may be added
 * as they are and folded once at the end. A word at an odd offset lies across the 16-bit words of
 * the sum: a shift by 8 puts it right (RFC 1071, section 2, byte order independence). */
static uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (uint32_t)sum;
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

static inline uint32_t odd_shift(uint32_t offset)
{
    return offset % 2 * 8;
}

/* Each puts a field into the frame and returns its part of the sum. */
static inline uint64_t put_byte(uint8_t *frame, uint32_t offset, char value)
{
    frame[offset] = (uint8_t)value;
    return (uint64_t)(uint8_t)value << (8 - odd_shift(offset));
}

static inline uint64_t put_be32(uint8_t *frame, uint32_t offset, uint32_t value)
{
    dp_store_be32(frame + offset, value);
    return (uint64_t)value << odd_shift(offset);
}

static inline uint64_t put_be64(uint8_t *frame, uint32_t offset, uint64_t value)
{
    dp_store_be64(frame + offset, value);
    return ((value >> 32) + (uint32_t)value) << odd_shift(offset);
}

/* Eight upper-case hexadecimal digits, the first one in the highest byte. Each nibble is moved into
 * a byte of its own, then all eight become letters at once: adding 6 carries into bit 4 exactly
 * where a nibble is above 9. */
static uint64_t hex_digits(uint32_t value)
{
    uint64_t nibbles = value;
    nibbles = (nibbles << 16 | nibbles) & 0x0000ffff0000ffffull;
    nibbles = (nibbles << 8 | nibbles) & 0x00ff00ff00ff00ffull;
    nibbles = (nibbles << 4 | nibbles) & 0x0f0f0f0f0f0f0f0full;
    uint64_t letters = (nibbles + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
    return nibbles + 0x3030303030303030ull + letters * ('A' - '0' - 10);
}

static uint64_t sum_bytes(const uint8_t *bytes, size_t size)
{
    uint64_t sum = 0;
    for (size_t index = 0; index < size; index++)
        sum += index % 2 == 0 ? (uint64_t)bytes[index] << 8 : bytes[index];
    return sum;
}

void dp_template_seal(struct dp_template *template_)
{
    DP_ASSERT(template_->frame_size <= DP_TEMPLATE_FRAME_MAX && template_->frame_size > TCP_OFFSET);
    uint8_t *frame = template_->frame;
    memset(frame + IP_CHECKSUM_OFFSET, 0, 2);
    memset(frame + TCP_CHECKSUM_OFFSET, 0, 2);
    template_->ip_constant_sum = fold(sum_bytes(frame + IP_OFFSET, TCP_OFFSET - IP_OFFSET));

    uint32_t segment_size = (uint32_t)template_->frame_size - TCP_OFFSET;
    uint64_t pseudo_header =
        sum_bytes(frame + IP_SOURCE_OFFSET, 8) + IP_PROTOCOL_TCP + segment_size;
    template_->constant_sum = fold(pseudo_header + sum_bytes(frame + TCP_OFFSET, segment_size));
}

uint32_t dp_template_build(
    const struct dp_template *template_, const struct dp_template_fields *fields, uint8_t *frame)
{
    memcpy(frame, template_->frame, DP_TEMPLATE_FRAME_MAX);

    dp_store_be16(frame + template_->ip_id_offset, fields->ip_id);
    dp_store_be16(frame + IP_CHECKSUM_OFFSET,
        (uint16_t)~fold((uint64_t)template_->ip_constant_sum + fields->ip_id));

    uint64_t sum = template_->constant_sum;
    sum += put_be32(frame, template_->tcp_seq_offset, fields->tcp_seq);
    sum += put_be32(frame, template_->tcp_ack_offset, fields->tcp_ack);
    sum += put_be32(frame, template_->user_ref_num_offset, fields->user_ref_num);
    if (template_->orig_user_ref_num_offset != 0)
        sum += put_be32(frame, template_->orig_user_ref_num_offset, fields->orig_user_ref_num);
    if (template_->side_offset != 0)
        sum += put_byte(frame, template_->side_offset, fields->side_wire);
    if (template_->qty_offset != 0)
        sum += put_be32(frame, template_->qty_offset, fields->qty);
    if (template_->price_offset != 0)
        sum += put_be64(frame, template_->price_offset, fields->price_wire);
    if (template_->time_in_force_offset != 0)
        sum += put_byte(frame, template_->time_in_force_offset, fields->time_in_force_wire);
    if (template_->cl_ord_id_offset != 0)
        sum += put_be64(frame, template_->cl_ord_id_offset, hex_digits(fields->user_ref_num));
    dp_store_be16(frame + TCP_CHECKSUM_OFFSET, (uint16_t)~fold(sum));
    return template_->frame_size;
}

void dp_cl_ord_id(const char *prefix, uint32_t user_ref_num, char cl_ord_id[DP_CL_ORD_ID_SIZE])
{
    size_t prefix_size = strnlen(prefix, DP_CL_ORD_ID_PREFIX_MAX);
    memset(cl_ord_id, ' ', DP_CL_ORD_ID_SIZE);
    memcpy(cl_ord_id, prefix, prefix_size);
    uint64_t digits_be = __builtin_bswap64(hex_digits(user_ref_num));
    memcpy(cl_ord_id + prefix_size, &digits_be, sizeof(digits_be));
}
