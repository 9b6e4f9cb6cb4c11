/*
 * dp_bench_itch - what `tickplane bench` times over a session in memory: the floor, parsing, books.
 *
 * The floor is the least that any reader of these bytes can do: hop over the lengths, switch on the
 * type once, and byte-swap each field of every message that concerns orders and trades. It decides
 * nothing and keeps nothing. Each loop runs over whole BinaryFILE frames (2-byte big-endian length,
 * message) and returns how many messages it saw; *sum depends on every field, so that no work can
 * be left out.
 */
#ifndef DP_BENCH_ITCH_H
#define DP_BENCH_ITCH_H

#include "dp_base.h"

uint64_t dp_bench_itch_floor(const uint8_t *data, size_t size, uint64_t *sum);
uint64_t dp_bench_itch_parse(const uint8_t *data, size_t size, uint64_t *sum);

#endif
