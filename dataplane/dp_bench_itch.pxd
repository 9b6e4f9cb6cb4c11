"""Mirror of bench/dp_bench_itch.h."""

from libc.stdint cimport uint8_t, uint64_t


cdef extern from "dp_bench_itch.h" nogil:
    uint64_t dp_bench_itch_floor(const uint8_t *data, size_t size, uint64_t *sum)
    uint64_t dp_bench_itch_parse(const uint8_t *data, size_t size, uint64_t *sum)
