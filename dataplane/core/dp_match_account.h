/*
 * dp_match_account - posting trades to the ledger; private to the dp_match files.
 */
#ifndef DP_MATCH_ACCOUNT_H
#define DP_MATCH_ACCOUNT_H

#include "dp_match_state.h"

/* One trade between an order that rested and one that came in. */
struct dp_match_posting {
    uint32_t instrument_index;
    uint32_t maker; /* participants */
    uint32_t taker;
    uint8_t taker_side;
    bool is_cross; /* in an auction both sides pay the taker's rate */
    int64_t price_nanos;
    uint64_t qty;
    int64_t maker_fee_nanos; /* filled in */
    int64_t taker_fee_nanos;
};

void dp_match_post(struct dp_match *match, struct dp_match_posting *posting);
/* The tier that is in force for what the account has traded. */
void dp_match_account_tier(const struct dp_match *match, struct dp_match_account *account);

#endif
