#include "dp_event.h"

const char *dp_event_kind_name(uint8_t kind)
{
    switch (kind) {
#define X(number, name, words) \
    case number: return #name;
        DP_EVENT_KINDS(X)
#undef X
    default: return "UNKNOWN";
    }
}

const char *dp_ord_status_name(uint8_t ord_status)
{
    switch (ord_status) {
#define X(number, name) \
    case number: return #name;
        DP_ORD_STATUSES(X)
#undef X
    default: return "UNKNOWN";
    }
}
