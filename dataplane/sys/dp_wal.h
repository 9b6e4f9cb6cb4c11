/*
 * dp_wal - the journal's files: a directory of fixed-size segments, mapped, space really allocated.
 *
 * `DIR/journal-000000.tpj`, -000001 ...; a segment's blocks are reserved (posix_fallocate) before
 * it is used, so a full disk is an error message and never a SIGBUS. core/dp_journal owns the
 * bytes; this file owns the mapping. One thread.
 *
 * What is on disk when: a record is in the page cache when dp_journal_append() returns (it survives
 * the process, not the machine); a segment is flushed whole when it is closed, by dp_wal_next() or
 * dp_wal_close(), and the entries of its directory are flushed when a file appears in it. A roll
 * makes the next file first, then ends the old segment, then writes the new header: wherever the
 * process dies, a reader can tell a segment not yet begun from one that is missing.
 */
#ifndef DP_WAL_H
#define DP_WAL_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_journal.h"

#define DP_WAL_SEGMENT_SIZE_MIN DP_JOURNAL_SEGMENT_SIZE_MIN
#define DP_WAL_DIRECTORY_SIZE 200

struct dp_wal {
    struct dp_journal_segment segment; /* the one being written */
    struct dp_journal_header header;   /* of that segment */
    char directory[DP_WAL_DIRECTORY_SIZE];
    int directory_fd;
    int segment_fd;    /* -1: not open */
    bool failed;       /* a flush failed: nothing is recorded any more */
    struct dp_err err; /* why the last dp_wal_next() said no */
};

struct dp_wal_config {
    uint64_t segment_size; /* bytes, a multiple of 4096, at least DP_WAL_SEGMENT_SIZE_MIN */
    uint64_t generation;
    int64_t created_ns;
    const char *appliance;        /* longer names are cut to 63 characters */
    const char *cl_ord_id_prefix; /* NULL for none; at most 7 characters */
};

/* Makes the directory when missing (its parent must exist); refuses one that already holds a
 * journal: it is evidence and never overwritten. */
int dp_wal_open(struct dp_wal *wal, const char *directory, const struct dp_wal_config *config,
    struct dp_err *err);
/* Closes the full segment and starts the next one. wal: a struct dp_wal; for dp_submit. False: see
 * wal->err. Without space the old segment stays as it was, full, and a later call may succeed;
 * after a failed flush none will. */
bool dp_wal_next(void *wal);
/* Writes the end record, flushes to disk, unmaps. 0 or -errno; closing twice is fine. */
int dp_wal_close(struct dp_wal *wal, struct dp_err *err);

#endif
