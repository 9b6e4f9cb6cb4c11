/*
 * dp_warm - keeps the path of an order warm while there is none: shadow orders, which cannot leave.
 *
 * A strategy may wait seconds for its moment; by then caches and branch predictors belong to
 * something else, and the first order takes microseconds instead of tens of nanoseconds. So a
 * thread that has nothing to do calls both of these now and then:
 *
 *   dp_warm_walk()   one shadow order through the real functions, from the request to a finished
 *                    frame and back through the reports that end it: instructions, predictors
 *   dp_warm_look()   reads, and asks for, the memory that the next real order will need
 *
 * Why a shadow order cannot leave. The walk is given a struct dp_warm and nothing else, and that
 * holds all that the path reads or writes, down to the ring: a whole small appliance with one
 * instrument, on memory that no port knows. Nothing of the real path can be reached from it. The
 * look is given the real path as const and hands it on to functions that take const; asking for a
 * line for writing does not write. The test runs both with the real path's memory write-protected.
 *
 * One thread, that of the real path. Memory belongs to the caller. The pointers inside point
 * inside.
 */
#ifndef DP_WARM_H
#define DP_WARM_H

#include "dp_submit.h"

struct dp_warm; /* opaque: dp_warm.c */

size_t dp_warm_size(void);
/* warm: dp_warm_size() bytes, 4096-byte aligned. enter: the template of any instrument; copied. */
int dp_warm_init(struct dp_warm *warm, const struct dp_template *enter, struct dp_err *err);
void dp_warm_walk(struct dp_warm *warm);
uint64_t dp_warm_walk_count(const struct dp_warm *warm);
/* For the next order of that strategy in that instrument. Any index will do. */
void dp_warm_look(
    const struct dp_submit *submit, uint16_t strategy_index, uint32_t instrument_index);

#endif
