/* Each transition T01 to T36 and each race R1 to R23 of docs/orders.md once, by name: the state and
 * the quantities it must leave. An order for 100 has number 1, its replace number 2. */
#include "check.h"
#include "dp_order.h"
#include "order_bench.h"

enum { QTY = 100, PRICE = 1000000000 };

enum {
    ANOMALY = DP_ORDER_FLAG_ANOMALY,
    OVERFILL = DP_ORDER_FLAG_OVERFILL,
    LATE = DP_ORDER_FLAG_LATE_FILL,
    CONFLICT = DP_ORDER_FLAG_EXEC_ID_CONFLICT,
    ORPHAN = DP_ORDER_FLAG_ORPHAN_BREAK,
    REVIVED = DP_ORDER_FLAG_REVIVED,
};

struct row {
    const char *name;
    const char *path; /* letters of step() */
    /* Of the last step: + applied, D duplicate, ! anomaly; base as OrdStatus; pending - c r b. */
    const char *state;
    uint64_t leaves_qty;
    uint64_t cum_qty;
    uint64_t cxl_qty;
    uint32_t bust_qty;
    uint32_t flags;
};

/* clang-format off */
static const struct row rows[] = {
    {"T02 denied by our own gate",                 "d",      "+d-",   0,   0,   0,   0, 0},
    {"T03 sent",                                   "n",      "+A-", 100,   0,   0,   0, 0},
    {"T04 never left",                             "nw",     "+d-",   0,   0,   0,   0, 0},
    {"T04 never left, known late",                 "nuw",    "+d-",   0,   0,   0,   0, 0},
    {"T04 not once the venue has spoken",          "naw",    "!0-", 100,   0,   0,   0, ANOMALY},
    {"T05 session lost",                           "nu",     "+u-", 100,   0,   0,   0, 0},
    {"T06 accepted",                               "na",     "+0-", 100,   0,   0,   0, 0},
    {"T06 accepted when unknown",                  "nua",    "+0-", 100,   0,   0,   0, 0},
    {"T07 accepted and dead",                      "nD",     "+4-",   0,   0, 100,   0, 0},
    {"T08 rejected",                               "nj",     "+8-",   0,   0,   0,   0, 0},
    {"T09 fill before accept",                     "nf",     "+1-",  60,  40,   0,   0, 0},
    {"T09 all of it before accept",                "nF",     "+2-",   0, 100,   0,   0, 0},
    {"T09 the accept behind adds names only",      "nfa",    "+1-",  60,  40,   0,   0, 0},
    {"T10 fill of a part",                         "naf",    "+1-",  60,  40,   0,   0, 0},
    {"T10 fill while suspended",                   "nasf",   "+1-",  60,  40,   0,   0, 0},
    {"T11 fill of the rest",                       "nafF",   "+2-",   0, 100,   0,   0, 0},
    {"T12 cancel asked",                           "nac",    "+0c", 100,   0,   0,   0, 0},
    {"T12 cancel behind a replace",                "narc",   "+0b", 100,   0,   0,   0, 0},
    {"T12 one cancel at a time",                   "nacc",   "!0c", 100,   0,   0,   0, ANOMALY},
    {"T13 cancel noted",                           "nacm",   "+0c", 100,   0,   0,   0, 0},
    {"T14 cancelled as asked",                     "nacx",   "+4-",   0,   0, 100,   0, 0},
    {"T15 cancel refused",                         "naci",   "+0-", 100,   0,   0,   0, 0},
    {"T16 cancel refused, order closed",           "naxi",   "+4-",   0,   0, 100,   0, 0},
    {"T17 cancelled unasked",                      "nax",    "+4-",   0,   0, 100,   0, 0},
    {"T18 a part cancelled",                       "nap",    "+0-",  90,   0,  10,   0, 0},
    {"T19 replace asked",                          "nar",    "+0r", 100,   0,   0,   0, 0},
    {"T19 not before the accept",                  "nr",     "!A-", 100,   0,   0,   0, ANOMALY},
    {"T19 not while a cancel is pending",          "nacr",   "!0c", 100,   0,   0,   0, ANOMALY},
    {"T20 replaced",                               "narR",   "+0-",  60,   0,   0,   0, 0},
    {"T20 replaced behind a fill",                 "nafrR",  "+1-",  60,  40,   0,   0, 0},
    {"T20 replaced while suspended",               "narsR",  "+9-",  60,   0,   0,   0, 0},
    {"T21 replaced with nothing left",             "nafrZ",  "+2-",   0,  40,   0,   0, 0},
    {"T21 replaced and dead",                      "narK",   "+4-",   0,   0,  60,   0, 0},
    {"T22 replace refused",                        "narJ",   "+0-", 100,   0,   0,   0, 0},
    {"T22 by a reject of its number",              "narN",   "+0-", 100,   0,   0,   0, 0},
    {"T22 by proof that it never left",            "narW",   "+0-", 100,   0,   0,   0, 0},
    {"T23 the replace took the order with it",     "narx",   "+4-",   0,   0, 100,   0, 0},
    {"T24 silence about a replace",                "naru",   "+ur", 100,   0,   0,   0, 0},
    {"T25 expired",                                "nae",    "+C-",   0,   0, 100,   0, 0},
    {"T26 done for the day",                       "nafy",   "+3-",   0,  40,  60,   0, 0},
    {"T27 suspended",                              "nas",    "+9-", 100,   0,   0,   0, 0},
    {"T28 resumed",                                "nast",   "+0-", 100,   0,   0,   0, 0},
    {"T28 resumed behind a fill",                  "nafst",  "+1-",  60,  40,   0,   0, 0},
    {"T29 restated",                               "nav",    "+0-", 100,   0,   0,   0, 0},
    {"T30 a stop triggered",                       "nut",    "+0-", 100,   0,   0,   0, 0},
    {"T31 a break of all there was",               "nafb",   "+0-",  60,   0,   0,  40, 0},
    {"T31 a break of a filled order",              "naFb",   "+4-",   0,   0,   0, 100, 0},
    {"T31 a break of a cancelled order",           "nafxb",  "+4-",   0,   0,  60,  40, 0},
    {"T33 late fill, cancelled",                   "naxf",   "+4-",   0,  40,  60,   0, LATE},
    {"T33 late fill, expired",                     "naef",   "+C-",   0,  40,  60,   0, LATE},
    {"T34 a rejected order fills", "njf", "!1-", 60, 40, 0, 0,
        REVIVED | ANOMALY},
    {"T34 a rejected order is accepted", "nja", "!0-", 100, 0, 0, 0,
        REVIVED | ANOMALY},
    {"T35 unknown, then cancelled",                "nux",    "+4-",   0,   0, 100,   0, 0},
    {"T35 unknown, then filled",                   "nuf",    "+1-",  60,  40,   0,   0, 0},
    {"T35 unknown, a refused cancel is no life",   "ncui",   "+u-", 100,   0,   0,   0, 0},
    {"T36 a denied number fills",                  "df",     "!d-",   0,  40,   0,   0, ANOMALY},
    {"T36 a denied number is accepted",            "da",     "!d-",   0,   0,   0,   0, ANOMALY},

    {"R1 part fills while a cancel is pending",    "nacf",   "+1c",  60,  40,   0,   0, 0},
    {"R1 the cancel finds less",                   "nacfx",  "+4-",   0,  40,  60,   0, 0},
    {"R2 all fills while a cancel is pending",     "nacF",   "+2-",   0, 100,   0,   0, 0},
    {"R2 the refusal behind is information",       "nacFi",  "+2-",   0, 100,   0,   0, 0},
    {"R3 fill behind the cancel's answer",         "nacxf",  "+4-",   0,  40,  60,   0, LATE},
    {"R4 fill, then the cancel refused",           "nafci",  "+1-",  60,  40,   0,   0, 0},
    {"R5 fill while a replace is pending",         "narf",   "+1r",  60,  40,   0,   0, 0},
    {"R5 what replaced says is net of it",         "narfR",  "+1-",  60,  40,   0,   0, 0},
    {"R6 replaced behind the last fill", "narFR", "!1-", 60, 100, 0, 0,
        REVIVED | ANOMALY},
    {"R7 old terms behind a refused replace",      "narJf",  "+1-",  60,  40,   0,   0, 0},
    {"R8 the cancel named the old number",         "narcRi", "+0-",  60,   0,   0,   0, 0},
    {"R9 the same execution twice",                "nafq",   "D1-",  60,  40,   0,   0, 0},
    {"R9 again when closed",                       "nafxq",  "D4-",   0,  40,  60,   0, 0},
    {"R10 one exec_id, two contents", "nafQ", "!1-", 60, 40, 0, 0,
        CONFLICT | ANOMALY},
    {"R11 an accept said again",                   "naa",    "D0-", 100,   0,   0,   0, 0},
    {"R12 cancel before its fill",                 "naxF",   "+4-",   0, 100,   0,   0, LATE},
    {"R12 replaced before the fill before it",     "narRg",  "+1-",  60,  40,   0,   0, 0},
    {"R15 more executed than there was", "naFf", "!2-", 0, 140, 0, 0,
        OVERFILL | ANOMALY},
    {"R16 a break of a fill not seen", "naB", "!0-", 100, 0, 0, 0,
        ORPHAN | ANOMALY},
    {"R16 the fill comes and is broken", "naBh", "!0-", 60, 0, 0, 40,
        ORPHAN | ANOMALY},
    {"R18 reject behind the accept",               "naj",    "!0-", 100,   0,   0,   0, ANOMALY},
    {"R19 accepted behind the sweep",              "nuaf",   "+1-",  60,  40,   0,   0, 0},
    {"R20 no closing report at the day's end",     "nafu",   "+u-",  60,  40,   0,   0, 0},
    {"R21 a part taken until nothing is left",     "nafX",   "+4-",   0,  40,  60,   0, 0},
    {"R23 a break when the day is over",           "nafyb",  "+3-",   0,   0,  60,  40, 0},
};
/* clang-format on */

static enum dp_order_result execute(
    struct bench *bench, enum dp_event_kind kind, uint32_t number, uint64_t exec_id, uint64_t qty)
{
    struct dp_event event = {.time_ns = ++bench->time_ns,
        .kind = (uint8_t)kind,
        .user_ref_num = number,
        .exec_id = exec_id,
        .qty = qty,
        .price_nanos = PRICE};
    return bench_apply(bench, &event);
}

static enum dp_order_result replaced(struct bench *bench, uint64_t qty, uint8_t order_state)
{
    struct dp_event event = {.time_ns = ++bench->time_ns,
        .kind = DP_EVENT_REPLACED,
        .user_ref_num = 2,
        .orig_user_ref_num = 1,
        .qty = qty,
        .price_nanos = PRICE,
        .venue_order_id = 78,
        .order_state = order_state};
    return bench_apply(bench, &event);
}

static enum dp_order_result accepted_dead(struct bench *bench)
{
    struct dp_event event = {.time_ns = ++bench->time_ns,
        .kind = DP_EVENT_ACCEPTED,
        .user_ref_num = 1,
        .qty = QTY,
        .price_nanos = PRICE,
        .venue_order_id = 77,
        .order_state = 'D'};
    return bench_apply(bench, &event);
}

/* What the order is called at the venue by now, and what is open of it. */
static uint32_t name_of(struct bench *bench)
{
    return dp_orders_find(bench->orders, 1)->user_ref_num;
}

static uint64_t rest_of(struct bench *bench)
{
    uint64_t leaves_qty = dp_orders_find(bench->orders, 1)->leaves_qty;
    return leaves_qty > 0 ? leaves_qty : QTY;
}

/* What we do. */
static enum dp_order_result step_of_ours(struct bench *bench, char letter)
{
    switch (letter) {
    case 'n': return bench_send(bench, DP_EVENT_NEW, 1, 0, QTY);
    case 'd': return bench_send(bench, DP_EVENT_DENIED, 1, 0, QTY);
    case 'c': return bench_send(bench, DP_EVENT_CANCEL, name_of(bench), 0, 0);
    case 'r': return bench_send(bench, DP_EVENT_REPLACE, 2, 1, 120);
    case 'u': return bench_send(bench, DP_EVENT_OUTCOME_UNKNOWN, 1, 0, 0);
    case 'w': return bench_send(bench, DP_EVENT_NOT_SENT, 1, 0, 0);
    case 'W': return bench_send(bench, DP_EVENT_NOT_SENT, 2, 0, 0);
    default: abort();
    }
}

/* Executions: 5 and counting; 9 is the one whose break comes first. */
static enum dp_order_result step_of_executions(struct bench *bench, char letter)
{
    switch (letter) {
    case 'f': return execute(bench, DP_EVENT_FILLED, name_of(bench), ++bench->exec_id, 40);
    case 'F':
        return execute(bench, DP_EVENT_FILLED, name_of(bench), ++bench->exec_id, rest_of(bench));
    case 'g': return execute(bench, DP_EVENT_FILLED, 1, ++bench->exec_id, 40);
    case 'q': return execute(bench, DP_EVENT_FILLED, 1, bench->exec_id, 40);
    case 'Q': return execute(bench, DP_EVENT_FILLED, 1, bench->exec_id, 41);
    case 'h': return execute(bench, DP_EVENT_FILLED, 1, 9, 40);
    case 'b': return execute(bench, DP_EVENT_BROKEN, 1, bench->exec_id, 0);
    default: /* 'B' */ return execute(bench, DP_EVENT_BROKEN, 1, 9, 0);
    }
}

static enum dp_order_result step(struct bench *bench, char letter)
{
    switch (letter) {
    case 'a': return bench_answer(bench, DP_EVENT_ACCEPTED, 1, QTY);
    case 'D': return accepted_dead(bench);
    case 'j': return bench_answer(bench, DP_EVENT_REJECTED, 1, 0);
    case 'N': return bench_answer(bench, DP_EVENT_REJECTED, 2, 0);
    case 'x': return bench_answer(bench, DP_EVENT_CANCELED, name_of(bench), rest_of(bench));
    case 'X':
        bench_answer(bench, DP_EVENT_CANCELED, name_of(bench), 10);
        return bench_answer(bench, DP_EVENT_CANCELED, name_of(bench), rest_of(bench));
    case 'p': return bench_answer(bench, DP_EVENT_CANCELED, name_of(bench), 10);
    case 'R': return replaced(bench, 60, 'L');
    case 'Z': return replaced(bench, 0, 'L');
    case 'K': return replaced(bench, 60, 'D');
    case 'J': return bench_answer(bench, DP_EVENT_REPLACE_REJECTED, 2, 0);
    case 'i': return bench_answer(bench, DP_EVENT_CANCEL_REJECTED, name_of(bench), 0);
    case 'm': return bench_answer(bench, DP_EVENT_CANCEL_PENDING, name_of(bench), 0);
    case 'e': return bench_answer(bench, DP_EVENT_EXPIRED, name_of(bench), rest_of(bench));
    case 'y': return bench_answer(bench, DP_EVENT_DONE_FOR_DAY, name_of(bench), 0);
    case 's': return bench_answer(bench, DP_EVENT_SUSPENDED, name_of(bench), 0);
    case 't': return bench_answer(bench, DP_EVENT_RESUMED, name_of(bench), 0);
    case 'v': return bench_answer(bench, DP_EVENT_RESTATED, name_of(bench), 0);
    default: break;
    }
    return strchr("fFgqQhbB", letter) != NULL ? step_of_executions(bench, letter)
                                              : step_of_ours(bench, letter);
}

static void check_row(const struct row *row)
{
    struct bench *bench = bench_open();
    enum dp_order_result result = DP_ORDER_APPLIED;
    bench->exec_id = 10;
    for (const char *letter = row->path; *letter != 0; letter++)
        result = step(bench, *letter);

    const struct dp_order *order = dp_orders_find(bench->orders, 1);
    char text[4];
    bench_state_text(order, result, text);
    CHECK_THAT(strcmp(text, row->state) == 0, "%s: %s; expected %s", row->name, text, row->state);
    CHECK_THAT(order->leaves_qty == row->leaves_qty && order->cum_qty == row->cum_qty &&
            order->cxl_qty == row->cxl_qty && order->bust_qty == row->bust_qty,
        "%s: leaves %" PRIu64 ", cum %" PRIu64 ", cxl %" PRIu64 ", bust %u", row->name,
        order->leaves_qty, order->cum_qty, order->cxl_qty, order->bust_qty);
    uint32_t flags = DP_ORDER_FLAGS(dp_load_relaxed(&order->state));
    CHECK_THAT(flags == row->flags, "%s: flags %u; expected %u", row->name, flags, row->flags);
    bench_check_invariants(bench, row->name);
    bench_check_replay(bench);
    bench_close(bench);
}

static void test_every_transition_and_race_of_the_specification(void)
{
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++)
        check_row(&rows[index]);
}

/* R13, R14: what OUCH names is a number, and one we never gave changes nothing. */
static void test_a_number_we_never_gave_changes_nothing(void)
{
    static const uint8_t kinds[] = {DP_EVENT_ACCEPTED, DP_EVENT_REJECTED, DP_EVENT_FILLED,
        DP_EVENT_CANCELED, DP_EVENT_REPLACED, DP_EVENT_BROKEN, DP_EVENT_CANCEL,
        DP_EVENT_OUTCOME_UNKNOWN, 200};
    struct bench *bench = bench_open();
    step(bench, 'n');
    struct dp_order before = *dp_orders_find(bench->orders, 1);
    for (size_t index = 0; index < sizeof(kinds); index++)
        CHECK_EQUAL(execute(bench, kinds[index], 50, 7, 10), DP_ORDER_UNKNOWN_NUMBER);
    CHECK(memcmp(&before, dp_orders_find(bench->orders, 1), sizeof(before)) == 0);
    bench_close(bench);
}

int main(void)
{
    RUN_TESTS(TEST(test_every_transition_and_race_of_the_specification),
        TEST(test_a_number_we_never_gave_changes_nothing));
}
