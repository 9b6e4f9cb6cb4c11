#include "dp_shm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HUGE_PAGE_SIZE ((size_t)2 << 20)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older C libraries do not name it */
#endif

static int set_path(struct dp_shm *shm, const char *path, struct dp_err *err)
{
    *shm = (struct dp_shm){.memory = NULL};
    if (path[0] == '\0' || strlen(path) >= sizeof(shm->path))
        return dp_err_set(err, EINVAL, "shm: path: '%s'; it must have 1 to %zu characters", path,
            sizeof(shm->path) - 1);
    memcpy(shm->path, path, strlen(path) + 1);
    return 0;
}

static int no_room(const struct dp_shm *shm, int fd, struct dp_err *err)
{
    struct statfs files;
    unsigned long long free_bytes = 0;
    if (fstatfs(fd, &files) == 0)
        free_bytes = (unsigned long long)files.f_bavail * (unsigned long long)files.f_bsize;
    return dp_err_set(err, ENOSPC,
        "shm: %s: %zu bytes asked, %llu free; remove old files there, "
        "enlarge it (mount -o remount,size=...) or lower the pool sizes in the configuration",
        shm->path, shm->size, free_bytes);
}

/* The page size that a file on this file system is mapped with. */
static size_t page_size_of(int fd)
{
    struct statfs files;
    if (fstatfs(fd, &files) == 0 && files.f_type == HUGETLBFS_MAGIC)
        return (size_t)files.f_bsize;
    return (size_t)sysconf(_SC_PAGESIZE);
}

static int map_file(struct dp_shm *shm, int fd, struct dp_err *err)
{
    int protection = PROT_READ | (shm->writable ? PROT_WRITE : 0);
    void *memory = mmap(NULL, shm->size, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED && errno == ENOMEM)
        return no_room(shm, fd, err);
    if (memory == MAP_FAILED)
        return dp_err_set(err, errno, "shm: %s: cannot be mapped: %s", shm->path, strerror(errno));
    shm->memory = memory;
    return 0;
}

/* Every page now, huge ones where the kernel has them. Where the kernel is too old for that,
 * fallocate does with small pages. Both answer ENOSPC, ENOMEM or EFAULT where a touch would have
 * raised SIGBUS. */
static int populate(struct dp_shm *shm, int fd, struct dp_err *err)
{
    madvise(shm->memory, shm->size, MADV_HUGEPAGE); /* a hint: refused on hugetlbfs */
    if (madvise(shm->memory, shm->size, MADV_POPULATE_WRITE) == 0)
        return 0;
    if (errno == EINVAL) {
        int code = posix_fallocate(fd, 0, (off_t)shm->size);
        return code == 0 ? 0 : no_room(shm, fd, err);
    }
    return no_room(shm, fd, err);
}

/* Asked first: populating memory that is not there would fill the file system before it fails. */
static bool fits(int fd, size_t size)
{
    struct statfs files;
    if (fstatfs(fd, &files) != 0 || files.f_blocks == 0)
        return true; /* no limit that it would tell */
    return (size - 1) / (size_t)files.f_bsize < files.f_bavail;
}

static int fill_file(struct dp_shm *shm, int fd, size_t size, struct dp_err *err)
{
    shm->writable = true;
    shm->page_size = page_size_of(fd);
    shm->size = dp_round_up(size, shm->page_size);
    if (!fits(fd, shm->size))
        return no_room(shm, fd, err);
    if (ftruncate(fd, (off_t)shm->size) != 0)
        return dp_err_set(err, errno, "shm: %s: cannot be made %zu bytes long: %s", shm->path,
            shm->size, strerror(errno));
    int status = map_file(shm, fd, err);
    return status < 0 ? status : populate(shm, fd, err);
}

int dp_shm_create(struct dp_shm *shm, const char *path, size_t size, struct dp_err *err)
{
    int status = set_path(shm, path, err);
    if (status < 0)
        return status;
    if (size == 0 || size > INT64_MAX / 2)
        return dp_err_set(err, EINVAL, "shm: %s: %zu bytes; nothing can be that large", path, size);

    char making[DP_SHM_PATH_SIZE + 32];
    snprintf(making, sizeof(making), "%s.making.%ld", path, (long)getpid());
    int fd = open(making, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return dp_err_set(err, errno,
            "shm: %s: cannot be made: %s; name a file in /dev/shm that you may write", path,
            strerror(errno));
    status = fill_file(shm, fd, size, err);
    if (status == 0 && rename(making, path) != 0)
        status =
            dp_err_set(err, errno, "shm: %s: cannot take that name: %s", path, strerror(errno));
    if (status < 0) {
        unlink(making);
        dp_shm_close(shm);
    }
    close(fd);
    return status;
}

int dp_shm_private(struct dp_shm *shm, size_t size, struct dp_err *err)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    *shm = (struct dp_shm){.writable = true, .page_size = HUGE_PAGE_SIZE};
    if (size == 0 || size > INT64_MAX / 2)
        return dp_err_set(
            err, EINVAL, "shm: private memory: %zu bytes; nothing can be that large", size);

    /* Without MAP_NORESERVE the kernel sets the huge pages aside now or says no: never a SIGBUS
     * later. */
    shm->size = dp_round_up(size, HUGE_PAGE_SIZE);
    void *memory = mmap(NULL, shm->size, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);
    if (memory == MAP_FAILED) {
        shm->page_size = (size_t)sysconf(_SC_PAGESIZE);
        memory = mmap(NULL, shm->size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, -1, 0);
    }
    if (memory == MAP_FAILED)
        return dp_err_set(err, errno,
            "shm: private memory: %zu bytes: %s; lower the pool sizes in the "
            "configuration",
            shm->size, strerror(errno));
    madvise(memory, shm->size, MADV_HUGEPAGE);
    shm->memory = memory;
    return 0;
}

static int check_attachable(const char *path, int fd, struct stat *file, struct dp_err *err)
{
    if (fstat(fd, file) != 0)
        return dp_err_set(err, errno, "shm: %s: %s", path, strerror(errno));
    if (!S_ISREG(file->st_mode))
        return dp_err_set(
            err, EINVAL, "shm: %s: not a regular file; name a region in /dev/shm", path);
    if (file->st_size == 0)
        return dp_err_set(err, EINVAL, "shm: %s: an empty file; it is no region", path);
    return 0;
}

int dp_shm_attach(struct dp_shm *shm, const char *path, bool writable, struct dp_err *err)
{
    int status = set_path(shm, path, err);
    if (status < 0)
        return status;
    /* Not blocking: a named pipe would wait for its other end. */
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return dp_err_set(err, errno, "shm: %s: %s", path, strerror(errno));

    struct stat file;
    status = check_attachable(path, fd, &file, err);
    if (status == 0) {
        shm->writable = writable;
        shm->page_size = page_size_of(fd);
        shm->size = (size_t)file.st_size;
        status = map_file(shm, fd, err);
    }
    close(fd);
    return status;
}

void dp_shm_close(struct dp_shm *shm)
{
    if (shm->memory != NULL)
        munmap(shm->memory, shm->size);
    shm->memory = NULL;
    shm->size = 0;
}

int dp_shm_remove(const char *path, struct dp_err *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return dp_err_set(err, errno, "shm: %s: cannot be removed: %s", path, strerror(errno));
    return 0;
}

bool dp_shm_populate(void *memory, size_t size)
{
    uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)memory & ~(page_size - 1);
    uintptr_t end = dp_round_up((uintptr_t)memory + size, page_size);
    return madvise((void *)start, end - start, MADV_POPULATE_WRITE) == 0;
}
