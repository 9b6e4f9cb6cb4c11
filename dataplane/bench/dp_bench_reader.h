/*
 * dp_bench_reader - somebody who looks at all books sixty times a second while they are written.
 *
 * A thread of its own, which reads the ten best levels of both sides of every open book; then it
 * sleeps until the next sixtieth of a second. What it was told is counted. Start, stop and counts
 * belong to one thread.
 */
#ifndef DP_BENCH_READER_H
#define DP_BENCH_READER_H

#include <pthread.h>

#include "dp_book.h"

#define DP_BENCH_READER_HZ 60
#define DP_BENCH_READER_DEPTH 10u

struct dp_bench_reader {
    const struct dp_books *books;
    pthread_t thread;
    _Atomic uint32_t is_done;
    uint64_t ok_count;   /* after dp_bench_reader_stop(): views read, */
    uint64_t busy_count; /* and changes that no try got past */
};

/* reader: zeroed. books must stay until it stops. 0, or -errno. */
int dp_bench_reader_start(struct dp_bench_reader *reader, const struct dp_books *books);
void dp_bench_reader_stop(struct dp_bench_reader *reader);

#endif
