#include "dp_match_reason.h"

const char *dp_match_reason_name(enum dp_match_reason reason)
{
    static const char *const names[] = {
#define X(number, name, words) [number] = #name,
        DP_MATCH_REASONS(X)
#undef X
    };
    return (unsigned)reason < DP_MATCH_REASON_COUNT ? names[reason] : "UNKNOWN";
}

const char *dp_match_reason_words(enum dp_match_reason reason)
{
    static const char *const words_of[] = {
#define X(number, name, words) [number] = words,
        DP_MATCH_REASONS(X)
#undef X
    };
    return (unsigned)reason < DP_MATCH_REASON_COUNT ? words_of[reason] : "unknown";
}
