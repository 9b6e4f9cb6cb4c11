/*
 * dp_generate - a deterministic Nasdaq-like session, one ITCH 5.0 message at a time.
 *
 * Every message type of the specification, Zipf activity over the symbols, a touch that follows a random walk, churn near
 * the touch, replace chains, partial and full executions, bursts, halts, crosses. The book it implies never locks or crosses
 * while a stock trades, and every message is legal. Integers only (no floating point), so a seed gives
 * the same bytes on every machine. Allocates its state once; one thread per generator.
 */
#ifndef DP_GENERATE_H
#define DP_GENERATE_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_GENERATE_SYMBOLS_MAX 8000u
#define DP_GENERATE_MESSAGE_MAX 64 /* bytes; no ITCH 5.0 message is longer than 50 */

struct dp_generate_config {
    uint64_t seed;
    uint64_t message_count; /* total, system events and directory included; at least dp_generate_count_min() */
    uint32_t symbol_count;  /* 1 .. DP_GENERATE_SYMBOLS_MAX */
};

struct dp_generate; /* opaque */

/* Fewest messages that hold a whole day for so many symbols (start, directory, states, end). */
uint64_t dp_generate_count_min(uint32_t symbol_count);
struct dp_generate *dp_generate_open(const struct dp_generate_config *config, struct dp_err *err);
/* Writes the next message; returns its size, 0 when the session is over. Timestamps never go back. */
uint32_t dp_generate_next(struct dp_generate *generate, uint8_t message[DP_GENERATE_MESSAGE_MAX]);
void dp_generate_close(struct dp_generate *generate);

#endif
