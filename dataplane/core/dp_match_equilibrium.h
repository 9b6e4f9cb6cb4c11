/*
 * dp_match_equilibrium - the price at which an auction would trade now; private to the dp_match
 * files.
 *
 * Reads only. The rule chain is that of docs/matching.md.
 */
#ifndef DP_MATCH_EQUILIBRIUM_H
#define DP_MATCH_EQUILIBRIUM_H

#include "dp_match_book.h"

/* What a price would do. */
struct dp_match_outcome {
    int64_t price_nanos; /* DP_PRICE_NONE: nobody meets anybody */
    uint64_t qty;
    int64_t surplus_qty; /* above 0: of buyers */
};

/* Minimum quantities mean nothing where everybody meets everybody: those orders stay out. */
static inline bool dp_match_takes_part(
    const struct dp_match *match, const struct dp_match_slot *slot)
{
    return !dp_match_is_conditional(match, slot);
}

/* cross_only: as if there were only the orders for an opening or closing auction. */
struct dp_match_outcome dp_match_equilibrium(
    const struct dp_match *match, const struct dp_match_book *book, bool cross_only);
/* Of all orders, at a given price of the instrument. */
struct dp_match_outcome dp_match_outcome_at(
    const struct dp_match *match, const struct dp_match_book *book, int64_t price_nanos);

#endif
