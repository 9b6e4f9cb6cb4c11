/*
 * dp_itch_encode - ITCH 5.0 messages of a venue, from the struct that decoding fills.
 *
 * The other direction of dp_itch_decode() for the messages that a venue's books give rise to:
 * S R H A E C X D U P Q B. Fields that struct dp_itch_message lacks are written as the
 * specification's usual value (see the .c). Pure functions over bytes, any thread.
 */
#ifndef DP_ITCH_ENCODE_H
#define DP_ITCH_ENCODE_H

#include "dp_itch.h"

#define DP_ITCH_ENCODED_MAX 50 /* bytes; no ITCH 5.0 message is longer */

/* Writes the message; returns its length, 0 for a type that is not in the list above.
 * message->stock must be set for R H A P Q; it is 8 bytes. data holds at least DP_ITCH_ENCODED_MAX.
 */
uint32_t dp_itch_encode(const struct dp_itch_message *message, uint8_t *data);

#endif
