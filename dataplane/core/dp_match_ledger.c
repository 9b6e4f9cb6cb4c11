#include "dp_match_ledger.h"

#include "dp_match_account.h"

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
