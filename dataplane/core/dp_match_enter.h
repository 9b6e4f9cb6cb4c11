/*
 * dp_match_enter - an order on its way into the book: trades, and what is left rests or goes;
 * private to the dp_match files.
 *
 * Every order passes here when it becomes active, new ones, replaced ones, triggered stops, pegs
 * at another price. It is on the stack; its extra record, if it has one, is kept or ended here.
 */
#ifndef DP_MATCH_ENTER_H
#define DP_MATCH_ENTER_H

#include "dp_match_turn.h"

/* The report that says why the order is here; it also says when the order rests untraded. */
struct dp_match_announcement {
    enum dp_match_report_type type;
    uint64_t old_order_id; /* REPLACED */
};

/* At most slot_max for a buyer and at least 0 for a seller: at any price. */
void dp_match_enter(struct dp_match_turn *turn, struct dp_match_slot *order, uint32_t limit_slot,
    const struct dp_match_announcement *announcement);

/* Stores it in a queue without trading; ends it for want of records when that is not possible. */
void dp_match_rest(struct dp_match_turn *turn, struct dp_match_slot *order,
    enum dp_match_ladder_name ladder, uint32_t slot,
    const struct dp_match_announcement *announcement);

/* Ends an order on the stack with what it has left. */
void dp_match_give_up(
    struct dp_match_turn *turn, struct dp_match_slot *order, enum dp_match_reason reason);

/* Whether there is anybody at all within the limit. */
static inline bool dp_match_crosses(
    struct dp_match_book *book, const struct dp_match_slot *order, uint32_t limit_slot)
{
    const struct dp_match_ladder *ladder = dp_match_opposite(book, order->side);
    return ladder->best_key <= dp_match_ladder_key(ladder, limit_slot);
}

#endif
