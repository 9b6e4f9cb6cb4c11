/*
 * dp_match_ledger - the accounts of a venue: money, positions and fees, by double entry.
 *
 * Each trade posts its money from the buyer to the seller, its quantity from the seller to the
 * buyer, and each side's fee from that side to the venue. Whatever happens, all money together and
 * all positions of an instrument together are 0; dp_match_ledger_is_balanced() adds them up.
 *
 * A fee is qty * nanos_per_unit + money * ppm / 1,000,000, the last rounded up (towards the venue:
 * a rebate is rounded down). The tier is the one in force before the trade. Fees of one trade stay
 * within int64 (9.2e9 of the currency) by saturation.
 */
#ifndef DP_MATCH_LEDGER_H
#define DP_MATCH_LEDGER_H

#include "dp_match.h"

struct dp_match_account_view {
    dp_money_nanos cash_nanos; /* from trades, without fees */
    dp_money_nanos fees_nanos; /* paid to the venue; negative: received */
    uint64_t traded_qty;       /* bought and sold, all instruments */
};

/* participant must be one of the match; the venue's own: fees taken, with participant NONE. */
struct dp_match_account_view dp_match_ledger_account(
    const struct dp_match *match, uint32_t participant);
int64_t dp_match_ledger_position(
    const struct dp_match *match, uint32_t participant, uint32_t instrument_index);
bool dp_match_ledger_is_balanced(const struct dp_match *match);

#endif
