/*
 * dp_generate_random - the generator's only source of chance: splitmix64, the same numbers
 * everywhere.
 *
 * One 64-bit state, advanced by a constant and mixed: a seed fixes every number that follows. The
 * struct belongs to the caller; one thread.
 */
#ifndef DP_GENERATE_RANDOM_H
#define DP_GENERATE_RANDOM_H

#include "dp_base.h"

struct dp_generate_random {
    uint64_t state;
};

static inline uint64_t dp_generate_random_next(struct dp_generate_random *random)
{
    uint64_t mixed = random->state += 0x9e3779b97f4a7c15ull;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebull;
    return mixed ^ mixed >> 31;
}

/* 0 .. limit - 1, limit > 0. The bias of at most limit / 2^32 harms nothing here. */
static inline uint32_t dp_generate_random_below(struct dp_generate_random *random, uint32_t limit)
{
    return (uint32_t)((dp_generate_random_next(random) >> 32) * limit >> 32);
}

/* first .. last, both included. */
static inline uint32_t dp_generate_random_between(
    struct dp_generate_random *random, uint32_t first, uint32_t last)
{
    return first + dp_generate_random_below(random, last - first + 1);
}

/* True once in `count` calls on average. */
static inline bool dp_generate_random_one_in(struct dp_generate_random *random, uint32_t count)
{
    return dp_generate_random_below(random, count) == 0;
}

/* How many coins fall heads before the first tail: 0 half of the time, 1 a quarter, ...
 * at most 32. */
static inline uint32_t dp_generate_random_coins(struct dp_generate_random *random)
{
    return (uint32_t)__builtin_ctzll(dp_generate_random_next(random) | 1ull << 32);
}

#endif
