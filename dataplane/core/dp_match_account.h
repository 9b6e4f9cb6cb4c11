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

/* The tier that is in force for what the account has traded. */
void dp_match_account_tier(const struct dp_match *match, struct dp_match_account *account);

#define DP_MATCH_PPM 1000000

/* value / DP_MATCH_PPM rounded up. */
static inline dp_money_nanos dp_match_ppm_up(dp_money_nanos value)
{
    dp_money_nanos quotient = value / DP_MATCH_PPM;
    return quotient + (value % DP_MATCH_PPM > 0);
}

static inline int64_t dp_match_saturated(dp_money_nanos value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

static inline int64_t dp_match_fee(
    int64_t nanos_per_unit, int32_t ppm, uint64_t qty, dp_money_nanos money_nanos)
{
    dp_money_nanos by_qty = (dp_money_nanos)nanos_per_unit * (int64_t)qty;
    if (DP_LIKELY(ppm == 0))
        return (int64_t)by_qty; /* rates are bounded: dp_match_set_fees() */
    return dp_match_saturated(by_qty + dp_match_ppm_up(money_nanos * ppm));
}

static inline void dp_match_account_trade(
    const struct dp_match *match, struct dp_match_account *account, uint64_t qty)
{
    account->traded_qty += qty;
    if (DP_UNLIKELY(account->traded_qty >= account->tier_end_qty))
        dp_match_account_tier(match, account);
}

static inline void dp_match_post(struct dp_match *match, struct dp_match_posting *posting)
{
    struct dp_match_account *maker = dp_match_account(match, posting->maker);
    struct dp_match_account *taker = dp_match_account(match, posting->taker);
    dp_money_nanos money = (dp_money_nanos)posting->price_nanos * (int64_t)posting->qty;
    const struct dp_match_fee_tier *tier = &maker->tier;
    posting->maker_fee_nanos = posting->is_cross
        ? dp_match_fee(tier->taker_nanos_per_unit, tier->taker_ppm, posting->qty, money)
        : dp_match_fee(tier->maker_nanos_per_unit, tier->maker_ppm, posting->qty, money);
    posting->taker_fee_nanos =
        dp_match_fee(taker->tier.taker_nanos_per_unit, taker->tier.taker_ppm, posting->qty, money);

    int64_t bought =
        posting->taker_side == DP_SIDE_BUY ? (int64_t)posting->qty : -(int64_t)posting->qty;
    money = posting->taker_side == DP_SIDE_BUY ? money : -money;
    *dp_match_position(match, posting->taker, posting->instrument_index) += bought;
    *dp_match_position(match, posting->maker, posting->instrument_index) -= bought;
    taker->cash_nanos -= money;
    maker->cash_nanos += money;
    taker->fees_nanos += posting->taker_fee_nanos;
    maker->fees_nanos += posting->maker_fee_nanos;
    match->venue_fees_nanos += (dp_money_nanos)posting->taker_fee_nanos + posting->maker_fee_nanos;
    dp_match_account_trade(match, maker, posting->qty);
    dp_match_account_trade(match, taker, posting->qty);
}

#endif
