/*
 * dp_exchange_fault - what an exchange can be told to do wrong to an account, in one list: number,
 * name, what it does with its value. docs/venue.md tells how to ask for them.
 */
#ifndef DP_EXCHANGE_FAULT_H
#define DP_EXCHANGE_FAULT_H

#include "dp_base.h"

#define DP_EXCHANGE_FAULTS(X) \
    X(0, NONE, "none", "ends all faults of the account") \
    X(1, DISCONNECT, "disconnect", "closes its connection now, without a word") \
    X(2, STOP_READING, "stop_reading", "leaves what it sends unread for so many nanoseconds") \
    X(3, LATE, "late", "reports leave so many nanoseconds later; 0 ends it") \
    X(4, DUPLICATE, "duplicate", "each of the next so many reports is said twice") \
    X(5, REORDER, "reorder", "each of the next so many reports is overtaken by the one behind") \
    X(6, MALFORMED_MESSAGE, "malformed_message", \
        "before each of the next so many reports comes one cut short") \
    X(7, MALFORMED_PACKET, "malformed_packet", \
        "sends a packet of a type that does not exist, once") \
    X(8, REJECT, "reject", "rejects every order with this code; 0 ends it") \
    X(9, THROTTLE, "throttle", "rejects more than so many requests a second; 0 ends it") \
    X(10, SEQUENCE_RESET, "sequence_reset", \
        "begins a new session at number 1 and closes the connection") \
    X(11, FILL_BEFORE_CANCEL, "fill_before_cancel", \
        "each of the next so many cancels finds its order traded already") \
    X(12, ACCEPT_DEAD, "accept_dead", "each of the next so many orders is accepted and dead") \
    X(13, SILENT, "silent", "sends no heartbeats for so many nanoseconds") \
    X(14, END_SESSION, "end_session", "says end of session and closes the connection")

enum dp_exchange_fault {
#define X(number, name, word, words) DP_EXCHANGE_FAULT_##name = number,
    DP_EXCHANGE_FAULTS(X) DP_EXCHANGE_FAULT_COUNT
#undef X
};

/* "late"; NULL outside the list. */
const char *dp_exchange_fault_word(uint32_t fault);

/* Those of an account that last. */
struct dp_exchange_faults {
    int64_t read_again_ns; /* nothing of it is read before */
    int64_t heartbeat_from_ns;
    int64_t late_ns;
    uint32_t duplicate_count;
    uint32_t reorder_count;
    uint32_t malformed_count;
    uint32_t fill_count;
    uint32_t dead_count;
    uint32_t throttle_per_second;
    uint16_t reject_code;
};

#endif
