/*
 * dp_itch_encode - ITCH 5.0 messages of a venue, from the struct that decoding fills.
 *
 * The other direction of dp_itch_decode() for the messages that a venue's books give rise to:
 * S R H Y A E C X D U P Q B; I has more fields than it and a struct of its own. Fields that struct
 * dp_itch_message lacks are written as the specification's usual value (see the .c). Pure functions
 * over bytes, any thread.
 */
#ifndef DP_ITCH_ENCODE_H
#define DP_ITCH_ENCODE_H

#include "dp_itch.h"

#define DP_ITCH_ENCODED_MAX 50 /* bytes; no ITCH 5.0 message is longer */

/* Net Order Imbalance Indicator. */
struct dp_itch_noii {
    uint16_t stock_locate;
    uint32_t far_price4; /* 0: none; so is near */
    uint32_t near_price4;
    uint32_t reference_price4;
    int64_t timestamp_ns;
    uint64_t paired_qty;
    uint64_t imbalance_qty;
    const uint8_t *stock; /* 8 bytes */
    char direction;       /* B S N, O: orders do not suffice */
    char cross_type;      /* O C H */
    char variation;       /* of the near price from the reference: L 1 .. 9 A B C, blank */
};

/* Writes it to DP_ITCH_ENCODED_MAX bytes; returns its length. */
uint32_t dp_itch_encode_noii(const struct dp_itch_noii *noii, uint8_t *data);
/* Writes the message; returns its length, 0 for a type that is not in the list above.
 * message->stock must be set for R H Y A P Q; it is 8 bytes. data holds at least
 * DP_ITCH_ENCODED_MAX.
 */
uint32_t dp_itch_encode(const struct dp_itch_message *message, uint8_t *data);

#endif
