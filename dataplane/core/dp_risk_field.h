/*
 * dp_risk_field - limits by the names that people and configurations use.
 *
 * A table for each kind of scope: name, where in its struct, and whether it is an amount of money.
 * Numbers are written into journals (DP_JOURNAL_CONTROL): append only. Pure; any thread. Looking at
 * what is in use is for any process: its words are those of the lanes, each whole, taken one after
 * the other while they move.
 */
#ifndef DP_RISK_FIELD_H
#define DP_RISK_FIELD_H

#include "dp_risk.h"

struct dp_risk_field {
    const char *name; /* "max_gross" */
    uint16_t offset;
    uint8_t size;  /* bytes: 4 or 8 */
    bool is_money; /* nanos; else a count, a rate, basis points or nanoseconds */
};

/* The firm and accounts have one table, sessions none. */
uint32_t dp_risk_field_count(enum dp_risk_scope_kind kind);
/* NULL beyond the last. */
const struct dp_risk_field *dp_risk_field_at(enum dp_risk_scope_kind kind, uint32_t number);
/* What a scope's limit is; false when it has no limits or no such field. */
bool dp_risk_field_get(
    const struct dp_risk *risk, struct dp_risk_scope scope, uint32_t number, int64_t *value);
/* How much of that limit is in use at now_ns of the engine's time (or when the feed was last heard,
 * if that is later), in the unit of the limit: false for one that nothing uses up, like the size
 * of one order. Of a rate it is order_burst: tokens that are out. Of a position or a net amount it
 * is the side that has come further. */
bool dp_risk_field_used(const struct dp_risk *risk, struct dp_risk_scope scope, uint32_t number,
    int64_t now_ns, int64_t *used);
/* Sets one limit and keeps the others: 0, or -errno and why. For the one who applies commands. */
int dp_risk_field_set(struct dp_risk *risk, struct dp_risk_scope scope, uint32_t number,
    int64_t value, struct dp_err *err);

#endif
