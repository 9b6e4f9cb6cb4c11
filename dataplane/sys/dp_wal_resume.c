#include "dp_wal_resume.h"

#include <errno.h>

struct resume {
    struct dp_wal_directory *directory;
    uint64_t sequence; /* the last record that recovery has read */
    struct dp_journal_header *next;
    struct dp_err *err;
};

/* Holds records that recovery has read, or the place of the first: the one to go on behind. */
static bool is_read(const struct resume *resume, const struct dp_wal_file *file)
{
    const struct dp_journal_header *header = (const void *)file->memory;
    struct dp_err ignored;
    return dp_journal_header_check(file->memory, file->size, &ignored) == 0 &&
        header->sequence_first <= resume->sequence + 1;
}

static int refuse(const struct resume *resume, uint64_t sequence, const char *what)
{
    return dp_err_set(resume->err, EBADMSG,
        "journal: %s: record %llu is %s; see tickplane journal verify, and begin a new journal "
        "when its orders are reconciled",
        resume->directory->path, (unsigned long long)sequence, what);
}

static int cannot(const struct resume *resume, int status, const char *what)
{
    return dp_wal_fail(resume->directory, -status, what, resume->err);
}

/* ---- behind what was read ---- */

static int clear_one(const struct resume *resume, struct dp_wal_file *file)
{
    if (file->memory == NULL || dp_journal_is_unused(file->memory, file->size)) {
        int status = dp_wal_file_discard(file, resume->directory);
        return status == 0 ? 0 : cannot(resume, status, "an unused file cannot be removed");
    }
    uint64_t missing = resume->sequence + 1;
    if (dp_journal_acknowledges(file->memory, file->size, DP_JOURNAL_HEADER_SIZE, missing))
        return refuse(resume, missing, "missing, and was on disk once");
    int status = dp_wal_file_set_aside(file, resume->directory);
    return status == 0 ? 0 : cannot(resume, status, "a lost segment cannot be set aside");
}

/* From the last file back to the one to go on behind. */
static int clear_behind(const struct resume *resume, int64_t last, int64_t read_index)
{
    int status = 0;
    for (int64_t index = last; index > read_index && status == 0; index--) {
        struct dp_wal_file file;
        status = dp_wal_file_open(&file, resume->directory, (uint64_t)index, resume->err);
        if (status == 0)
            status = clear_one(resume, &file);
        dp_wal_file_close(&file);
    }
    return status;
}

/* ---- the one that was read ---- */

/* The walk stands at the last good record's end: wipes out what never became one, and ends the
 * segment there. */
static int end_dead(const struct resume *resume, const struct dp_journal_walk *walk,
    const struct dp_wal_file *file, bool keep)
{
    struct dp_journal_segment segment = {
        .memory = file->memory,
        .size = file->size,
        .used = walk->offset,
        .sequence_next = walk->sequence,
        .time_ns = walk->time_ns,
        .chain = walk->chain,
    };
    int status = keep ? dp_wal_file_copy(file, resume->directory) : 0;
    if (status < 0)
        return cannot(resume, status, "what a torn segment holds cannot be kept");
    memset(file->memory + walk->offset, 0, file->size - walk->offset);
    dp_journal_close(&segment, DP_JOURNAL_END_RECOVERED);
    resume->next->sequence_first = dp_load_relaxed(&segment.sequence_next);
    resume->next->chain_previous = segment.chain;
    status = dp_wal_file_flush(file, 0, file->size);
    return status == 0 ? 0 : cannot(resume, status, "its last segment cannot be flushed");
}

static int end_read(const struct resume *resume, const struct dp_wal_file *file)
{
    struct dp_journal_walk walk;
    const struct dp_journal_record *record = NULL;
    enum dp_journal_verdict verdict;
    dp_journal_walk_init(&walk, file->memory, file->size);
    while ((verdict = dp_journal_next(&walk, &record)) == DP_JOURNAL_OK)
        continue;
    if (walk.sequence - 1 != resume->sequence)
        return dp_err_set(resume->err, ESTALE,
            "journal: %s: ends at record %llu, recovery read up to %llu; recover again",
            resume->directory->path, (unsigned long long)(walk.sequence - 1),
            (unsigned long long)resume->sequence);
    resume->next->sequence_first = walk.sequence;
    resume->next->chain_previous = walk.chain;
    if (verdict == DP_JOURNAL_CLOSED)
        return 0;
    if (verdict == DP_JOURNAL_CORRUPT || file->size - walk.offset < sizeof(*record))
        return refuse(resume, walk.sequence, dp_journal_verdict_name(verdict));
    return end_dead(resume, &walk, file, verdict == DP_JOURNAL_TORN);
}

/* Finds the file to go on behind; its memory is NULL when nothing was ever begun. */
static int find_read(
    const struct resume *resume, uint64_t last, struct dp_wal_file *file, bool *has_more)
{
    *has_more = false;
    for (uint64_t index = last;; index--) {
        int status = dp_wal_file_open(file, resume->directory, index, resume->err);
        if (status < 0)
            return status;
        if (file->memory != NULL && is_read(resume, file))
            return 0;
        *has_more =
            *has_more || (file->memory != NULL && !dp_journal_is_unused(file->memory, file->size));
        dp_wal_file_close(file);
        if (index == 0)
            return 0;
    }
}

int dp_wal_resume(struct dp_wal_directory *directory, uint64_t last, uint64_t resume_sequence,
    struct dp_journal_header *next, struct dp_err *err)
{
    const struct resume resume = {directory, resume_sequence, next, err};
    struct dp_wal_file file;
    bool has_more = false;
    int status = find_read(&resume, last, &file, &has_more);
    if (status < 0)
        return status;
    if (file.memory == NULL)
        return has_more ? refuse(&resume, 1, "not one that recovery can have read")
                        : clear_behind(&resume, (int64_t)last, -1);
    next->segment_index = file.index + 1;
    if (has_more && !dp_journal_waits(file.memory))
        status = refuse(&resume, resume_sequence + 1, "missing");
    if (status == 0)
        status = clear_behind(&resume, (int64_t)last, (int64_t)file.index);
    if (status == 0)
        status = end_read(&resume, &file);
    dp_wal_file_close(&file);
    return status;
}
