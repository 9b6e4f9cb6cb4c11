/*
 * dp_exchange_store - numbered messages, kept so that anyone may start anywhere.
 *
 * A message is its length (2, big-endian) and its bytes: just what SoupBinTCP calls a packet and
 * MoldUDP64 a block, so a stretch of the store is sent as it stands. Numbers begin at 1. Messages
 * lie in chunks; when bytes_max is used up the oldest chunk is used again and its messages are
 * gone. A cursor is a reader's place; it holds no pointer and may fall behind what is kept.
 *
 * One thread. Memory is taken chunk by chunk as messages come, and given back on close.
 */
#ifndef DP_EXCHANGE_STORE_H
#define DP_EXCHANGE_STORE_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_EXCHANGE_MESSAGE_MAX 2048 /* bytes, the length before them included */

struct dp_exchange_store; /* opaque */

/* The byte at `offset` of the chunk with that serial number. */
struct dp_exchange_cursor {
    uint64_t chunk;
    uint32_t offset;
};

/* bytes_max: at least two chunks are kept. NULL when there is no memory. */
struct dp_exchange_store *dp_exchange_store_open(uint64_t bytes_max);
void dp_exchange_store_close(struct dp_exchange_store *store); /* NULL is fine */
/* Forgets all messages; the next one is number 1. Cursors must be sought again. */
void dp_exchange_store_clear(struct dp_exchange_store *store);

/* Room for the bytes of the next message, behind its length; at most DP_EXCHANGE_MESSAGE_MAX - 2.
 */
uint8_t *dp_exchange_store_room(struct dp_exchange_store *store);
/* Makes the first `size` bytes of that room the next message; returns its number. */
uint64_t dp_exchange_store_commit(struct dp_exchange_store *store, uint32_t size);

uint64_t dp_exchange_store_next(const struct dp_exchange_store *store);  /* number to come */
uint64_t dp_exchange_store_first(const struct dp_exchange_store *store); /* oldest one kept */
/* Places the cursor at the beginning of message `number`, from first to next, both included. */
void dp_exchange_store_seek(
    const struct dp_exchange_store *store, uint64_t number, struct dp_exchange_cursor *cursor);
/* Bytes that can be read at once from the cursor on, 0 at the end; the cursor may move to the next
 * chunk. -1 when they are gone. Whole messages when the cursor stands at the beginning of one. */
int64_t dp_exchange_store_span(
    const struct dp_exchange_store *store, struct dp_exchange_cursor *cursor, const uint8_t **data);
/* Bytes between the cursor and the end, whole chunks of it counted as full. */
uint64_t dp_exchange_store_behind(
    const struct dp_exchange_store *store, const struct dp_exchange_cursor *cursor);

#endif
