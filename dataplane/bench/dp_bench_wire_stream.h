/*
 * dp_bench_wire_stream - TCP as a simple program has it: a socket that sleeps in recv().
 */
#ifndef DP_BENCH_WIRE_STREAM_H
#define DP_BENCH_WIRE_STREAM_H

#include "dp_order_session.h"

/* For dp_order_session_config.connect; context is not used. Waits for the connection; polling waits
 * for bytes, or a tenth of a second. */
struct dp_stream *dp_bench_wire_plain_connect(
    void *context, const struct dp_order_session_address *address, struct dp_err *err);

#endif
