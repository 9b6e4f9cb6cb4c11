#include "dp_wal_file.h"

#include "dp_shm.h"
#include "dp_wal_guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TAINT_NAME "tainted"
#define FILL_SIZE (1u << 20)
#define HUGE_PAGE (2u << 20)

int dp_wal_fail(
    const struct dp_wal_directory *directory, int code, const char *what, struct dp_err *err)
{
    return dp_err_set(err, code, "journal: %s: %s: %s", directory->path, what, strerror(code));
}

/* ---- the directory ---- */

/* A new name is on disk only when its directory is. */
static int flush_parent(const char *path)
{
    char parent[DP_WAL_DIRECTORY_SIZE + 4];
    snprintf(parent, sizeof(parent), "%s/..", path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return status;
}

static int make_directory(const struct dp_wal_directory *directory, struct dp_err *err)
{
    if (mkdir(directory->path, 0755) == 0) {
        int status = flush_parent(directory->path);
        return status == 0
            ? 0
            : dp_wal_fail(directory, -status, "its parent cannot be flushed to disk", err);
    }
    if (errno == ENOENT)
        return dp_err_set(err, ENOENT,
            "journal: %s: its parent directory does not exist; make it first", directory->path);
    return errno == EEXIST ? 0 : dp_wal_fail(directory, errno, "cannot be made", err);
}

static int open_and_lock(struct dp_wal_directory *directory, struct dp_err *err)
{
    directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->fd < 0 && errno == ENOTDIR)
        return dp_err_set(
            err, ENOTDIR, "journal: %s: a file has that name; name a directory", directory->path);
    if (directory->fd < 0)
        return dp_wal_fail(directory, errno, "cannot be opened", err);
    if (flock(directory->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return dp_err_set(err, EBUSY,
            "journal: %s: another process is writing it; stop that one or name another directory",
            directory->path);
    return dp_wal_fail(directory, errno, "cannot be locked", err);
}

int dp_wal_directory_open(struct dp_wal_directory *directory, const char *path, struct dp_err *err)
{
    directory->fd = -1;
    if (path[0] == '\0' || strlen(path) >= sizeof(directory->path))
        return dp_err_set(err, EINVAL, "journal: directory: '%s'; it must have 1 to %zu characters",
            path, sizeof(directory->path) - 1);
    memcpy(directory->path, path, strlen(path) + 1);
    int status = make_directory(directory, err);
    if (status == 0)
        status = open_and_lock(directory, err);
    if (status < 0)
        dp_wal_directory_close(directory);
    return status;
}

int dp_wal_directory_flush(const struct dp_wal_directory *directory)
{
    int status;
    do
        status = fsync(directory->fd);
    while (status != 0 && errno == EINTR);
    return status == 0 ? 0 : -errno;
}

void dp_wal_directory_close(struct dp_wal_directory *directory)
{
    if (directory->fd >= 0)
        close(directory->fd);
    directory->fd = -1;
}

static void segment_name(uint64_t index, char name[DP_WAL_NAME_SIZE])
{
    snprintf(name, DP_WAL_NAME_SIZE, "journal-%06llu.tpj", (unsigned long long)index);
}

/* -1 when it is no name of a segment; a sealed one is one as well. */
static int64_t index_of_name(const char *name)
{
    unsigned long long index = 0;
    char ending = 0;
    char same[DP_WAL_NAME_SIZE];
    if (sscanf(name, "journal-%llu.tp%c", &index, &ending) != 2 || (ending != 'j' && ending != 's'))
        return -1;
    segment_name(index, same);
    size_t stem = strlen(same) - 1;
    return strncmp(name, same, stem) == 0 && strlen(name) == stem + 1 ? (int64_t)index : -1;
}

int64_t dp_wal_last_index(const struct dp_wal_directory *directory, struct dp_err *err)
{
    DIR *entries = opendir(directory->path);
    if (entries == NULL)
        return dp_wal_fail(directory, errno, "cannot be listed", err);
    int64_t last = -1;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        int64_t index = index_of_name(entry->d_name);
        last = index > last ? index : last;
    }
    closedir(entries);
    return last >= 0 ? last : -ENOENT;
}

bool dp_wal_is_tainted(const struct dp_wal_directory *directory)
{
    return faccessat(directory->fd, TAINT_NAME, F_OK, 0) == 0;
}

/* As well as a disk that fails will have it. */
void dp_wal_taint(const struct dp_wal_directory *directory, const char *words)
{
    int fd = openat(directory->fd, TAINT_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    dprintf(fd, "%s\n", words);
    fsync(fd);
    close(fd);
    fsync(directory->fd);
}

/* ---- a segment made ready ---- */

static uint64_t free_space(const struct dp_wal_directory *directory)
{
    struct statvfs files;
    return fstatvfs(directory->fd, &files) == 0 ? (uint64_t)files.f_bavail * files.f_frsize
                                                : UINT64_MAX;
}

static int no_space(
    const struct dp_wal_directory *directory, uint64_t size, int code, struct dp_err *err)
{
    return dp_err_set(err, code,
        "journal: %s: no space for a segment of %llu bytes (%llu free); "
        "free some space or set journal.segment_size",
        directory->path, (unsigned long long)size, (unsigned long long)free_space(directory));
}

static bool is_no_space(int code)
{
    return code == ENOSPC || code == EFBIG || code == EDQUOT;
}

/* Blocks that were only reserved are marked as written when their first bytes reach the disk, which
 * makes every flush wait for the file system's own log. */
static int fill(int fd, uint64_t size)
{
    uint8_t *zeros = calloc(1, FILL_SIZE);
    int code = zeros != NULL ? 0 : ENOMEM;
    for (uint64_t offset = 0; code == 0 && offset < size;) {
        uint64_t rest = size - offset;
        ssize_t done = pwrite(fd, zeros, rest < FILL_SIZE ? rest : FILL_SIZE, (off_t)offset);
        if (done > 0)
            offset += (uint64_t)done;
        else if (done == 0 || errno != EINTR)
            code = done == 0 ? EIO : errno;
    }
    free(zeros);
    return code;
}

static int reserve(const struct dp_wal_file *file, const struct dp_wal_directory *directory,
    bool on_disk, struct dp_err *err)
{
    /* Asked first: a file system may take all that is left before it finds that this is
     * not enough. */
    if (free_space(directory) < file->size)
        return no_space(directory, file->size, ENOSPC, err);
    int code;
    do
        code = posix_fallocate(file->fd, 0, (off_t)file->size);
    while (code == EINTR);
    if (code == 0 && on_disk)
        code = fill(file->fd, file->size);
    if (is_no_space(code))
        return no_space(directory, file->size, code, err);
    return code == 0 ? 0
                     : dp_wal_fail(directory, code, "space for a segment cannot be allocated", err);
}

/* At a multiple of 2 MiB where that can be had: file systems that keep huge pages then use them. */
static void *map_aligned(uint64_t size, int fd)
{
    uint8_t *room = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return MAP_FAILED;
    uint8_t *place = (uint8_t *)dp_round_up((uintptr_t)room, HUGE_PAGE);
    void *memory = mmap(place, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    if (memory == MAP_FAILED) {
        munmap(room, size + HUGE_PAGE);
        return MAP_FAILED;
    }
    if (place > room)
        munmap(room, (size_t)(place - room));
    munmap(place + dp_round_up(size, 4096), (size_t)(room + HUGE_PAGE - place));
    return memory;
}

static int map(struct dp_wal_file *file, struct dp_wal_directory *directory, struct dp_err *err)
{
    void *memory = map_aligned(file->size, file->fd);
    if (memory == MAP_FAILED)
        return dp_wal_fail(directory, errno, "a segment cannot be mapped", err);
    file->memory = memory;
    file->lost = &directory->lost;
    int status = dp_wal_guard_watch(memory, file->size, file->lost);
    return status == 0 ? 0 : dp_wal_fail(directory, -status, "a segment cannot be watched", err);
}

/* Populated after the flush: a page that was written to disk is write-protected again. */
static int make_ready(struct dp_wal_file *file, struct dp_wal_directory *directory,
    const struct dp_journal_header *header, bool on_disk, struct dp_err *err)
{
    int status = reserve(file, directory, on_disk, err);
    if (status == 0)
        status = map(file, directory, err);
    if (status == 0)
        status = dp_journal_segment_prepare(file->memory, file->size, header, err);
    if (status < 0)
        return status;
    if (fsync(file->fd) != 0 || fsync(directory->fd) != 0)
        return dp_wal_fail(directory, errno, "a new segment cannot be flushed to disk", err);
    dp_shm_populate(file->memory, file->size);
    return 0;
}

int dp_wal_file_make(struct dp_wal_file *file, struct dp_wal_directory *directory,
    const struct dp_journal_header *header, bool on_disk, struct dp_err *err)
{
    char name[DP_WAL_NAME_SIZE];
    segment_name(header->segment_index, name);
    *file = (struct dp_wal_file){.size = header->segment_size, .index = header->segment_index};
    file->fd = openat(directory->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file->fd < 0)
        return dp_wal_fail(directory, errno, "a segment cannot be made there", err);
    int status = make_ready(file, directory, header, on_disk, err);
    if (status < 0)
        dp_wal_file_discard(file, directory); /* nothing was recorded in it: it is no evidence */
    return status;
}

/* ---- one that is there ---- */

int dp_wal_file_open(struct dp_wal_file *file, struct dp_wal_directory *directory, uint64_t index,
    struct dp_err *err)
{
    char name[DP_WAL_NAME_SIZE];
    struct stat status;
    segment_name(index, name);
    *file = (struct dp_wal_file){.index = index};
    file->fd = openat(directory->fd, name, O_RDWR | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &status) != 0)
        return dp_wal_fail(directory, errno, "its last segment cannot be opened", err);
    file->size = (uint64_t)status.st_size;
    int result = file->size == 0 ? 0 : map(file, directory, err);
    if (result < 0)
        dp_wal_file_close(file);
    return result;
}

int dp_wal_file_flush(const struct dp_wal_file *file, uint64_t start, uint64_t stop)
{
    uint64_t first = start / 4096 * 4096;
    int status;
    do
        status = msync(file->memory + first, stop - first, MS_SYNC);
    while (status != 0 && errno == EINTR);
    if (status != 0)
        return -errno;
    /* Acquire, and behind the flush: without the flag this was all the file. */
    return dp_load_acquire(file->lost) ? -EIO : 0;
}

void dp_wal_file_close(struct dp_wal_file *file)
{
    if (file->memory != NULL) {
        dp_wal_guard_unwatch(file->memory);
        munmap(file->memory, file->size);
    }
    if (file->fd >= 0)
        close(file->fd);
    file->memory = NULL;
    file->fd = -1;
}

int dp_wal_file_discard(struct dp_wal_file *file, const struct dp_wal_directory *directory)
{
    char name[DP_WAL_NAME_SIZE];
    segment_name(file->index, name);
    dp_wal_file_close(file);
    return unlinkat(directory->fd, name, 0) == 0 && fsync(directory->fd) == 0 ? 0 : -errno;
}

/* A name that is free: the first of a row. */
static void lost_name(
    const struct dp_wal_directory *directory, uint64_t index, char name[DP_WAL_NAME_SIZE])
{
    for (uint32_t copy = 0; copy < 1000; copy++) {
        snprintf(name, DP_WAL_NAME_SIZE, "lost-%06llu-%03u.tpj", (unsigned long long)index, copy);
        if (faccessat(directory->fd, name, F_OK, 0) != 0)
            return;
    }
}

int dp_wal_file_set_aside(struct dp_wal_file *file, const struct dp_wal_directory *directory)
{
    char name[DP_WAL_NAME_SIZE];
    char lost[DP_WAL_NAME_SIZE];
    segment_name(file->index, name);
    lost_name(directory, file->index, lost);
    dp_wal_file_close(file);
    bool done =
        renameat(directory->fd, name, directory->fd, lost) == 0 && fsync(directory->fd) == 0;
    return done ? 0 : -errno;
}

int dp_wal_file_copy(const struct dp_wal_file *file, const struct dp_wal_directory *directory)
{
    char lost[DP_WAL_NAME_SIZE];
    lost_name(directory, file->index, lost);
    int fd = openat(directory->fd, lost, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int code = 0;
    for (uint64_t offset = 0; code == 0 && offset < file->size;) {
        ssize_t done = pwrite(fd, file->memory + offset, file->size - offset, (off_t)offset);
        if (done > 0)
            offset += (uint64_t)done;
        else if (done == 0 || errno != EINTR)
            code = done == 0 ? EIO : errno;
    }
    if (code == 0 && (fsync(fd) != 0 || fsync(directory->fd) != 0))
        code = errno;
    close(fd);
    return -code;
}
