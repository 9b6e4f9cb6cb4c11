/*
 * dp_wal_keeper - the journal's second thread: it makes the next segment ready, puts a full one on
 * disk, and flushes what has been appended: where orders wait for the disk at once, many orders at
 * a time; elsewhere once a second, so that a disk that takes nothing any more is found out.
 *
 *     writer                              keeper
 *     ------                              ------
 *     appends; segment->sequence_next     flushes up to it; `durable`
 *     dp_wal_keeper_take() -> file        has made it; `next_state` READY
 *     dp_wal_keeper_give()                flushes and closes the old one; `rolled`
 *
 * The writer is wait-free but for take(), which waits while the keeper is at work on the next file;
 * with one made ready in time it is a pointer swap. For a file that could not be made it does not
 * wait again: the keeper tries anew by itself, and until it has one every take() is refused at
 * once. Of the shared words the writer stores sequence_next (release: the records below it are in
 * memory), rolled (release: the next segment's header is written), next_state WANTED (release:
 * `rolled` before it is seen too) and stop; the keeper stores durable (release: these records are
 * on disk), next_state (release: `next`, or the error, is filled in) and failed. A file is made
 * only after the old segment has been closed, so there is never more than one.
 *
 * A failed flush is final (a store that found its disk gone is one, see dp_wal_guard): the mark is
 * left in the directory, the segment is tainted (nothing is appended any more), `durable` stands
 * still for good, and the thread flushes nothing again.
 */
#ifndef DP_WAL_KEEPER_H
#define DP_WAL_KEEPER_H

#include <pthread.h>

#include "dp_atomic.h"
#include "dp_wal_file.h"

enum dp_wal_next_state { DP_WAL_NEXT_WANTED = 0, DP_WAL_NEXT_READY, DP_WAL_NEXT_FAILED };

struct dp_wal_keeper {
    /* Set before the start, then read-only. */
    struct dp_wal_directory *directory;
    struct dp_journal_segment *segment; /* the writer's: sequence_next is read, tainted set */
    bool waits;                         /* some orders wait for the disk */
    pthread_t thread;
    bool started;

    /* The writer's line. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t rolled;
    _Atomic bool stop;
    bool refused; /* the last take() was */
    struct dp_err refused_err;

    /* The keeper's line. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t durable; /* sequence */
    _Atomic bool failed;
    _Atomic uint32_t next_state; /* enum dp_wal_next_state; the writer sets WANTED again */
    struct dp_wal_file next;
    struct dp_err next_err;  /* why next_state is FAILED */
    struct dp_err flush_err; /* why failed is true */

    /* The keeper's own. */
    alignas(DP_CACHE_LINE) struct dp_wal_file current;
    struct dp_journal_header header; /* of the next file */
    uint64_t rolled_seen;
    uint64_t flushed;   /* bytes of current */
    uint64_t populated; /* bytes of current */
    int64_t looked_ns;  /* CLOCK_MONOTONIC: when the disk was last asked, where nobody waits */
};

/* Starts the thread. keeper: zeroed but for directory, segment, waits; current is the segment that
 * has just been started, header tells what every header says. */
int dp_wal_keeper_start(struct dp_wal_keeper *keeper, const struct dp_wal_file *current,
    const struct dp_journal_header *header, struct dp_err *err);
/* The next file. False: *err says why; it is tried again for the next time that one is asked for,
 * but not after a failed flush. */
bool dp_wal_keeper_take(struct dp_wal_keeper *keeper, struct dp_wal_file *file, struct dp_err *err);
/* Hands the full segment over; its end record is written and the one taken is started. */
void dp_wal_keeper_give(struct dp_wal_keeper *keeper);
/* Ends the thread and removes the file that it had ready. */
int dp_wal_keeper_stop(struct dp_wal_keeper *keeper);

#endif
