/*
 * dp_bench_journal - what `tickplane bench` times of the journal: appends beside a bare copy of the
 * same bytes, groups of orders that share a barrier, and the filling of a journal to recover from.
 *
 * Loops run on the calling thread over a dp_wal of the caller's, with the thread and the files that
 * a run has.
 */
#ifndef DP_BENCH_JOURNAL_H
#define DP_BENCH_JOURNAL_H

#include "dp_base.h"
#include "dp_hist.h"
#include "dp_order.h"
#include "dp_wal.h"

/* Copies `count` records' bytes, one behind the other, asking for the lines ahead as an append
 * does. memory: room for them. */
void dp_bench_journal_copy(uint8_t *memory, uint64_t count);
/* Appends `count` new orders. hist: TSC ticks of each; NULL: not measured one by one. False when
 * the journal took no more. */
bool dp_bench_journal_append(struct dp_wal *wal, uint64_t count, struct dp_hist *hist);
/* Appends the life of order after order (new, accepted, half filled, filled; every eighth cancelled
 * instead) until there are `count` events more. orders: room for them. */
bool dp_bench_journal_fill(struct dp_wal *wal, struct dp_orders *orders, uint64_t count);

/* Orders that wait for the disk, one due every interval_tsc, at most 65,536 waiting at once. */
struct dp_bench_group {
    uint64_t count; /* orders */
    uint64_t barriers;
    uint64_t ticks;      /* TSC, from the first due to the last free */
    struct dp_hist wait; /* TSC ticks from due to free to leave */
};

bool dp_bench_journal_group(
    struct dp_wal *wal, uint64_t count, uint64_t interval_tsc, struct dp_bench_group *group);
/* `count` times: 4 KiB of a file that is there already, and fdatasync. hist: TSC ticks of each. */
int dp_bench_journal_fdatasync(const char *path, uint64_t count, struct dp_hist *hist);

#endif
