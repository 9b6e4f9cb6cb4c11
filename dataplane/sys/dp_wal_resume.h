/*
 * dp_wal_resume - where a journal that is there is gone on with.
 *
 * The last segment with records that recovery has read is ended where its writer died; a new one
 * will follow. What cannot count is taken out of the way and kept under another name (`lost-...`):
 * behind a torn place there may be records, and whole segments, that power loss left without their
 * predecessors. They go only where orders waited for the disk and none of those records says that
 * what is missing was on disk. Anything else is refused: a person decides.
 */
#ifndef DP_WAL_RESUME_H
#define DP_WAL_RESUME_H

#include "dp_wal_file.h"

/* last: the highest number of a segment's file. resume_sequence: the last record that recovery has
 * read. Fills in the next segment's index, sequence_first and chain_previous. */
int dp_wal_resume(struct dp_wal_directory *directory, uint64_t last, uint64_t resume_sequence,
    struct dp_journal_header *next, struct dp_err *err);

#endif
