#include "dp_wal.h"

#include <errno.h>

/* ---- what is asked for ---- */

static int check_durability(const struct dp_wal_config *config, struct dp_err *err)
{
    for (uint32_t class = 0; class < DP_JOURNAL_CLASS_COUNT; class ++)
        if (config->durability[class] > DP_JOURNAL_FSYNC)
            return dp_err_set(err, EINVAL,
                "journal.durability: a replica; there is no standby yet, use memory or fsync");
    return 0;
}

static int check_config(const struct dp_wal_config *config, struct dp_err *err)
{
    if (config->segment_size < DP_WAL_SEGMENT_SIZE_MIN || config->segment_size > INT64_MAX ||
        config->segment_size % DP_JOURNAL_HEADER_SIZE != 0)
        return dp_err_set(err, EINVAL,
            "journal.segment_size: %llu; it must be a multiple of 4096, at least %u",
            (unsigned long long)config->segment_size, DP_WAL_SEGMENT_SIZE_MIN);
    if (config->cl_ord_id_prefix != NULL &&
        strlen(config->cl_ord_id_prefix) >= DP_JOURNAL_PREFIX_SIZE)
        return dp_err_set(err, EINVAL, "journal: cl_ord_id_prefix: '%s'; at most %d characters",
            config->cl_ord_id_prefix, DP_JOURNAL_PREFIX_SIZE - 1);
    return check_durability(config, err);
}

static void set_header(struct dp_wal *wal, const struct dp_wal_config *config)
{
    struct dp_journal_header *header = &wal->header;
    header->segment_size = config->segment_size;
    header->generation = config->generation;
    header->created_ns = config->created_ns;
    header->sequence_first = 1;
    memcpy(header->durability, config->durability, sizeof(header->durability));
    snprintf(header->appliance, sizeof(header->appliance), "%s", config->appliance);
    if (config->cl_ord_id_prefix != NULL)
        snprintf(header->cl_ord_id_prefix, sizeof(header->cl_ord_id_prefix), "%s",
            config->cl_ord_id_prefix);
    for (uint32_t class = 0; class < DP_JOURNAL_CLASS_COUNT; class ++)
        wal->keeper.waits |= config->durability[class] == DP_JOURNAL_FSYNC;
}

/* ---- behind a journal that is there ---- */

static int refuse_verdict(const struct dp_wal *wal, const struct dp_journal_walk *walk,
    enum dp_journal_verdict verdict, struct dp_err *err)
{
    return dp_err_set(err, EBADMSG,
        "journal: %s: record %llu is %s; see tickplane journal verify, and begin a new journal "
        "when its orders are reconciled",
        wal->directory.path, (unsigned long long)walk->sequence, dp_journal_verdict_name(verdict));
}

/* The walk stands at the last good record's end: wipes out what never became one, and ends the
 * segment there. */
static int end_dead(struct dp_wal *wal, const struct dp_journal_walk *walk,
    const struct dp_wal_file *file, struct dp_err *err)
{
    struct dp_journal_segment segment = {
        .memory = file->memory,
        .size = file->size,
        .used = walk->offset,
        .sequence_next = walk->sequence,
        .time_ns = walk->time_ns,
        .chain = walk->chain,
    };
    memset(file->memory + walk->offset, 0, sizeof(struct dp_journal_record));
    dp_journal_close(&segment, DP_JOURNAL_END_RECOVERED);
    wal->header.sequence_first = dp_load_relaxed(&segment.sequence_next);
    wal->header.chain_previous = segment.chain;
    int status = dp_wal_file_flush(file, 0, file->size);
    return status == 0
        ? 0
        : dp_wal_fail(&wal->directory, -status, "its last segment cannot be flushed", err);
}

static int end_last(struct dp_wal *wal, const struct dp_wal_file *file, uint64_t resume_sequence,
    struct dp_err *err)
{
    int status = dp_journal_header_check(file->memory, file->size, err);
    if (status < 0)
        return status;
    struct dp_journal_walk walk;
    const struct dp_journal_record *record = NULL;
    enum dp_journal_verdict verdict;
    dp_journal_walk_init(&walk, file->memory, file->size);
    while ((verdict = dp_journal_next(&walk, &record)) == DP_JOURNAL_OK)
        continue;
    if (walk.sequence - 1 != resume_sequence)
        return dp_err_set(err, ESTALE,
            "journal: %s: ends at record %llu, recovery read up to %llu; recover again",
            wal->directory.path, (unsigned long long)(walk.sequence - 1),
            (unsigned long long)resume_sequence);
    wal->header.segment_index = file->index + 1;
    if (verdict == DP_JOURNAL_CLOSED) {
        wal->header.sequence_first = walk.sequence;
        wal->header.chain_previous = walk.chain;
        return 0;
    }
    return verdict == DP_JOURNAL_CORRUPT ? refuse_verdict(wal, &walk, verdict, err)
                                         : end_dead(wal, &walk, file, err);
}

/* Files made ready that nobody started stand behind the last segment: they are removed. */
static int resume(struct dp_wal *wal, int64_t last, uint64_t resume_sequence, struct dp_err *err)
{
    struct dp_wal_file file;
    int status = 0;
    for (; last >= 0 && status == 0; last--) {
        status = dp_wal_file_open(&file, &wal->directory, (uint64_t)last, err);
        if (status < 0)
            return status;
        if (file.memory != NULL && !dp_journal_is_unused(file.memory, file.size))
            break;
        if (dp_wal_file_discard(&file, &wal->directory) < 0)
            status = dp_wal_fail(&wal->directory, errno, "cannot be cleared of unused files", err);
    }
    if (status == 0 && last >= 0) {
        status = end_last(wal, &file, resume_sequence, err);
        dp_wal_file_close(&file);
    }
    return status;
}

static int find_place(struct dp_wal *wal, const struct dp_wal_config *config, struct dp_err *err)
{
    int64_t last = dp_wal_last_index(&wal->directory, err);
    if (last == -ENOENT)
        return 0;
    if (last < 0)
        return (int)last;
    if (!config->resume)
        return dp_err_set(err, EEXIST,
            "journal: %s: holds a journal (journal-%06lld.tpj); name another "
            "directory, a journal is never overwritten",
            wal->directory.path, (long long)last);
    if (dp_wal_is_tainted(&wal->directory))
        return dp_err_set(err, EIO,
            "journal: %s: tainted: a flush failed, the disk may lack what memory shows; save what "
            "tickplane journal dump prints and begin a new journal",
            wal->directory.path);
    return resume(wal, last, config->resume_sequence, err);
}

/* ---- life ---- */

static int begin(struct dp_wal *wal, struct dp_err *err)
{
    int status =
        dp_wal_file_make(&wal->file, &wal->directory, &wal->header, wal->keeper.waits, err);
    if (status < 0)
        return status;
    wal->keeper.directory = &wal->directory;
    wal->keeper.segment = &wal->segment;
    dp_journal_segment_start(&wal->segment, wal->file.memory, wal->file.size,
        wal->header.sequence_first, wal->header.chain_previous);
    return dp_wal_keeper_start(&wal->keeper, &wal->file, &wal->header, err);
}

int dp_wal_open(struct dp_wal *wal, const char *directory, const struct dp_wal_config *config,
    struct dp_err *err)
{
    memset(wal, 0, sizeof(*wal));
    wal->directory.fd = wal->file.fd = -1;
    int status = check_config(config, err);
    if (status < 0)
        return status;
    set_header(wal, config);
    status = dp_wal_directory_open(&wal->directory, directory, err);
    if (status == 0)
        status = find_place(wal, config, err);
    if (status == 0)
        status = begin(wal, err);
    if (status < 0)
        dp_wal_directory_close(&wal->directory);
    return status;
}

bool dp_wal_next(void *argument)
{
    struct dp_wal *wal = argument;
    struct dp_wal_file next;
    if (!dp_wal_keeper_take(&wal->keeper, &next, &wal->err))
        return false;
    dp_journal_close(&wal->segment, DP_JOURNAL_END_ROLLED);
    wal->header.segment_index++;
    dp_journal_segment_continue(&wal->segment, next.memory);
    wal->file = next;
    dp_wal_keeper_give(&wal->keeper);
    return true;
}

/* msync puts on disk what was changed through the mapping; fsync also what the file system knows of
 * the file. */
static int end_segment(struct dp_wal *wal, struct dp_err *err)
{
    dp_journal_close(&wal->segment, DP_JOURNAL_END_FINAL);
    int status = dp_wal_file_flush(&wal->file, 0, wal->file.size);
    return status == 0
        ? 0
        : dp_wal_fail(&wal->directory, -status, "the segment cannot be flushed to disk", err);
}

int dp_wal_close(struct dp_wal *wal, struct dp_err *err)
{
    if (wal->file.memory == NULL)
        return 0;
    int status = dp_wal_keeper_stop(&wal->keeper);
    if (status < 0)
        status = dp_wal_fail(&wal->directory, -status, "an unused file cannot be removed", err);
    if (dp_wal_failed(wal))
        status = dp_err_set(err, wal->keeper.flush_err.code, "%s", wal->keeper.flush_err.text);
    else if (status == 0)
        status = end_segment(wal, err);
    dp_wal_file_close(&wal->file);
    wal->segment.memory = NULL;
    dp_wal_directory_close(&wal->directory);
    return status;
}
