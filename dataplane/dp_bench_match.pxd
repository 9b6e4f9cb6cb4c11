"""Mirror of bench/dp_bench_match.h and bench/dp_bench_plain.h."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dataplane.dp_match cimport dp_match, dp_match_policy


cdef extern from "dp_bench_match.h" nogil:
    enum dp_bench_match_shape:
        pass

    struct dp_bench_match_command:
        pass

    struct dp_bench_match_result:
        uint64_t traded_qty
        uint64_t trades
        uint64_t live
        uint64_t refused

    size_t dp_bench_match_size(uint32_t order_count_max)
    void dp_bench_match_init(dp_match *match, uint32_t order_count_max, dp_match_policy policy)
    void dp_bench_match_flow(
        dp_bench_match_shape shape, uint64_t seed, dp_bench_match_command *commands,
        uint32_t resting, uint32_t count)
    dp_bench_match_result dp_bench_match_run(
        dp_match *match, const dp_bench_match_command *commands, uint32_t count)
    void dp_bench_match_report_counts(
        dp_match *match, const dp_bench_match_command *commands, uint32_t count,
        uint8_t *report_counts)
    uint64_t dp_bench_match_empty(
        const dp_bench_match_command *commands, uint32_t count, const uint8_t *report_counts)
    void dp_bench_match_time(
        dp_match *match, const dp_bench_match_command *commands, uint32_t count,
        uint32_t *ticks_tsc)

cdef extern from "dp_bench_plain.h" nogil:
    struct dp_bench_plain:
        pass

    size_t dp_bench_plain_size(uint32_t order_count)
    void dp_bench_plain_init(dp_bench_plain *plain, uint32_t order_count)
    dp_bench_match_result dp_bench_plain_run(
        dp_bench_plain *plain, const dp_bench_match_command *commands, uint32_t count)
