/*
 * dp_wal - the journal's files: a directory of fixed-size segments, mapped, space really allocated.
 *
 * `DIR/journal-000000.tpj`, -000001 ... core/dp_journal owns the bytes; sys/dp_wal_file the files;
 * sys/dp_wal_keeper the thread that makes the next segment ready and flushes. One thread (the
 * engine's) calls what is here; one process at a time has a journal open (a lock on its directory).
 *
 * What is on disk when: a record is in the page cache when dp_journal_append() returns (it survives
 * the process, not the machine). In a journal some of whose classes wait for the disk,
 * dp_wal_durable() rises a moment later, many records at a time. In any journal a segment is
 * flushed whole when it is left, and a file's directory entry before it is used. A roll takes the
 * file that is ready, ends the old segment, then writes the new header: wherever the process dies,
 * a reader can tell a segment not yet begun from one that is missing.
 */
#ifndef DP_WAL_H
#define DP_WAL_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_journal.h"
#include "dp_wal_file.h"
#include "dp_wal_keeper.h"

#define DP_WAL_SEGMENT_SIZE_MIN DP_JOURNAL_SEGMENT_SIZE_MIN

struct dp_wal {
    alignas(DP_CACHE_LINE) struct dp_journal_segment segment; /* the one being written */
    struct dp_journal_header header;                          /* of that segment */
    struct dp_wal_directory directory;
    struct dp_wal_file file; /* of that segment */
    struct dp_wal_keeper keeper;
    struct dp_err err; /* why the last dp_wal_next() said no */
};

struct dp_wal_config {
    uint64_t segment_size; /* bytes, a multiple of 4096, at least DP_WAL_SEGMENT_SIZE_MIN */
    uint64_t generation;
    int64_t created_ns;
    const char *appliance;                      /* longer names are cut to 63 characters */
    const char *cl_ord_id_prefix;               /* NULL for none; at most 7 characters */
    const char *configuration;                  /* its hash, at most 64 characters; NULL for none */
    uint8_t durability[DP_JOURNAL_CLASS_COUNT]; /* enum dp_journal_durability by class; a replica is
                                                   refused: there is none yet */
    /* Go on behind the last record of the journal that is there; else there must be none. */
    bool resume;
    uint64_t resume_sequence; /* the last that recovery has read; 0: none. The two must agree */
};

/* Makes the directory when missing (its parent must exist). Without resume it refuses one
 * that already holds a journal: it is evidence and never overwritten. With it, the last segment is
 * ended where its writer died (an append that never returned is wiped out) and a new one begun. */
int dp_wal_open(struct dp_wal *wal, const char *directory, const struct dp_wal_config *config,
    struct dp_err *err);
/* Closes the full segment and starts the next one. wal: a struct dp_wal; for dp_submit. False: see
 * wal->err. Without space the old segment stays as it was, full, and a later call may succeed;
 * after a failed flush none will. */
bool dp_wal_next(void *wal);
/* Writes the end record, flushes to disk, unmaps. 0 or -errno; closing twice is fine. */
int dp_wal_close(struct dp_wal *wal, struct dp_err *err);

/* Highest sequence known to be on disk. Stands still for good once dp_wal_failed(). */
static inline uint64_t dp_wal_durable(const struct dp_wal *wal)
{
    /* Acquire pairs with the keeper's flush: the disk has these records. */
    return dp_load_acquire(&wal->keeper.durable);
}

/* A flush failed: nothing is recorded any more, and what is not durable by now may never be. */
static inline bool dp_wal_failed(const struct dp_wal *wal)
{
    return dp_load_acquire(&wal->keeper.failed);
}

/* Records from here on may stand in memory that dies with the process: nothing may leave on the
 * strength of one. dp_wal_failed() follows when the keeper has seen it. */
static inline bool dp_wal_lost(const struct dp_wal *wal)
{
    return dp_load_relaxed(&wal->directory.lost);
}

/* Why records are refused just now, in one line for a person; NULL: they are not. The writer's
 * thread. */
const char *dp_wal_trouble(const struct dp_wal *wal);

#endif
