/*
 * dp_wal_file - the files of a journal's directory: the lock, segments made ready, mapped, flushed.
 *
 * A segment's blocks are reserved before it is used, so a full disk is an error message and never a
 * SIGBUS; what mapped memory meets when the disk itself is gone is for dp_wal_guard. One call at a
 * time on one dp_wal_file; any thread.
 */
#ifndef DP_WAL_FILE_H
#define DP_WAL_FILE_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_journal.h"

#define DP_WAL_DIRECTORY_SIZE 200
#define DP_WAL_NAME_SIZE 40

/* One segment, mapped whole. memory NULL: none. */
struct dp_wal_file {
    uint8_t *memory;
    uint64_t size;
    uint64_t index;
    _Atomic bool *lost; /* the journal's */
    int fd;
};

struct dp_wal_directory {
    char path[DP_WAL_DIRECTORY_SIZE];
    int fd;            /* -1: not open. Holds the lock */
    _Atomic bool lost; /* its disk is gone: something was stored in memory that is no file's */
};

/* "journal: DIR: what: words of errno"; returns -code. */
int dp_wal_fail(
    const struct dp_wal_directory *directory, int code, const char *what, struct dp_err *err);
/* Makes the directory when missing (its parent must exist) and takes the lock that keeps a second
 * writer out until dp_wal_directory_close(). */
int dp_wal_directory_open(struct dp_wal_directory *directory, const char *path, struct dp_err *err);
/* Waits until its names are on disk. Fails as well, names changed or not, when the file system has
 * become one that may only be read. */
int dp_wal_directory_flush(const struct dp_wal_directory *directory);
void dp_wal_directory_close(struct dp_wal_directory *directory);
/* Number of the segment with the highest one; -ENOENT when there is none; else -errno. */
int64_t dp_wal_last_index(const struct dp_wal_directory *directory, struct dp_err *err);
/* Whether some flush of this journal ever failed (dp_wal_taint). */
bool dp_wal_is_tainted(const struct dp_wal_directory *directory);
/* Leaves a mark that outlives the process: what memory shows may not be on disk. */
void dp_wal_taint(const struct dp_wal_directory *directory, const char *words);

/* Makes the file of header->segment_index: allocated, mapped, its header prepared, its pages
 * populated, it and its name on disk. on_disk: with blocks that were written once, so that a flush
 * of records has no block map to write. On failure nothing is left behind. */
int dp_wal_file_make(struct dp_wal_file *file, struct dp_wal_directory *directory,
    const struct dp_journal_header *header, bool on_disk, struct dp_err *err);
/* Maps a segment that is there. */
int dp_wal_file_open(struct dp_wal_file *file, struct dp_wal_directory *directory, uint64_t index,
    struct dp_err *err);
/* Waits until bytes [start, stop) are on disk. A failure, which a lost store is, is final: the
 * kernel may have dropped what it could not write, and would call it clean the next time. */
int dp_wal_file_flush(const struct dp_wal_file *file, uint64_t start, uint64_t stop);
void dp_wal_file_close(struct dp_wal_file *file); /* unmaps; closing twice is fine */
/* Takes a segment out of the journal, under the name `lost-...`; closes it. */
int dp_wal_file_set_aside(struct dp_wal_file *file, const struct dp_wal_directory *directory);
/* Keeps what it holds in another file, `lost-...`. */
int dp_wal_file_copy(const struct dp_wal_file *file, const struct dp_wal_directory *directory);
/* Closes and removes a file that was never started; its name is gone from disk when this returns.
 */
int dp_wal_file_discard(struct dp_wal_file *file, const struct dp_wal_directory *directory);

#endif
