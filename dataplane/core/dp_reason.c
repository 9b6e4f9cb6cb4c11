#include "dp_reason.h"

struct reason_row {
    const char *name;
    const char *words;
    int ord_rej_reason;
};

static const struct reason_row rows[] = {
#define X(number, name, words, fix) [number] = {#name, words, fix},
    DP_REASONS(X)
#undef X
};

static const struct reason_row unknown = {"UNKNOWN", "not a reason of this build", 99};

static_assert(sizeof(rows) / sizeof(rows[0]) == DP_REASON_COUNT, "numbers are dense");

/* A number may come from the journal of a newer build. */
static const struct reason_row *row_of(enum dp_reason reason)
{
    return (unsigned)reason < DP_REASON_COUNT ? &rows[reason] : &unknown;
}

const char *dp_reason_name(enum dp_reason reason)
{
    return row_of(reason)->name;
}

const char *dp_reason_words(enum dp_reason reason)
{
    return row_of(reason)->words;
}

int dp_reason_ord_rej_reason(enum dp_reason reason)
{
    return row_of(reason)->ord_rej_reason;
}
