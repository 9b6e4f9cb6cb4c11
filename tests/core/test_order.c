/* Every state against every event, by a table written from the specification of states and not from
 * the rules. */
#include "check.h"
#include "dp_order.h"
#include "order_bench.h"

enum { PRICE = 1000000000, QTY = 100, VENUE_ID = 77 };

/* ---- getting an order into a state: number 1, and number 2, a replace that never was ---- */

struct state_row {
    const char *name; /* base as OrdStatus, then pending: - c r b */
    const char *path; /* letters of step() */
    const char *cells;
};

static void step(struct bench *bench, char letter)
{
    switch (letter) {
    case 'n':
        bench_send(bench, DP_EVENT_NEW, 1, 0, QTY);
        bench_send(bench, DP_EVENT_REPLACE, 2, 1, QTY);
        break;
    case 'd':
        bench_send(bench, DP_EVENT_DENIED, 1, 0, QTY);
        bench_send(bench, DP_EVENT_REPLACE, 2, 1, QTY);
        break;
    case 'a': bench_answer(bench, DP_EVENT_ACCEPTED, 1, QTY); break;
    case 'f': bench_answer(bench, DP_EVENT_FILLED, 1, 40); break;
    case 'F': bench_answer(bench, DP_EVENT_FILLED, 1, QTY); break;
    case 'x': bench_answer(bench, DP_EVENT_CANCELED, 1, QTY); break;
    case 'j': bench_answer(bench, DP_EVENT_REJECTED, 1, 0); break;
    case 'e': bench_answer(bench, DP_EVENT_EXPIRED, 1, QTY); break;
    case 'y': bench_answer(bench, DP_EVENT_DONE_FOR_DAY, 1, 0); break;
    case 's': bench_answer(bench, DP_EVENT_SUSPENDED, 1, 0); break;
    case 'u': bench_send(bench, DP_EVENT_OUTCOME_UNKNOWN, 1, 0, 0); break;
    case 'c': bench_send(bench, DP_EVENT_CANCEL, 1, 0, 0); break;
    case 'r': bench_send(bench, DP_EVENT_REPLACE, 3, 1, 120); break;
    default: abort();
    }
}

/* ---- the table ---- */

static const char *const columns[] = {"accepted again", "rejected", "fill of a part",
    "fill of the rest", "cancel of a part", "cancel of the rest", "replaced", "replace rejected",
    "cancel rejected", "cancel pending", "restated", "expired", "break of an unknown fill",
    "suspended", "resumed", "done for day", "outcome unknown", "not sent", "cancel sent",
    "replace sent"};

enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

/* A cell: + applied, D duplicate, ! anomaly; then the base and the pending it leads to. */
static const struct state_row rows[] = {
    {"A-", "n", "+0- +8- +1- +2- +0- +4- !A- !A- !A- !A- !A- +C- !A- +9- !A- +3- +u- +d- +Ac !A-"},
    {"Ac", "nc", "+0c +8- +1c +2- +0c +4- !Ac !Ac +A- +0c !Ac +C- !Ac +9c !Ac +3- +uc +d- !Ac !Ac"},
    {"0-", "na", "D0- !0- +1- +2- +0- +4- +0- !0- !0- +0c +0- +C- !0- +9- +0- +3- +u- !0- +0c +0r"},
    {"0c", "nac",
        "D0c !0c +1c +2- +0c +4- +0c !0c +0- +0c +0c +C- !0c +9c +0c +3- +uc !0c !0c !0c"},
    {"0r", "nar",
        "D0r !0r +1r +2- +0r +4- +0- +0- +0r +0b +0r +C- !0r +9r +0r +3- +ur !0r +0b !0r"},
    {"0b", "narc",
        "D0b !0b +1b +2- +0b +4- +0c +0c +0r +0b +0b +C- !0b +9b +0b +3- +ub !0b !0b !0b"},
    {"1-", "naf",
        "D1- !1- +1- +2- +1- +4- +1- !1- !1- +1c +1- +C- !1- +9- +1- +3- +u- !1- +1c +1r"},
    {"1c", "nafc",
        "D1c !1c +1c +2- +1c +4- +1c !1c +1- +1c +1c +C- !1c +9c +1c +3- +uc !1c !1c !1c"},
    {"1r", "nafr",
        "D1r !1r +1r +2- +1r +4- +1- +1- +1r +1b +1r +C- !1r +9r +1r +3- +ur !1r +1b !1r"},
    {"1b", "nafrc",
        "D1b !1b +1b +2- +1b +4- +1c +1c +1r +1b +1b +C- !1b +9b +1b +3- +ub !1b !1b !1b"},
    {"9-", "nas",
        "D9- !9- +1- +2- +9- +4- +9- +9- +9- +9c +9- +C- !9- +9- +0- +3- +u- !9- +9c !9-"},
    {"9c", "nacs",
        "D9c !9c +1c +2- +9c +4- +9c +9c +9- +9c +9c +C- !9c +9c +0c +3- +uc !9c !9c !9c"},
    {"9r", "nars",
        "D9r !9r +1r +2- +9r +4- +9- +9- +9r +9b +9r +C- !9r +9r +0r +3- +ur !9r +9b !9r"},
    {"9b", "narcs",
        "D9b !9b +1b +2- +9b +4- +9c +9c +9r +9b +9b +C- !9b +9b +0b +3- +ub !9b !9b !9b"},
    {"u-", "nu", "+0- +8- +1- +2- +0- +4- +0- +u- +u- +0c +0- +C- !u- +9- +0- +3- +u- +d- +uc !u-"},
    {"uc", "ncu",
        "+0c +8- +1c +2- +0c +4- +0c +uc +u- +0c +0c +C- !uc +9c +0c +3- +uc +d- !uc !uc"},
    {"ur", "naru",
        "Dur !ur +1r +2- +0r +4- +0- +u- +ur +0b +0r +C- !ur +9r +0r +3- +ur !ur +ub !ur"},
    {"ub", "narcu",
        "Dub !ub +1b +2- +0b +4- +0c +uc +ur +0b +0b +C- !ub +9b +0b +3- +ub !ub !ub !ub"},
    {"2-", "naF",
        "D2- !2- !2- !2- !2- !2- !1- +2- +2- !2- +2- !2- !2- !2- !2- !2- +2- !2- !2- !2-"},
    {"4-", "nax",
        "D4- !4- +4- +4- D4- D4- !0- +4- +4- !4- +4- +4- !4- !4- !4- +4- +4- !4- !4- !4-"},
    {"C-", "nae",
        "DC- !C- +C- +C- DC- DC- !0- +C- +C- !C- +C- DC- !C- !C- !C- +C- +C- !C- !C- !C-"},
    {"3-", "nay",
        "D3- !3- +3- +3- +3- +3- !0- +3- +3- !3- +3- +3- !3- !3- !3- D3- +3- !3- !3- !3-"},
    {"8-", "nj", "!0- D8- !1- !2- !8- !8- !8- +8- +8- !8- !8- !8- !8- !8- !8- !8- +8- !8- !8- !8-"},
    {"d-", "d", "!d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- !d- Dd- !d- !d-"},
};

static enum dp_order_result play(struct bench *bench, int column)
{
    const struct dp_order *order = dp_orders_find(bench->orders, 1);
    uint64_t rest = order->leaves_qty > 0 ? order->leaves_qty : QTY;
    uint32_t request = order->pending_user_ref_num != 0 ? order->pending_user_ref_num : 2;
    switch (column) {
    case 0: return bench_answer(bench, DP_EVENT_ACCEPTED, 1, QTY);
    case 1: return bench_answer(bench, DP_EVENT_REJECTED, 1, 0);
    case 2: return bench_answer(bench, DP_EVENT_FILLED, 1, 10);
    case 3: return bench_answer(bench, DP_EVENT_FILLED, 1, rest);
    case 4: return bench_answer(bench, DP_EVENT_CANCELED, 1, 10);
    case 5: return bench_answer(bench, DP_EVENT_CANCELED, 1, rest);
    case 6: return bench_answer(bench, DP_EVENT_REPLACED, request, 60);
    case 7: return bench_answer(bench, DP_EVENT_REPLACE_REJECTED, request, 0);
    case 8: return bench_answer(bench, DP_EVENT_CANCEL_REJECTED, 1, 0);
    case 9: return bench_answer(bench, DP_EVENT_CANCEL_PENDING, 1, 0);
    case 10: return bench_answer(bench, DP_EVENT_RESTATED, 1, 0);
    case 11: return bench_answer(bench, DP_EVENT_EXPIRED, 1, rest);
    case 12: return bench_answer(bench, DP_EVENT_BROKEN, 1, 0);
    case 13: return bench_answer(bench, DP_EVENT_SUSPENDED, 1, 0);
    case 14: return bench_answer(bench, DP_EVENT_RESUMED, 1, 0);
    case 15: return bench_answer(bench, DP_EVENT_DONE_FOR_DAY, 1, 0);
    case 16: return bench_send(bench, DP_EVENT_OUTCOME_UNKNOWN, 1, 0, 0);
    case 17: return bench_send(bench, DP_EVENT_NOT_SENT, 1, 0, 0);
    case 18: return bench_send(bench, DP_EVENT_CANCEL, 1, 0, 0);
    default: return bench_send(bench, DP_EVENT_REPLACE, 4, 1, 120);
    }
}

static void check_cell(const struct state_row *row, int column)
{
    struct bench *bench = bench_open();
    for (const char *letter = row->path; *letter != 0; letter++)
        step(bench, *letter);
    char text[4];
    const struct dp_order *order = dp_orders_find(bench->orders, 1);
    CHECK_TEXT(bench_state_text(order, DP_ORDER_APPLIED, text) + 1, row->name);

    enum dp_order_result result = play(bench, column);
    bench_state_text(order, result, text);
    CHECK_THAT(memcmp(text, row->cells + 4 * column, 3) == 0, "%s, %s: %s; expected %.3s",
        row->name, columns[column], text, row->cells + 4 * column);
    bench_check_invariants(bench, row->name);
    bench_close(bench);
}

static void test_every_event_in_every_state(void)
{
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        CHECK_EQUAL(strlen(rows[index].cells), 4 * COLUMN_COUNT - 1);
        for (int column = 0; column < COLUMN_COUNT; column++)
            check_cell(&rows[index], column);
    }
}

/* ---- walks ---- */

static struct dp_event random_event(struct bench *bench, uint64_t *state)
{
    static const uint8_t kinds[] = {DP_EVENT_NEW, DP_EVENT_DENIED, DP_EVENT_REPLACE,
        DP_EVENT_REPLACE, DP_EVENT_CANCEL, DP_EVENT_OUTCOME_UNKNOWN, DP_EVENT_NOT_SENT,
        DP_EVENT_ACCEPTED, DP_EVENT_ACCEPTED, DP_EVENT_REJECTED, DP_EVENT_FILLED, DP_EVENT_FILLED,
        DP_EVENT_FILLED, DP_EVENT_CANCELED, DP_EVENT_REPLACED, DP_EVENT_REPLACED,
        DP_EVENT_REPLACE_REJECTED, DP_EVENT_CANCEL_PENDING, DP_EVENT_CANCEL_REJECTED,
        DP_EVENT_RESTATED, DP_EVENT_BROKEN, DP_EVENT_EXPIRED, DP_EVENT_SUSPENDED, DP_EVENT_RESUMED,
        DP_EVENT_DONE_FOR_DAY, 200};
    uint32_t next = dp_orders_next(bench->orders);
    uint32_t known = (uint32_t)(check_random(state) % (next + 1)); /* one unknown at either end */
    struct dp_event event = {
        .time_ns = ++bench->time_ns,
        .kind = kinds[check_random(state) % sizeof(kinds)],
        .user_ref_num = known,
        .qty = check_random(state) % 60,
        .price_nanos = (int64_t)(1 + check_random(state) % 5) * PRICE,
        .side = (uint8_t)(1 + check_random(state) % 2),
        .order_state = check_random(state) % 8 == 0 ? 'D' : 'L',
        .reason = check_random(state) % 8 == 0 ? 'Q' : 'U',
    };
    if (event.kind == DP_EVENT_NEW || event.kind == DP_EVENT_DENIED) {
        event.user_ref_num = next;
        event.qty++; /* the submit path sends no order for nothing */
    }
    if (event.kind == DP_EVENT_REPLACE) {
        event.user_ref_num = next;
        event.orig_user_ref_num = known;
    }
    if (event.kind == DP_EVENT_ACCEPTED || event.kind == DP_EVENT_REPLACED)
        event.venue_order_id = check_random(state) % 4;
    if (event.kind == DP_EVENT_FILLED || event.kind == DP_EVENT_BROKEN)
        event.exec_id = check_random(state) % 200;
    return event;
}

static void walk(uint64_t seed)
{
    struct bench *bench = bench_open();
    uint64_t state = seed;
    char where[40];
    for (int count = 0; count < BENCH_EVENTS_MAX - 1 && dp_orders_next(bench->orders) != 0;
         count++) {
        struct dp_event event = random_event(bench, &state);
        bench_apply(bench, &event);
        snprintf(where, sizeof(where), "seed %" PRIu64 ", event %d", seed, count);
        bench_check_invariants(bench, where);
    }
    bench_check_replay(bench);
    bench_close(bench);
}

static uint64_t first_seed = 1;

static void test_invariants_hold_on_any_walk_and_replay_gives_the_same_bytes(void)
{
    for (uint64_t seed = first_seed; seed < first_seed + 200; seed++)
        walk(seed);
}

/* ---- orders of arrival ---- */

enum { DECK_SIZE = 9 };

/* Accept, two fills and a cancel reject twice each, the cancel once: a cancel has no id of its own,
 * its second copy is stopped by the session's sequence number. */
static void deal(struct bench *bench, char card)
{
    struct dp_event event = {.time_ns = ++bench->time_ns, .user_ref_num = 1, .price_nanos = PRICE};
    event.kind = card == 'a' ? DP_EVENT_ACCEPTED
        : card == 'c'        ? DP_EVENT_CANCELED
        : card == 'i'        ? DP_EVENT_CANCEL_REJECTED
                             : DP_EVENT_FILLED;
    event.qty = card == 'a' ? QTY : card == 'c' ? 40 : card == 'i' ? 0 : 30;
    event.exec_id = event.kind == DP_EVENT_FILLED ? (uint64_t)card : 0;
    event.venue_order_id = card == 'a' ? VENUE_ID : 0;
    bench_apply(bench, &event);
}

static void check_deck(const char *deck)
{
    struct bench *bench = bench_open();
    bench_send(bench, DP_EVENT_NEW, 1, 0, QTY);
    bench_send(bench, DP_EVENT_CANCEL, 1, 0, 0);
    for (int card = 0; card < DECK_SIZE; card++)
        deal(bench, deck[card]);

    const struct dp_order *order = dp_orders_find(bench->orders, 1);
    bool right = order->cum_qty == 60 && order->cxl_qty == 40 && order->leaves_qty == 0 &&
        order->cum_money == (dp_money_nanos)60 * PRICE && order->venue_order_id == VENUE_ID &&
        !dp_order_is_live(order);
    CHECK_THAT(right, "%s: cum %" PRIu64 ", cxl %" PRIu64 ", leaves %" PRIu64, deck, order->cum_qty,
        order->cxl_qty, order->leaves_qty);
    bench_check_invariants(bench, deck);
    bench_close(bench);
}

/* The next larger arrangement of the letters, false after the last. */
static bool next_deck(char *deck)
{
    int left = DECK_SIZE - 2;
    while (left >= 0 && deck[left] >= deck[left + 1])
        left--;
    if (left < 0)
        return false;
    int right = DECK_SIZE - 1;
    while (deck[right] <= deck[left])
        right--;
    char letter = deck[left];
    deck[left] = deck[right];
    deck[right] = letter;
    for (int low = left + 1, high = DECK_SIZE - 1; low < high; low++, high--) {
        letter = deck[low];
        deck[low] = deck[high];
        deck[high] = letter;
    }
    return true;
}

static void test_any_order_of_arrival_gives_the_same_quantities(void)
{
    char deck[DECK_SIZE + 1] = "aaciiyyzz";
    int count = 0;
    do {
        check_deck(deck);
        count++;
    } while (next_deck(deck));
    CHECK_EQUAL(count, 22680); /* 9! / 2!^4 */
}

/* A seed as the only argument: make soak. */
int main(int count, char **words)
{
    if (count > 1)
        first_seed = strtoull(words[1], NULL, 0);
    RUN_TESTS(TEST(test_every_event_in_every_state),
        TEST(test_invariants_hold_on_any_walk_and_replay_gives_the_same_bytes),
        TEST(test_any_order_of_arrival_gives_the_same_quantities));
}
