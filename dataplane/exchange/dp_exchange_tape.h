/*
 * dp_exchange_tape - the exchange's own record of what came in and went out, byte for byte.
 *
 * Records are appended to a buffer that whoever keeps the file empties: dp_exchange_tape_data(),
 * write it, dp_exchange_tape_drop(). docs/venue.md has the format; the file begins with
 * DP_EXCHANGE_TAPE_MAGIC, then come the records, little-endian, each padded to eight bytes. One
 * thread; the buffer grows when nobody empties it, up to bytes_max, and is then counted as lost.
 */
#ifndef DP_EXCHANGE_TAPE_H
#define DP_EXCHANGE_TAPE_H

#include "dp_base.h"

#define DP_EXCHANGE_TAPE_MAGIC "TPVENUE1"
#define DP_EXCHANGE_TAPE_BYTES_MAX (256u << 20)

enum dp_exchange_tape_kind {
    DP_EXCHANGE_TAPE_CONNECTED = 1, /* data: none */
    DP_EXCHANGE_TAPE_CLOSED = 2,    /* data: none; sequence: enum dp_exchange_note */
    DP_EXCHANGE_TAPE_IN = 3,        /* a whole SoupBinTCP packet, or what was no packet */
    DP_EXCHANGE_TAPE_OUT = 4,       /* a packet of a connection that has no number */
    DP_EXCHANGE_TAPE_REPORT = 5,    /* a sequenced packet of an account; sequence: its number */
    DP_EXCHANGE_TAPE_LINE = 6,      /* a datagram put on a line; connection: the line, 0 or 1 */
    DP_EXCHANGE_TAPE_LOST = 7,      /* one that the line lost on purpose */
    DP_EXCHANGE_TAPE_REQUEST = 8,   /* a retransmission request */
    DP_EXCHANGE_TAPE_REPLY = 9,     /* the answer to it */
};

struct dp_exchange_tape_record {
    uint32_t size;    /* of the data that follow */
    uint8_t kind;     /* enum dp_exchange_tape_kind */
    uint8_t venue;    /* index of the exchange in its process */
    uint16_t account; /* index; 0xffff when none is known */
    uint32_t connection;
    uint32_t reserved;
    uint64_t sequence;
    int64_t time_ns;
};

static_assert(sizeof(struct dp_exchange_tape_record) == 32, "docs/venue.md");

#define DP_EXCHANGE_TAPE_NO_ACCOUNT 0xffffu

struct dp_exchange_tape {
    uint8_t *bytes;
    size_t used;
    size_t room;
    uint64_t lost; /* records that found no room */
    bool on;
};

/* *record but its size; data: `size` bytes. Does nothing when the tape is off. */
void dp_exchange_tape_add(struct dp_exchange_tape *tape,
    const struct dp_exchange_tape_record *record, const uint8_t *data, uint32_t size);
static inline const uint8_t *dp_exchange_tape_data(
    const struct dp_exchange_tape *tape, size_t *size)
{
    *size = tape->used;
    return tape->bytes;
}
static inline void dp_exchange_tape_drop(struct dp_exchange_tape *tape)
{
    tape->used = 0;
}
void dp_exchange_tape_free(struct dp_exchange_tape *tape);

#endif
