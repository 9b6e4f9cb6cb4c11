/*
 * dp_bench_hop - from one core to another and back: bare cache lines, and messages in two rings.
 *
 * Each call makes `bout_count` bouts of DP_BENCH_HOP_TURNS round trips between two pinned threads
 * and leaves in `ticks` how long each bout took, in TSC ticks; a round trip is two hops. A ring
 * message has 8 bytes of data; each end fills its slot, publishes, and gives back what it read.
 *
 * Bare is the least that a message one way can be: a word in a line that the other core waits for,
 * one line there and one back. With a single line for both ways the number of the answer is stored
 * into the line that the question came in, which the processor hands over in one transaction
 * instead of two; no queue can do that, for its next message lies elsewhere.
 */
#ifndef DP_BENCH_HOP_H
#define DP_BENCH_HOP_H

#include "dp_base.h"

#define DP_BENCH_HOP_TURNS 100u

void dp_bench_hop_bare(uint64_t ticks[], uint32_t bout_count);
void dp_bench_hop_single(uint64_t ticks[], uint32_t bout_count);
void dp_bench_hop_ring(uint64_t ticks[], uint32_t bout_count);

#endif
