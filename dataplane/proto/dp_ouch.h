/*
 * dp_ouch - Nasdaq OUCH 5.0 (2 May 2023, and revision 1.05 of October 2025 where marked [2025]):
 * both directions, every message.
 *
 * Pure functions over (bytes, size), any thread; nothing is read past size and nothing is kept.
 * Letters mean different things inbound (to the venue) and outbound (from it), so each call names
 * its direction. Prices are eight bytes with four decimals. A message may be followed by an
 * appendage (2-byte length, then options as tag-length-value); options are walked with
 * dp_ouch_next_option() and unknown tags are stepped over. One table of fields (dp_ouch_type_at)
 * drives decoding and encoding alike. docs/protocols.md shows it.
 */
#ifndef DP_OUCH_H
#define DP_OUCH_H

#include "dp_base.h"
#include "dp_event.h"
#include "dp_net.h"
#include "dp_template.h"

#define DP_OUCH_QTY_MAX 999999u
#define DP_OUCH_PRICE_MAX 1999999900u /* $199,999.99, four decimals */
#define DP_OUCH_NANOS_PER_TICK 100000
#define DP_OUCH_FIXED_MAX 68 /* bytes: no message has a longer fixed part */

enum dp_ouch_direction { DP_OUCH_INBOUND, DP_OUCH_OUTBOUND };

enum dp_ouch_result {
    DP_OUCH_OK = 0,
    DP_OUCH_UNKNOWN,   /* no such type in this direction */
    DP_OUCH_SHORT,     /* empty, or shorter than its fixed part */
    DP_OUCH_MALFORMED, /* appendage does not end at the message's end, or an option runs past it */
};

/* Any message of either direction. What a type lacks is 0. */
struct dp_ouch_message {
    uint8_t type;
    char side;
    char time_in_force;
    char display;
    char capacity;
    char intermarket_sweep;
    char cross_type;
    char order_state;           /* A U outbound: 'L' live, 'D' dead */
    char liquidity_flag;        /* E D */
    char reason;                /* C D B R: the letter */
    char event_code;            /* S */
    char aiq_strategy;          /* D */
    uint16_t reject_code;       /* J */
    uint32_t user_ref_num;      /* Q outbound: next_user_ref_num */
    uint32_t orig_user_ref_num; /* U */
    uint32_t qty;               /* quantity; D: decrement_shares */
    uint32_t qty_prevented;     /* D */
    uint32_t options_size;      /* bytes at options: the wire's appendage_length */
    uint64_t price_wire;        /* four decimals */
    uint64_t timestamp_ns;      /* outbound: since midnight */
    uint64_t order_ref;
    uint64_t match_number;
    char symbol[8];
    char cl_ord_id[14];
    char firm[4];
    const uint8_t *options; /* tag-length-values inside the input; NULL when there are none */
};

/* Codes (side, reasons, states) are handed on as they are: what to do with one outside the tables
 * is the caller's decision. *message is zeroed first; only after DP_OUCH_OK is it
 * filled in whole. */
enum dp_ouch_result dp_ouch_decode(const uint8_t *data, size_t size,
    enum dp_ouch_direction direction, struct dp_ouch_message *message);
/* Writes the fixed part, then options_size bytes of options. Returns bytes written; 0 when the type
 * is unknown in that direction, cannot carry options, or `size` is too small. */
size_t dp_ouch_encode(const struct dp_ouch_message *message, enum dp_ouch_direction direction,
    uint8_t *data, size_t size);
/* Walks the options: false at the end. *cursor starts at 0. Option values are `value_size` bytes at
 * *value (0 bytes for an option that is a tag alone). */
bool dp_ouch_next_option(const struct dp_ouch_message *message, uint32_t *cursor, uint8_t *tag,
    const uint8_t **value, uint32_t *value_size);
/* Bytes of the fixed part; 0 when unknown. */
uint32_t dp_ouch_length(uint8_t type, enum dp_ouch_direction direction);

/* The venue's answer in our words: fills kind, numbers, quantities, price, reason, order_state,
 * liquidity. ACCEPTED, REPLACED and RESTATED carry the venue's price and time in force too. A J is
 * REJECTED; whether it answers a replace is for the order table to say. False for messages that are
 * about no single order (S Q X G K) or no message at all. time_ns: midnight_ns + timestamp. A price
 * that int64 nanos cannot hold is DP_PRICE_NONE. */
bool dp_ouch_event(
    const struct dp_ouch_message *message, int64_t midnight_ns, struct dp_event *event);
/* enum dp_side of a side code: selling short is selling; DP_SIDE_NONE when it is no side. */
uint8_t dp_ouch_side(char side);
const char *dp_ouch_reject_name(uint16_t code); /* "halted"; "code not in the list" */

/* ---- every field by name, both directions: for decoding to text and for tests ---- */

enum dp_ouch_kind {
    DP_OUCH_CHAR,
    DP_OUCH_ALPHA,
    DP_OUCH_UINT,
    DP_OUCH_TIME8,
    DP_OUCH_PRICE8,
    DP_OUCH_CODE16,
};

enum dp_ouch_appendage {
    DP_OUCH_APPENDAGE_NONE,
    DP_OUCH_APPENDAGE_OPTIONAL, /* [2025] a length and options may follow the fixed part */
    DP_OUCH_APPENDAGE_REQUIRED, /* its length field is the end of the fixed part */
};

struct dp_ouch_field {
    const char *name;
    uint8_t offset;
    uint8_t length;
    uint8_t kind;   /* enum dp_ouch_kind */
    uint8_t member; /* offset in struct dp_ouch_message of where the value goes */
};

struct dp_ouch_type {
    char type;
    uint8_t direction; /* enum dp_ouch_direction */
    uint8_t length;
    uint8_t field_count;
    uint8_t appendage; /* enum dp_ouch_appendage */
    const char *name;
    const struct dp_ouch_field *fields; /* in wire order, type first */
};

const struct dp_ouch_type *dp_ouch_type_at(size_t index); /* NULL behind the end */
/* The entry of one letter; NULL when there is none in that direction. */
const struct dp_ouch_type *dp_ouch_type(uint8_t type, enum dp_ouch_direction direction);

/* ---- finished frames for the order path (core/dp_template.h) ---- */

struct dp_ouch_session {
    struct dp_net_endpoint us;
    struct dp_net_endpoint venue;
    char cl_ord_id_prefix[DP_CL_ORD_ID_PREFIX_MAX + 1]; /* letters and digits */
    char capacity;                                      /* 'A', 'P', 'R', 'O' */
    char display;                                       /* 'Y', 'N', 'A' */
};

/* symbol: 8 bytes, space padded. */
void dp_ouch_enter_template(
    struct dp_template *template_, const struct dp_ouch_session *session, const char symbol[8]);
void dp_ouch_replace_template(struct dp_template *template_, const struct dp_ouch_session *session);
void dp_ouch_cancel_template(struct dp_template *template_, const struct dp_ouch_session *session);

#endif
