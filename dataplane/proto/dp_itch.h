/*
 * dp_itch - Nasdaq TotalView-ITCH 5.0, revision of 19 February 2026: all 23 messages.
 *
 * Pure functions over (bytes, size): nothing is read past size, nothing kept, any thread. All
 * integers on the wire are big-endian and unsigned; prices have four decimals; time is nanoseconds
 * since local midnight. Field names are the specification's, in snake_case. docs/protocols.md has
 * the tables.
 */
#ifndef DP_ITCH_H
#define DP_ITCH_H

#include "dp_base.h"

#define DP_ITCH_HEADER_SIZE 11
#define DP_ITCH_NANOS_PER_PRICE4 100000 /* 1e-4 in units of 1e-9 */

enum dp_itch_result {
    DP_ITCH_OK = 0,
    DP_ITCH_LONGER,  /* longer than the specification says: the known prefix was decoded */
    DP_ITCH_SHORT,   /* shorter than its type needs, or empty: nothing was decoded */
    DP_ITCH_UNKNOWN, /* no such type in the revision we know: skip it by its length */
};

/* The fields that books, trades and states need, from any message. What a type lacks is 0. */
struct dp_itch_message {
    uint8_t type;
    uint8_t side; /* enum dp_side, A F P; 0 for a code that is neither 'B' nor 'S' */
    uint8_t code; /* S event_code, H trading_state, h operational_halt_action, C printable, Q and I
                     cross_type, Y reg_sho_action, W breached_level */
    uint8_t market_code; /* h only */
    uint16_t stock_locate;
    uint16_t tracking_number;
    uint32_t price4;        /* A F U price, C execution_price, P price, Q cross_price */
    int64_t timestamp_ns;   /* since midnight */
    uint64_t order_ref;     /* U: original_order_reference_number */
    uint64_t new_order_ref; /* U only */
    uint64_t qty;           /* A F U P Q shares, E C executed_shares, X canceled_shares */
    uint64_t match_number;  /* E C P Q B */
    const uint8_t *stock; /* 8 bytes inside the input, space padded; NULL when the type has none */
};

/* Decodes one message; an unknown code letter never fails it. On SHORT and UNKNOWN all is 0
 * but the type (and that, too, for an empty input). */
static inline enum dp_itch_result dp_itch_decode(
    const uint8_t *data, size_t size, struct dp_itch_message *message);
/* Length of a type by the specification, 0 for an unknown one. */
static inline uint32_t dp_itch_length(uint8_t type);

/* ---- every field by name: decoding for people and tests ---- */

enum dp_itch_kind {
    DP_ITCH_CHAR,
    DP_ITCH_ALPHA,
    DP_ITCH_UINT,
    DP_ITCH_TIME6,
    DP_ITCH_PRICE4,
    DP_ITCH_PRICE8
};

struct dp_itch_field {
    const char *name; /* "order_reference_number" */
    uint8_t offset;
    uint8_t length;
    uint8_t kind; /* enum dp_itch_kind */
};

struct dp_itch_type {
    char type;
    uint8_t length;
    uint8_t field_count;
    const char *name;                   /* "add_order" */
    const struct dp_itch_field *fields; /* in wire order, message_type first */
};

const struct dp_itch_type *dp_itch_type(uint8_t type); /* NULL for an unknown type */
/* 0 .. 22 in the order of the specification; NULL behind the end. */
const struct dp_itch_type *dp_itch_type_at(size_t index);

/* Renders one message as a line of text without a line end; returns the characters written (never
 * more than size - 1, NUL-terminated), or 0 when text is too small or the message is SHORT or
 * UNKNOWN. DP_ITCH_TEXT_SIZE holds any message; of a LONGER one the known prefix is rendered.
 *
 * Text: `HH:MM:SS.nnnnnnnnn name field=value ...`, prices as decimals.
 * JSON: one object of "type", "name" and the fields in wire order; numbers as raw integers (prices
 * too, times in nanoseconds), char and alpha as strings, alpha right-stripped. A byte that is not
 * printable ASCII is \u00XX in both; so are, in text, a backslash and a space inside a value. */
#define DP_ITCH_TEXT_SIZE 1024
size_t dp_itch_render(const uint8_t *data, size_t data_size, bool json, char *text, size_t size);

#include "dp_itch_decode.h"

#endif
