/*
 * dp_wal - the journal's files: a directory of fixed-size segments, mapped, space really allocated.
 *
 * `DIR/journal-000000.tpj`, -000001 ...; a segment's blocks are reserved (posix_fallocate) before it is used, so a full disk is
 * an error message and never a SIGBUS. core/dp_journal owns the bytes; this file owns the mapping. One thread.
 */
#ifndef DP_WAL_H
#define DP_WAL_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_journal.h"

#define DP_WAL_SEGMENT_SIZE_MIN (64u << 10)

struct dp_wal {
    struct dp_journal_segment segment; /* the one being written */
    struct dp_journal_header header;   /* of that segment */
    char directory[200];
    int directory_fd;
    int segment_fd;
    struct dp_err err; /* why the last dp_wal_next() said no */
};

struct dp_wal_config {
    uint64_t segment_size; /* bytes, a multiple of 4096 */
    uint64_t generation;
    int64_t created_ns;
    const char *appliance;
};

/* Makes the directory when missing; refuses one that already holds a journal (it is evidence: it is never overwritten). */
int dp_wal_open(struct dp_wal *wal, const char *directory, const struct dp_wal_config *config, struct dp_err *err);
/* Closes the full segment and starts the next one. False: see wal->err; nothing more can be recorded. For dp_submit. */
bool dp_wal_next(void *wal);
/* Writes the end record, flushes to disk, unmaps. 0 or -errno. */
int dp_wal_close(struct dp_wal *wal, struct dp_err *err);

#endif
