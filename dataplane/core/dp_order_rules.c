#include "dp_order_rules.h"

#define BASE_COUNT 12

/*
 * One letter of enum dp_order_effect per cell. A live state has four: nothing pending, cancel
 * pending, replace pending, both. A closed one never has anything pending, so it has one.
 */
static const char rules[DP_EVENT_KIND_MAX + 1][BASE_COUNT][DP_PENDING_COUNT + 1] = {
/* clang-format off */
#define ROW(kind, denied, pending_new, new_, partial, filled, canceled, rejected, expired, done, \
    suspended, unknown) \
    [DP_EVENT_##kind] = {"", denied, pending_new, new_, partial, filled, canceled, rejected, \
        expired, done, suspended, unknown}
    /*  kind             deni pnew    new     part    fill canc reje expi done susp    unkn */
    ROW(REPLACE,          "!", "!!!!", "p!!!", "p!!!", "!", "!", "!", "!", "!", "!!!!", "!!!!"),
    ROW(REPLACE_DENIED,   "=", "====", "====", "====", "=", "=", "=", "=", "=", "====", "===="),
    ROW(CANCEL,           "!", "k!k!", "k!k!", "k!k!", "!", "!", "!", "!", "!", "k!k!", "k!k!"),
    ROW(OUTCOME_UNKNOWN,  "!", "wwww", "wwww", "wwww", "=", "=", "=", "=", "=", "wwww", "===="),
    ROW(NOT_SENT,         "d", "nnnn", "!!!!", "!!!!", "!", "!", "!", "!", "!", "!!!!", "nnnn"),
    ROW(ACCEPTED,         "!", "aaaa", "aaaa", "aaaa", "a", "a", "A", "a", "a", "aaaa", "aaaa"),
    ROW(REJECTED,         "!", "rrrr", "!!!!", "!!!!", "!", "!", "d", "!", "!", "!!!!", "rrrr"),
    ROW(FILLED,           "q", "ffff", "ffff", "ffff", "o", "l", "F", "l", "l", "ffff", "ffff"),
    ROW(CANCELED,         "!", "cccc", "cccc", "cccc", "!", "d", "!", "d", "=", "cccc", "cccc"),
    ROW(REPLACED,         "!", "!!!!", "uuuu", "uuuu", "U", "U", "!", "U", "U", "uuuu", "uuuu"),
    ROW(REPLACE_REJECTED, "!", "!!!!", "!!jj", "!!jj", "=", "=", "=", "=", "=", "==jj", "==jj"),
    ROW(CANCEL_PENDING,   "!", "!m!m", "mmmm", "mmmm", "!", "!", "!", "!", "!", "mmmm", "mmmm"),
    ROW(CANCEL_REJECTED,  "!", "!i!i", "!i=i", "!i=i", "=", "=", "=", "=", "=", "=i=i", "=i=i"),
    ROW(RESTATED,         "!", "!!!!", "vvvv", "vvvv", "=", "=", "!", "=", "=", "vvvv", "vvvv"),
    ROW(BROKEN,           "b", "bbbb", "bbbb", "bbbb", "b", "b", "b", "b", "b", "bbbb", "bbbb"),
    ROW(EXPIRED,          "!", "xxxx", "xxxx", "xxxx", "!", "=", "!", "d", "=", "xxxx", "xxxx"),
    ROW(SUSPENDED,        "!", "ssss", "ssss", "ssss", "!", "!", "!", "!", "!", "====", "ssss"),
    ROW(RESUMED,          "!", "!!!!", "====", "====", "!", "!", "!", "!", "!", "tttt", "tttt"),
    ROW(DONE_FOR_DAY,     "!", "yyyy", "yyyy", "yyyy", "!", "=", "!", "=", "d", "yyyy", "yyyy"),
#undef ROW
    /* clang-format on */
};

enum dp_order_effect dp_order_rule(enum dp_order_base base, uint32_t pending, uint8_t kind)
{
    if (kind > DP_EVENT_KIND_MAX || rules[kind][base][0] == 0)
        return DP_EFFECT_ANOMALY;
    return (enum dp_order_effect)rules[kind][base][dp_order_base_is_live(base) ? pending : 0];
}
