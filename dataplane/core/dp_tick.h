/*
 * dp_tick - prices as whole ticks of 1e-4 of the currency, the finest that a venue takes.
 *
 * Pure functions; any thread.
 */
#ifndef DP_TICK_H
#define DP_TICK_H

#include "dp_base.h"

#define DP_TICK_NANOS 100000                         /* 2^5 * 3125 */
#define DP_TICK_INVERSE UINT64_C(0x5d4e8fb00bcbe61d) /* of 3125, modulo 2^64 */

/* A price that is a whole number of ticks, as that number; of any other price a number above every
 * such one, so that one comparison with the largest price allowed refuses both. No division: what
 * 3125 divides, its inverse modulo 2^64 divides exactly, and what 2^5 does not divide is turned to
 * the top. */
static inline uint64_t dp_tick_exact(int64_t price_nanos)
{
    uint64_t product = (uint64_t)price_nanos * DP_TICK_INVERSE;
    return product >> 5 | product << 59;
}

static_assert(DP_TICK_INVERSE * UINT64_C(3125) == 1, "the inverse of 3125");

#endif
