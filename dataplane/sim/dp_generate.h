/*
 * dp_generate - a deterministic Nasdaq-like session, one ITCH 5.0 message at a time.
 *
 * Every message type of the specification, Zipf activity over the symbols, a touch that follows a
 * random walk, churn near the touch, replace chains, partial and full executions, bursts, halts,
 * crosses. The book it implies never locks or crosses, and every message is legal. Integers only
 * (no floating point), so a seed gives the same bytes on every machine. Allocates its state once,
 * in dp_generate_open(); one thread per generator.
 *
 *   dp_generate.c           open, next, close
 *   dp_generate_day.c       the phases of the day: directory, states, system events, crosses
 *   dp_generate_flow.c      order flow in bursts
 *   dp_generate_scenario.c  halts, pauses, releases and broken trades of single stocks
 *   dp_generate_book.c      the book that keeps the flow legal
 *   dp_generate_symbol.c    names, prices, activity
 *   dp_generate_wire.c      messages that several of them write
 */
#ifndef DP_GENERATE_H
#define DP_GENERATE_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_GENERATE_SYMBOLS_MAX 8000u
#define DP_GENERATE_MESSAGE_MAX 64 /* bytes; no ITCH 5.0 message is longer than 50 */
#define DP_GENERATE_FRAMED_MAX (DP_GENERATE_MESSAGE_MAX + 2)

struct dp_generate_config {
    uint64_t seed;
    uint64_t message_count; /* total, system events and directory included; at least
                               dp_generate_count_min() */
    uint32_t symbol_count;  /* 1 .. DP_GENERATE_SYMBOLS_MAX */
};

struct dp_generate; /* opaque */

/* Fewest messages that hold a whole day for so many symbols (start, directory, states, end). */
uint64_t dp_generate_count_min(uint32_t symbol_count);
/* A number of symbols that suits a session of so many messages: one for 2,500 of them. */
uint32_t dp_generate_symbols_default(uint64_t message_count);
/* NULL with err filled: a number out of its range, or no memory. */
struct dp_generate *dp_generate_open(const struct dp_generate_config *config, struct dp_err *err);
/* Writes the next message; returns its size, 0 when the session is over.
 * Timestamps never go back. */
uint32_t dp_generate_next(struct dp_generate *generate, uint8_t message[DP_GENERATE_MESSAGE_MAX]);
/* Fills buf with whole messages as a BinaryFILE has them, each behind its 2-byte length; returns
 * the bytes written, 0 when the session is over. size: at least DP_GENERATE_FRAMED_MAX. */
size_t dp_generate_fill(struct dp_generate *generate, uint8_t *buf, size_t size);
uint64_t dp_generate_written(const struct dp_generate *generate); /* messages so far */
void dp_generate_close(struct dp_generate *generate);             /* NULL is fine */

#endif
