#include "dp_id_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "dp_crc32c.h"

#define MAGIC 0x0031444950544b43ull /* "CKTPID1\0" as bytes */
#define PLACE_SIZE 512              /* what a disk writes whole */
#define BLOCK_MAX (1u << 24)

/* One place. */
struct reservation {
    uint64_t magic;
    uint64_t write_count; /* the higher one is the newer */
    uint32_t day;
    uint32_t end; /* every number below may have been used */
    uint32_t block;
    uint32_t reserved;
    char venue[DP_ID_NAME_SIZE];
    char session[DP_ID_NAME_SIZE];
    uint8_t zero[412];
    uint32_t crc; /* CRC-32C of the other bytes */
};

static_assert(sizeof(struct reservation) == PLACE_SIZE, "one sector");

static int fail(const struct dp_id_file *file, int code, const char *what, struct dp_err *err)
{
    return dp_err_set(err, code, "ids: %s: %s: %s", file->path, what, strerror(code));
}

/* ---- what is asked for ---- */

static bool is_name(const char *name)
{
    size_t size = strnlen(name, DP_ID_NAME_SIZE);
    for (size_t index = 0; index < size; index++)
        if (!isalnum((unsigned char)name[index]) && name[index] != '_' && name[index] != '.')
            return false;
    return size >= 1 && size < DP_ID_NAME_SIZE;
}

static int check_config(const struct dp_id_file_config *config, struct dp_err *err)
{
    if (!is_name(config->venue))
        return dp_err_set(err, EINVAL,
            "ids: venue: '%.40s'; give 1 to 31 letters, digits, dots, underscores", config->venue);
    if (!is_name(config->session))
        return dp_err_set(err, EINVAL,
            "ids: session: '%.40s'; give 1 to 31 letters, digits, dots, underscores",
            config->session);
    if (config->block < 2 || config->block > BLOCK_MAX)
        return dp_err_set(
            err, EINVAL, "ids: block: %u; give 2 to %u numbers", config->block, BLOCK_MAX);
    if (config->first == 0)
        return dp_err_set(err, EINVAL, "ids: first: 0; give at least 1, 0 means none on the wire");
    return 0;
}

/* ---- the places ---- */

static uint32_t crc_of(const struct reservation *place)
{
    return dp_crc32c(0, place, offsetof(struct reservation, crc));
}

static bool is_zero(const struct reservation *place)
{
    static const struct reservation none;
    return memcmp(place, &none, sizeof(none)) == 0;
}

static bool is_whole(const struct reservation *place)
{
    return place->magic == MAGIC && place->crc == crc_of(place);
}

/* Writes the place whose turn it is, and waits for the disk. */
static int write_end(struct dp_id_file *file, uint32_t end)
{
    struct reservation place = {
        .magic = MAGIC,
        .write_count = file->write_count + 1,
        .day = file->config.day,
        .end = end,
        .block = file->config.block,
    };
    memcpy(place.venue, file->config.venue, strlen(file->config.venue));
    memcpy(place.session, file->config.session, strlen(file->config.session));
    place.crc = crc_of(&place);

    off_t offset = (off_t)(place.write_count % 2 * PLACE_SIZE);
    ssize_t size = pwrite(file->fd, &place, sizeof(place), offset);
    if (size != (ssize_t)sizeof(place))
        return size < 0 ? -errno : -EIO;
    if (fdatasync(file->fd) != 0)
        return -errno;
    file->write_count = place.write_count;
    return 0;
}

/* ---- where to begin ---- */

static int check_place(
    const struct dp_id_file *file, const struct reservation *newest, struct dp_err *err)
{
    const struct dp_id_file_config *config = &file->config;
    if (strncmp(newest->venue, config->venue, DP_ID_NAME_SIZE) != 0 ||
        strncmp(newest->session, config->session, DP_ID_NAME_SIZE) != 0)
        return dp_err_set(err, EINVAL,
            "ids: %s: holds numbers of %.31s, session %.31s; name another", file->path,
            newest->venue, newest->session);
    if (newest->day > config->day)
        return dp_err_set(err, EINVAL,
            "ids: %s: holds numbers of %u; %u is before that, check the machine's date", file->path,
            newest->day, config->day);
    return 0;
}

/* Above everything that any run of this day may have used. */
static uint32_t safe_end(const struct dp_id_file *file, const struct reservation *newest,
    const struct reservation *other)
{
    uint32_t first = file->config.first;
    uint64_t end = newest->end;
    if (newest->day < file->config.day)
        return first;
    if (!is_whole(other) && !is_zero(other))
        end += newest->block > file->config.block ? newest->block : file->config.block;
    if (end > UINT32_MAX)
        end = UINT32_MAX;
    return end > first ? (uint32_t)end : first;
}

static int read_places(struct dp_id_file *file, uint32_t *begin, struct dp_err *err)
{
    struct reservation places[2];
    memset(places, 0, sizeof(places));
    if (pread(file->fd, places, sizeof(places), 0) < 0)
        return fail(file, errno, "cannot be read", err);
    *begin = file->config.first;
    if (is_zero(&places[0]) && is_zero(&places[1]))
        return 0; /* made and never written: no number of it was ever used */

    bool whole[2] = {is_whole(&places[0]), is_whole(&places[1])};
    if (!whole[0] && !whole[1])
        return dp_err_set(err, EBADMSG,
            "ids: %s: neither of its two places can be read; ask the venue for the next number, "
            "remove the file and give that number as first",
            file->path);
    int newest = whole[1] && (!whole[0] || places[1].write_count > places[0].write_count);
    int status = check_place(file, &places[newest], err);
    if (status < 0)
        return status;
    /* Past a place that cannot be read, so that the next write replaces it. */
    file->write_count = places[newest].write_count;
    *begin = safe_end(file, &places[newest], &places[!newest]);
    return 0;
}

/* ---- life ---- */

/* A new name is on disk only when its directory is. */
static int flush_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return status;
}

static int open_file(struct dp_id_file *file, struct dp_err *err)
{
    file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file->fd < 0)
        return fail(file, errno, "cannot be opened", err);
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
        return dp_err_set(err, EBUSY,
            "ids: %s: another process uses these numbers; end it, or name another session",
            file->path);
    int status = flush_directory(file->config.directory);
    return status == 0 ? 0 : fail(file, -status, "its directory cannot be flushed to disk", err);
}

static void let_go(struct dp_id_file *file)
{
    if (file->fd >= 0)
        close(file->fd); /* and with it the lock */
    file->fd = -1;
}

int dp_id_file_open(struct dp_id_file *file, const struct dp_id_file_config *config,
    struct dp_id_pool *pool, struct dp_err *err)
{
    *file = (struct dp_id_file){.fd = -1, .config = *config, .pool = pool};
    int status = check_config(config, err);
    if (status < 0)
        return status;
    int size = snprintf(file->path, sizeof(file->path), "%s/ids-%s-%s", config->directory,
        config->venue, config->session);
    if (size >= (int)sizeof(file->path))
        return dp_err_set(err, ENAMETOOLONG, "ids: %.40s...: too long a name; at most %zu bytes",
            config->directory, sizeof(file->path) - 1);

    uint32_t begin = 0;
    status = open_file(file, err);
    if (status == 0)
        status = read_places(file, &begin, err);
    if (status == 0) {
        dp_id_pool_init(pool, begin, config->block);
        status = dp_id_file_keep(file, err);
    }
    if (status < 0)
        let_go(file);
    return status;
}

int dp_id_file_keep(struct dp_id_file *file, struct dp_err *err)
{
    uint32_t end = dp_id_pool_wanted(file->pool);
    if (end == 0)
        return 0;
    int status = write_end(file, end);
    if (status < 0)
        return fail(file, -status, "a reservation cannot be written", err);
    dp_id_pool_extend(file->pool, end); /* behind the disk, before the first use */
    return 0;
}

int dp_id_file_close(struct dp_id_file *file, struct dp_err *err)
{
    if (file->fd < 0)
        return 0;
    int status = write_end(file, dp_load_relaxed(&file->pool->next));
    if (status < 0)
        fail(file, -status, "what was not used cannot be given back", err);
    let_go(file);
    return status;
}
