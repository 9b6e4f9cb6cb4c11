#include "dp_wal.h"

#include "dp_wal_resume.h"

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
    if (config->configuration != NULL)
        snprintf(header->configuration, sizeof(header->configuration), "%s", config->configuration);
    for (uint32_t class = 0; class < DP_JOURNAL_CLASS_COUNT; class ++)
        wal->keeper.waits |= config->durability[class] == DP_JOURNAL_FSYNC;
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
    return dp_wal_resume(
        &wal->directory, (uint64_t)last, config->resume_sequence, &wal->header, err);
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
    /* A first header that is bad is then a change, never a power cut. */
    status = wal->keeper.waits ? dp_wal_file_flush(&wal->file, 0, DP_JOURNAL_HEADER_SIZE) : 0;
    if (status < 0)
        return dp_wal_fail(&wal->directory, -status, "a header cannot be flushed to disk", err);
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

/* The writer itself said that nothing is to be appended any more, for something which happened has
 * no record: it stays like that. */
static bool is_given_up(const struct dp_wal *wal)
{
    /* Acquire pairs with the keeper, which says that it failed before it taints. */
    return dp_load_acquire(&wal->segment.tainted) && !dp_wal_failed(wal);
}

bool dp_wal_next(void *argument)
{
    struct dp_wal *wal = argument;
    struct dp_wal_file next;
    if (is_given_up(wal))
        return false;
    if (!dp_wal_keeper_take(&wal->keeper, &next, &wal->err))
        return false;
    dp_journal_close(&wal->segment, DP_JOURNAL_END_ROLLED);
    wal->header.segment_index++;
    dp_journal_segment_continue(&wal->segment, next.memory);
    wal->file = next;
    dp_wal_keeper_give(&wal->keeper);
    return true;
}

const char *dp_wal_trouble(const struct dp_wal *wal)
{
    if (dp_wal_failed(wal))
        return wal->keeper.flush_err.text;
    /* Of a disk that is gone the keeper says so in a moment. */
    bool is_refused = wal->keeper.refused || (is_given_up(wal) && !dp_wal_lost(wal));
    return is_refused ? wal->keeper.refused_err.text : NULL;
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
