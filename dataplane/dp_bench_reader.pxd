"""Mirror of bench/dp_bench_reader.h."""

from libc.stdint cimport uint64_t

from dataplane.dp_book cimport dp_books


cdef extern from "dp_bench_reader.h" nogil:
    struct dp_bench_reader:
        uint64_t ok_count
        uint64_t busy_count

    int dp_bench_reader_start(dp_bench_reader *reader, const dp_books *books)
    void dp_bench_reader_stop(dp_bench_reader *reader)
