/*
 * dp_difference - what a message of the venue contradicts: our orders, as the journal has them.
 *
 * Classes are told apart by what is certain: a number that no order of ours has, more shares than
 * were open, a price that the order did not allow, one execution told in two ways, another
 * instrument, a state that cannot follow, bytes that are no message. The same again is harmless,
 * and is not a contradiction. Executions are applied all the same (dp_order.h): the position
 * follows the venue's word, and whoever configured it says what becomes of trading. Pure functions,
 * any thread.
 */
#ifndef DP_DIFFERENCE_H
#define DP_DIFFERENCE_H

#include "dp_order.h"

#define DP_DIFFERENCES(X) \
    X(0, NONE, "none") \
    X(1, DUPLICATE, "duplicate") \
    X(2, VENUE_ONLY, "venue_only") \
    X(3, QUANTITY, "quantity") \
    X(4, PRICE, "price") \
    X(5, EXECUTION, "execution") \
    X(6, INSTRUMENT, "instrument") \
    X(7, STATUS, "status") \
    X(8, UNREADABLE, "unreadable")

enum dp_difference {
#define X(number, name, word) DP_DIFFERENCE_##name = number,
    DP_DIFFERENCES(X) DP_DIFFERENCE_COUNT
#undef X
};

const char *dp_difference_name(enum dp_difference difference); /* "venue_only" */

/* What was known of an order before a message of the venue was applied to it. */
struct dp_difference_before {
    uint32_t flags; /* enum dp_order_flag */
    uint32_t user_ref_num;
    int64_t price_nanos; /* its limit */
    uint8_t side;
    bool is_known; /* false: no order of ours */
};

/* order: NULL when there is none. */
struct dp_difference_before dp_difference_look(const struct dp_order *order);
/* event, result: as dp_report() left them; order: now. */
enum dp_difference dp_difference_of(const struct dp_difference_before *before,
    const struct dp_order *order, const struct dp_event *event, enum dp_order_result result);

#endif
