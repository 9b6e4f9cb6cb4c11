/*
 * dp_match_view - the books and orders of a matching engine, as a reader on its thread sees them.
 *
 * Nothing here changes anything. For a snapshot of a book, an account query, a test.
 */
#ifndef DP_MATCH_VIEW_H
#define DP_MATCH_VIEW_H

#include "dp_match.h"

enum dp_match_place {
    DP_MATCH_PLACE_BOOK = 0, /* on the book */
    DP_MATCH_PLACE_TRIGGER,  /* waits for a price */
    DP_MATCH_PLACE_HELD,     /* waits for a session, a reference price or its parent */
};

struct dp_match_order_view {
    uint64_t order_id;
    uint64_t tag;
    int64_t price_nanos; /* where it stands; DP_PRICE_NONE: at the market, or nowhere */
    uint64_t leaves_qty;
    uint64_t display_qty;
    uint64_t priority; /* smaller is earlier */
    uint32_t instrument_index;
    uint32_t participant;
    uint8_t side;
    uint8_t place; /* enum dp_match_place */
    uint8_t time_in_force;
    uint8_t flags;
};

struct dp_match_level_view {
    int64_t price_nanos;
    uint64_t display_qty;
    uint32_t order_count; /* hidden ones too */
};

/* What an auction would do now. */
struct dp_match_indication {
    int64_t reference_nanos; /* the last price, else the reference, else near_nanos */
    uint64_t paired_qty;     /* what would trade at reference_nanos */
    int64_t imbalance_qty;   /* what would be left there, above 0: of buyers */
    int64_t near_nanos;      /* where it would trade; DP_PRICE_NONE: nobody meets anybody */
    int64_t far_nanos;       /* the same, of AT_OPEN and AT_CLOSE orders alone */
};

/* False when no live order has that id. */
bool dp_match_view_order(
    const struct dp_match *match, uint64_t order_id, struct dp_match_order_view *view);
/* Best first, levels without anything displayed left out; returns how many were filled in. */
uint32_t dp_match_view_levels(const struct dp_match *match, uint32_t instrument_index,
    enum dp_side side, struct dp_match_level_view *levels, uint32_t capacity);
/* Every live order of the instrument, in the order of a mass cancel (docs/matching.md); the first
 * `skip` are left out. Returns how many were filled in. */
uint32_t dp_match_view_orders(const struct dp_match *match, uint32_t instrument_index,
    struct dp_match_order_view *views, uint32_t skip, uint32_t capacity);
struct dp_match_indication dp_match_view_indication(
    const struct dp_match *match, uint32_t instrument_index);
enum dp_match_session dp_match_view_session(
    const struct dp_match *match, uint32_t instrument_index);
/* DP_PRICE_NONE before the first trade. */
int64_t dp_match_view_last_price(const struct dp_match *match, uint32_t instrument_index);
uint32_t dp_match_view_order_count(const struct dp_match *match); /* live, all instruments */

#endif
