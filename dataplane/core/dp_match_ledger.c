#include "dp_match_ledger.h"

#include "dp_match_account.h"

#define PPM 1000000

/* value / PPM rounded up. */
static dp_money_nanos parts_up(dp_money_nanos value)
{
    dp_money_nanos quotient = value / PPM;
    return quotient + (value % PPM > 0);
}

static int64_t saturated(dp_money_nanos value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

static int64_t fee(int64_t nanos_per_unit, int32_t ppm, uint64_t qty, dp_money_nanos money_nanos)
{
    dp_money_nanos by_qty = (dp_money_nanos)nanos_per_unit * (int64_t)qty;
    if (DP_LIKELY(ppm == 0))
        return (int64_t)by_qty; /* rates are bounded: dp_match_set_fees() */
    return saturated(by_qty + parts_up(money_nanos * ppm));
}

void dp_match_account_tier(const struct dp_match *match, struct dp_match_account *account)
{
    const struct dp_match_fee_class *of = &match->fee_classes[account->fee_class];
    account->tier = (struct dp_match_fee_tier){.from_qty = 0};
    account->tier_end_qty = UINT64_MAX;
    for (uint32_t index = 0; index < of->tier_count; index++) {
        if (of->tiers[index].from_qty > account->traded_qty) {
            account->tier_end_qty = of->tiers[index].from_qty;
            return;
        }
        account->tier = of->tiers[index];
    }
}

static void trade(const struct dp_match *match, struct dp_match_account *account, uint64_t qty)
{
    account->traded_qty += qty;
    if (DP_UNLIKELY(account->traded_qty >= account->tier_end_qty))
        dp_match_account_tier(match, account);
}

void dp_match_post(struct dp_match *match, struct dp_match_posting *posting)
{
    struct dp_match_account *maker = dp_match_account(match, posting->maker);
    struct dp_match_account *taker = dp_match_account(match, posting->taker);
    dp_money_nanos money = (dp_money_nanos)posting->price_nanos * (int64_t)posting->qty;
    const struct dp_match_fee_tier *tier = &maker->tier;
    posting->maker_fee_nanos = posting->is_cross
        ? fee(tier->taker_nanos_per_unit, tier->taker_ppm, posting->qty, money)
        : fee(tier->maker_nanos_per_unit, tier->maker_ppm, posting->qty, money);
    posting->taker_fee_nanos =
        fee(taker->tier.taker_nanos_per_unit, taker->tier.taker_ppm, posting->qty, money);

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
    trade(match, maker, posting->qty);
    trade(match, taker, posting->qty);
}

struct dp_match_account_view dp_match_ledger_account(
    const struct dp_match *match, uint32_t participant)
{
    if (participant == DP_MATCH_NONE)
        return (struct dp_match_account_view){.fees_nanos = match->venue_fees_nanos};
    DP_ASSERT(participant < match->participant_count);
    const struct dp_match_account *account = dp_match_account(match, participant);
    return (struct dp_match_account_view){
        account->cash_nanos, account->fees_nanos, account->traded_qty};
}

int64_t dp_match_ledger_position(
    const struct dp_match *match, uint32_t participant, uint32_t instrument_index)
{
    DP_ASSERT(participant < match->participant_count);
    DP_ASSERT(instrument_index < match->instrument_count);
    return *dp_match_position(match, participant, instrument_index);
}

bool dp_match_ledger_is_balanced(const struct dp_match *match)
{
    dp_money_nanos cash = 0;
    dp_money_nanos fees = -match->venue_fees_nanos;
    for (uint32_t participant = 0; participant < match->participant_count; participant++) {
        cash += dp_match_account(match, participant)->cash_nanos;
        fees += dp_match_account(match, participant)->fees_nanos;
    }
    int64_t positions = 0;
    for (uint32_t index = 0; index < match->instrument_count && positions == 0; index++)
        for (uint32_t participant = 0; participant < match->participant_count; participant++)
            positions += *dp_match_position(match, participant, index);
    return cash == 0 && fees == 0 && positions == 0;
}
