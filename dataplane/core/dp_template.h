/*
 * dp_template - a finished order frame whose variable fields are patched, not rebuilt.
 *
 * A template is a whole Ethernet frame (Ethernet, IPv4, TCP, SoupBinTCP, OUCH; no VLAN tag, no IP
 * or TCP options) made once per instrument or message kind by proto/dp_ouch_template. Sending
 * copies it and stores the variable fields; the TCP checksum is the sum of the constant words,
 * computed once, plus the variable words (RFC 1071), the IPv4 header checksum is updated the same
 * way. Plain data: no thread rules, any number of senders may read one template.
 */
#ifndef DP_TEMPLATE_H
#define DP_TEMPLATE_H

#include "dp_base.h"

#define DP_TEMPLATE_FRAME_MAX 128
#define DP_CL_ORD_ID_SIZE 14
#define DP_CL_ORD_ID_PREFIX_MAX 6

/* Offsets into the frame; 0 means the frame has no such field. ip_id, tcp_seq, tcp_ack and
 * user_ref_num are in every frame. */
struct dp_template {
    alignas(DP_CACHE_LINE) uint8_t frame[DP_TEMPLATE_FRAME_MAX];
    uint32_t constant_sum;    /* one's complement sum of pseudo header and TCP segment with variable
                                 fields 0, folded */
    uint16_t ip_constant_sum; /* the same over the IPv4 header with identification and checksum 0 */
    uint16_t frame_size;
    uint16_t payload_size; /* TCP payload bytes: how far the sequence number moves */
    uint8_t ip_id_offset;
    uint8_t tcp_seq_offset;
    uint8_t tcp_ack_offset;
    uint8_t user_ref_num_offset;
    uint8_t orig_user_ref_num_offset;
    uint8_t side_offset;
    uint8_t qty_offset;
    uint8_t price_offset;
    uint8_t time_in_force_offset;
    uint8_t cl_ord_id_offset; /* of the eight hexadecimal digits behind the prefix */
};

/* The values of one frame. Unused ones are ignored. */
struct dp_template_fields {
    uint32_t user_ref_num;
    uint32_t orig_user_ref_num;
    uint32_t qty;        /* as the wire carries it */
    uint64_t price_wire; /* as the wire carries it: OUCH has four decimals */
    uint32_t tcp_seq;
    uint32_t tcp_ack;
    uint16_t ip_id;
    char side_wire;          /* 'B', 'S', 'T', 'E' */
    char time_in_force_wire; /* '0', '3' */
};

/* Prepares the sums once the constant bytes and offsets are set. Variable fields must be zero in
 * the frame; the two checksum fields may hold anything. */
void dp_template_seal(struct dp_template *template_);
/* Writes the finished frame; returns its size. frame: at least DP_TEMPLATE_FRAME_MAX bytes. */
uint32_t dp_template_build(
    const struct dp_template *template_, const struct dp_template_fields *fields, uint8_t *frame);
/* prefix + eight upper-case hexadecimal digits, space padded to 14: the ClOrdID(11) of a number. Of
 * a prefix longer than DP_CL_ORD_ID_PREFIX_MAX the first characters count. */
void dp_cl_ord_id(const char *prefix, uint32_t user_ref_num, char cl_ord_id[DP_CL_ORD_ID_SIZE]);

#endif
