#include "dp_wal.h"

#include "dp_shm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NAME_SIZE 40

/* A file made ready: allocated, mapped, all zero. */
struct blank {
    uint8_t *memory;
    int fd;
};

static void segment_name(uint64_t index, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "journal-%06llu.tpj", (unsigned long long)index);
}

static int fail(const struct dp_wal *wal, int code, const char *what, struct dp_err *err)
{
    return dp_err_set(err, code, "journal: %s: %s: %s", wal->directory, what, strerror(code));
}

/* A new name is on disk only when its directory is. */
static int flush_parent(const char *directory)
{
    char parent[DP_WAL_DIRECTORY_SIZE + 4];
    snprintf(parent, sizeof(parent), "%s/..", directory);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return status;
}

static int open_directory(struct dp_wal *wal, struct dp_err *err)
{
    if (mkdir(wal->directory, 0755) == 0) {
        int status = flush_parent(wal->directory);
        if (status < 0)
            return fail(wal, -status, "its parent cannot be flushed to disk", err);
    } else if (errno == ENOENT) {
        return dp_err_set(err, ENOENT,
            "journal: %s: its parent directory does not exist; make it first", wal->directory);
    } else if (errno != EEXIST) {
        return fail(wal, errno, "cannot be made", err);
    }
    wal->directory_fd = open(wal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (wal->directory_fd < 0 && errno == ENOTDIR)
        return dp_err_set(
            err, ENOTDIR, "journal: %s: a file has that name; name a directory", wal->directory);
    return wal->directory_fd >= 0 ? 0 : fail(wal, errno, "cannot be opened", err);
}

static bool is_segment_name(const char *name)
{
    size_t size = strlen(name);
    return strncmp(name, "journal-", 8) == 0 && size > 12 && strcmp(name + size - 4, ".tpj") == 0;
}

static int refuse_journal(const struct dp_wal *wal, struct dp_err *err)
{
    DIR *entries = opendir(wal->directory);
    if (entries == NULL)
        return fail(wal, errno, "cannot be listed", err);
    int status = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL && status == 0;
         entry = readdir(entries))
        if (is_segment_name(entry->d_name))
            status = dp_err_set(err, EEXIST,
                "journal: %s: holds a journal (%.64s); name another "
                "directory, a journal is never overwritten",
                wal->directory, entry->d_name);
    closedir(entries);
    return status;
}

static uint64_t free_space(const struct dp_wal *wal)
{
    struct statvfs files;
    return fstatvfs(wal->directory_fd, &files) == 0 ? (uint64_t)files.f_bavail * files.f_frsize
                                                    : UINT64_MAX;
}

static int no_space(const struct dp_wal *wal, int code, struct dp_err *err)
{
    return dp_err_set(err, code,
        "journal: %s: no space for a segment of %llu bytes (%llu free); "
        "free some space or set journal.segment_size",
        wal->directory, (unsigned long long)wal->header.segment_size,
        (unsigned long long)free_space(wal));
}

static int allocate(const struct dp_wal *wal, struct blank *blank, struct dp_err *err)
{
    uint64_t size = wal->header.segment_size;
    /* Asked first: a file system may take all that is left before it finds that this is
     * not enough. */
    if (free_space(wal) < size)
        return no_space(wal, ENOSPC, err);
    int code = posix_fallocate(blank->fd, 0, (off_t)size);
    if (code == ENOSPC || code == EFBIG || code == EDQUOT)
        return no_space(wal, code, err);
    if (code != 0)
        return fail(wal, code, "space for a segment cannot be allocated", err);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, blank->fd, 0);
    if (memory == MAP_FAILED)
        return fail(wal, errno, "a segment cannot be mapped", err);
    blank->memory = memory;
    dp_shm_populate(memory, size); /* its page faults now, not under the first orders */
    if (fsync(blank->fd) != 0 || fsync(wal->directory_fd) != 0)
        return fail(wal, errno, "a new segment cannot be flushed to disk", err);
    return 0;
}

static int make_blank(
    const struct dp_wal *wal, uint64_t index, struct blank *blank, struct dp_err *err)
{
    char name[NAME_SIZE];
    segment_name(index, name);
    *blank = (struct blank){.fd = -1};
    blank->fd = openat(wal->directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (blank->fd < 0)
        return fail(wal, errno, "a segment cannot be made there", err);
    int status = allocate(wal, blank, err);
    if (status == 0)
        return 0;
    /* Nothing was recorded in it: it is no evidence. */
    if (blank->memory != NULL)
        munmap(blank->memory, wal->header.segment_size);
    close(blank->fd);
    unlinkat(wal->directory_fd, name, 0);
    return status;
}

static int check_config(struct dp_wal *wal, const char *directory,
    const struct dp_wal_config *config, struct dp_err *err)
{
    if (directory[0] == '\0' || strlen(directory) >= sizeof(wal->directory))
        return dp_err_set(err, EINVAL, "journal: directory: '%s'; it must have 1 to %zu characters",
            directory, sizeof(wal->directory) - 1);
    if (config->segment_size < DP_WAL_SEGMENT_SIZE_MIN || config->segment_size > INT64_MAX ||
        config->segment_size % DP_JOURNAL_HEADER_SIZE != 0)
        return dp_err_set(err, EINVAL,
            "journal.segment_size: %llu; it must be a multiple of 4096, at least %u",
            (unsigned long long)config->segment_size, DP_WAL_SEGMENT_SIZE_MIN);
    if (config->cl_ord_id_prefix != NULL &&
        strlen(config->cl_ord_id_prefix) >= DP_JOURNAL_PREFIX_SIZE)
        return dp_err_set(err, EINVAL, "journal: cl_ord_id_prefix: '%s'; at most %d characters",
            config->cl_ord_id_prefix, DP_JOURNAL_PREFIX_SIZE - 1);
    memcpy(wal->directory, directory, strlen(directory) + 1);
    return 0;
}

static void set_header(struct dp_wal *wal, const struct dp_wal_config *config)
{
    struct dp_journal_header *header = &wal->header;
    header->segment_size = config->segment_size;
    header->generation = config->generation;
    header->created_ns = config->created_ns;
    header->sequence_first = 1;
    snprintf(header->appliance, sizeof(header->appliance), "%s", config->appliance);
    if (config->cl_ord_id_prefix != NULL)
        snprintf(header->cl_ord_id_prefix, sizeof(header->cl_ord_id_prefix), "%s",
            config->cl_ord_id_prefix);
}

static void start_segment(struct dp_wal *wal, const struct blank *blank)
{
    wal->segment_fd = blank->fd;
    int status = dp_journal_segment_init(
        &wal->segment, blank->memory, wal->header.segment_size, &wal->header, NULL);
    DP_ASSERT(status == 0); /* check_config() has let only legal sizes through */
}

int dp_wal_open(struct dp_wal *wal, const char *directory, const struct dp_wal_config *config,
    struct dp_err *err)
{
    memset(wal, 0, sizeof(*wal));
    wal->directory_fd = wal->segment_fd = -1;
    int status = check_config(wal, directory, config, err);
    if (status < 0)
        return status;
    set_header(wal, config);
    struct blank blank;
    status = open_directory(wal, err);
    if (status == 0)
        status = refuse_journal(wal, err);
    if (status == 0)
        status = make_blank(wal, 0, &blank, err);
    if (status == 0) {
        start_segment(wal, &blank);
        return 0;
    }
    if (wal->directory_fd >= 0)
        close(wal->directory_fd);
    wal->directory_fd = -1;
    return status;
}

/* Ends the segment, flushes it and lets it go. fsync also writes what was changed through the
 * mapping. */
static int end_segment(struct dp_wal *wal, enum dp_journal_end_cause cause, struct dp_err *err)
{
    dp_journal_close(&wal->segment, cause);
    int status = 0;
    if (fsync(wal->segment_fd) != 0)
        status = fail(wal, errno, "the segment cannot be flushed to disk", err);
    munmap(wal->segment.memory, wal->header.segment_size);
    close(wal->segment_fd);
    wal->segment_fd = -1;
    wal->segment.memory = NULL;
    return status;
}

/* A failed flush is final: the segment before may not be on disk, so nothing may be added behind
 * it. */
static void refuse_records(struct dp_wal *wal)
{
    wal->failed = true;
    wal->segment.size = dp_load_relaxed(&wal->segment.used) + sizeof(struct dp_journal_record);
}

bool dp_wal_next(void *argument)
{
    struct dp_wal *wal = argument;
    struct blank blank;
    if (wal->failed || make_blank(wal, wal->header.segment_index + 1, &blank, &wal->err) < 0)
        return false;
    struct dp_journal_segment before = wal->segment;
    int status = end_segment(wal, DP_JOURNAL_END_ROLLED, &wal->err);
    wal->header.segment_index++;
    wal->header.sequence_first = wal->segment.sequence_next;
    wal->header.chain_previous = wal->segment.chain;
    start_segment(wal, &blank);
    wal->segment.clock = before.clock;
    wal->segment.session = before.session;
    wal->segment.inbound_sequence = before.inbound_sequence;
    wal->segment.durable_sequence = before.durable_sequence;
    if (status < 0)
        refuse_records(wal);
    return status == 0;
}

int dp_wal_close(struct dp_wal *wal, struct dp_err *err)
{
    int status = 0;
    if (wal->segment_fd >= 0)
        status = end_segment(wal, DP_JOURNAL_END_FINAL, err);
    if (wal->failed && status == 0)
        status = dp_err_set(err, wal->err.code, "%s", wal->err.text);
    if (wal->directory_fd >= 0)
        close(wal->directory_fd);
    wal->directory_fd = -1;
    return status;
}
