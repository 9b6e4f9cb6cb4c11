/*
 * dp_card_soft - the reference model of a card: its state, and the halves that look at frames.
 *
 * Private to dp_card_soft*.c. What a register means is what these functions do with it.
 */
#ifndef DP_CARD_SOFT_H
#define DP_CARD_SOFT_H

#include "dp_card_backend.h"
#include "dp_moldudp.h"

struct dp_card_soft_trigger {
    uint32_t locate, side, price4, state;
    uint32_t armed_size; /* of the frame that waits, built when it was armed */
    uint32_t fired_size; /* of it, until somebody took it to the wire; 0: none */
    uint8_t frame[DP_TEMPLATE_FRAME_MAX];
};

struct dp_card_soft_deltas; /* the books, and what was not taken yet */

struct dp_card_soft {
    struct dp_card card;
    uint32_t control;
    uint32_t feed_port;
    uint32_t expected_low; /* written, waiting for the high half */
    uint64_t expected;     /* next sequence number; 0: arbitration has not begun */
    uint32_t session[3];   /* of what is expected, in the wire's order */
    uint32_t qty_max;
    uint32_t price_max;
    uint32_t credit;
    uint64_t counts[DP_CARD_COUNT_END];
    uint32_t armed[DP_CARD_INSTRUMENTS / 32];
    uint32_t slot;
    uint32_t frames[DP_CARD_SLOTS][DP_CARD_FRAME_REGISTERS];
    uint32_t layouts[DP_CARD_SLOTS][DP_CARD_LAYOUT_REGISTERS]; /* of size 0 until they are loaded */
    uint32_t fields[DP_CARD_FIELD_REGISTERS];
    uint32_t built_size;
    uint8_t built[DP_TEMPLATE_FRAME_MAX];
    uint32_t time_low;     /* written, waiting for the high half */
    int64_t time_ahead_ns; /* of the machine's monotonic clock */
    int64_t stamp_ns;
    struct dp_card_soft_trigger trigger;
    struct dp_card_soft_deltas *deltas; /* NULL until they are turned on */
};

static inline bool dp_card_soft_is_armed(const struct dp_card_soft *soft, uint16_t stock_locate)
{
    return soft->armed[stock_locate / 32u] >> stock_locate % 32u & 1u;
}

/* What the program gets of a frame of the wire: see dp_card_ingress(). */
uint32_t dp_card_soft_filter(
    struct dp_card_soft *soft, const uint8_t *frame, uint32_t size, uint8_t *out);
/* Whether a frame may leave: see dp_card_egress(). */
bool dp_card_soft_gate(struct dp_card_soft *soft, const uint8_t *frame, uint32_t size);

/* Whether a register is one of those that templates are loaded through and built by. */
bool dp_card_soft_is_template(uint32_t offset);
uint32_t dp_card_soft_read_template(const struct dp_card_soft *soft, uint32_t offset);
void dp_card_soft_write_template(struct dp_card_soft *soft, uint32_t offset, uint32_t value);

/* Registers of the trigger. */
bool dp_card_soft_is_trigger(uint32_t offset);
uint32_t dp_card_soft_read_trigger(const struct dp_card_soft *soft, uint32_t offset);
void dp_card_soft_write_trigger(struct dp_card_soft *soft, uint32_t offset, uint32_t value);
/* Messages of a packet that was not seen before: does one of them pull it? */
void dp_card_soft_watch(struct dp_card_soft *soft, const struct dp_moldudp_packet *packet);
uint32_t dp_card_soft_fired(struct dp_card *card, uint8_t *frame);
/* Builds the frame of the slot from the fields, into `frame`; its size, 0: nothing loaded. */
uint32_t dp_card_soft_build(const struct dp_card_soft *soft, uint8_t frame[DP_TEMPLATE_FRAME_MAX]);

/* Books begin empty (on), or are given back. False: no memory for them. */
bool dp_card_soft_turn_deltas(struct dp_card_soft *soft, bool on);
/* Messages of a packet, of which those below `expected` were seen before. */
void dp_card_soft_follow(
    struct dp_card_soft *soft, const struct dp_moldudp_packet *packet, uint64_t expected);
uint32_t dp_card_soft_take_deltas(struct dp_card *card, struct dp_card_delta *deltas, uint32_t max);

#endif
