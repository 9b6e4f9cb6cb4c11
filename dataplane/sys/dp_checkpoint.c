#include "dp_checkpoint.h"

#include "dp_crc32c.h"
#include "dp_region.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PATH_SIZE 300

/* Pages in a row that are not all zero. */
struct run {
    uint32_t first;
    uint32_t count;
};

struct header {
    uint64_t magic;
    uint32_t format_version;
    uint32_t header_crc; /* of these 4096 bytes with this field 0 */
    uint64_t layout_hash;
    uint32_t layout_version;
    uint32_t run_count;
    uint64_t size;
    uint64_t shape[DP_CHECKPOINT_SHAPES];
    struct dp_checkpoint_place place;
    uint32_t body_crc; /* of the runs, then of the pages */
    char build[52];
    uint8_t reserved[3920];
};

static_assert(sizeof(struct header) == DP_CHECKPOINT_PAGE, "one page");

struct file {
    const struct dp_checkpoint_image *image;
    struct run *runs;
    uint32_t run_count;
    int fd;
};

static int fail(const char *path, int code, const char *what, struct dp_err *err)
{
    return dp_err_set(err, code, "checkpoint: %s: %s: %s", path, what, strerror(code));
}

static uint32_t header_crc(struct header header)
{
    header.header_crc = 0;
    return dp_crc32c(0, &header, sizeof(header));
}

static uint64_t page_count(const struct file *file)
{
    return file->image->size / DP_CHECKPOINT_PAGE;
}

static uint8_t *page_at(const struct file *file, uint64_t page)
{
    return file->image->memory + page * DP_CHECKPOINT_PAGE;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, DP_CHECKPOINT_PAGE - 1) == 0;
}

/* ---- save ---- */

static int find_runs(struct file *file)
{
    uint64_t count = page_count(file);
    file->runs = calloc(count / 2 + 1, sizeof(*file->runs));
    if (file->runs == NULL)
        return -ENOMEM;
    bool goes_on = false;
    for (uint64_t page = 0; page < count; page++) {
        bool is_used = !is_zero(page_at(file, page));
        if (is_used && goes_on)
            file->runs[file->run_count - 1].count++;
        else if (is_used)
            file->runs[file->run_count++] = (struct run){(uint32_t)page, 1};
        goes_on = is_used;
    }
    return 0;
}

static int write_whole(int fd, const void *bytes, uint64_t size)
{
    const uint8_t *rest = bytes;
    while (size > 0) {
        ssize_t done = write(fd, rest, size < (1u << 30) ? size : 1u << 30);
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            rest += done;
            size -= (uint64_t)done;
        }
    }
    return 0;
}

static int write_body(struct file *file, uint32_t *crc)
{
    uint64_t size = file->run_count * sizeof(struct run);
    int status = write_whole(file->fd, file->runs, size);
    *crc = dp_crc32c(0, file->runs, size);
    for (uint32_t index = 0; status == 0 && index < file->run_count; index++) {
        const uint8_t *memory = page_at(file, file->runs[index].first);
        size = (uint64_t)file->runs[index].count * DP_CHECKPOINT_PAGE;
        *crc = dp_crc32c(*crc, memory, size);
        status = write_whole(file->fd, memory, size);
    }
    return status;
}

/* The header goes in last: until then the file begins with zeros. */
static int write_file(struct file *file, const struct dp_checkpoint_place *place)
{
    struct header header = {
        .magic = DP_CHECKPOINT_MAGIC,
        .format_version = DP_CHECKPOINT_FORMAT_VERSION,
        .layout_hash = dp_region_layout_hash(),
        .layout_version = DP_REGION_LAYOUT_VERSION,
        .run_count = file->run_count,
        .size = file->image->size,
        .place = *place,
    };
    snprintf(header.build, sizeof(header.build), "%s", dp_region_build());
    memcpy(header.shape, file->image->shape, sizeof(header.shape));
    if (lseek(file->fd, sizeof(header), SEEK_SET) < 0)
        return -errno;
    int status = write_body(file, &header.body_crc);
    if (status < 0)
        return status;
    header.header_crc = header_crc(header);
    if (lseek(file->fd, 0, SEEK_SET) < 0)
        return -errno;
    status = write_whole(file->fd, &header, sizeof(header));
    return status == 0 && fsync(file->fd) != 0 ? -errno : status;
}

static int flush_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return status;
}

int dp_checkpoint_save(const char *directory, const struct dp_checkpoint_place *place,
    const struct dp_checkpoint_image *image, struct dp_err *err)
{
    char path[PATH_SIZE];
    char unfinished[PATH_SIZE + 4];
    snprintf(path, sizeof(path), "%.250s/checkpoint-%012llu.tpc", directory,
        (unsigned long long)place->sequence);
    snprintf(unfinished, sizeof(unfinished), "%s.new", path);
    struct file file = {.image = image};
    file.fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file.fd < 0)
        return fail(path, errno, "cannot be made", err);
    int status = find_runs(&file);
    if (status == 0)
        status = write_file(&file, place);
    close(file.fd);
    free(file.runs);
    if (status == 0 && rename(unfinished, path) != 0)
        status = -errno;
    if (status == 0)
        status = flush_directory(directory);
    if (status < 0)
        unlink(unfinished);
    return status == 0 ? 0 : fail(path, -status, "cannot be written", err);
}

/* ---- load ---- */

static bool read_whole(int fd, void *bytes, uint64_t size)
{
    uint8_t *rest = bytes;
    while (size > 0) {
        ssize_t done = read(fd, rest, size < (1u << 30) ? size : 1u << 30);
        if (done == 0 || (done < 0 && errno != EINTR))
            return false;
        if (done > 0) {
            rest += done;
            size -= (uint64_t)done;
        }
    }
    return true;
}

static int check_header(
    const struct header *header, const struct file *file, const char *path, struct dp_err *err)
{
    if (header->magic != DP_CHECKPOINT_MAGIC || header->header_crc != header_crc(*header))
        return dp_err_set(err, EBADMSG, "checkpoint: %s: its header is cut or changed", path);
    bool same = header->format_version == DP_CHECKPOINT_FORMAT_VERSION &&
        header->layout_version == DP_REGION_LAYOUT_VERSION &&
        header->layout_hash == dp_region_layout_hash() && header->size == file->image->size &&
        memcmp(header->shape, file->image->shape, sizeof(header->shape)) == 0;
    return same ? 0
                : dp_err_set(err, EPROTO, "checkpoint: %s: of another build or capacity (%.51s)",
                      path, header->build);
}

static bool is_inside(const struct file *file, const struct run *run)
{
    return run->count > 0 && (uint64_t)run->first + run->count <= page_count(file);
}

static bool read_body(struct file *file, uint32_t wanted_crc)
{
    uint64_t size = file->run_count * sizeof(struct run);
    if (!read_whole(file->fd, file->runs, size))
        return false;
    uint32_t crc = dp_crc32c(0, file->runs, size);
    for (uint32_t index = 0; index < file->run_count; index++) {
        if (!is_inside(file, &file->runs[index]))
            return false;
        uint8_t *memory = page_at(file, file->runs[index].first);
        size = (uint64_t)file->runs[index].count * DP_CHECKPOINT_PAGE;
        if (!read_whole(file->fd, memory, size))
            return false;
        crc = dp_crc32c(crc, memory, size);
    }
    return crc == wanted_crc;
}

static int load(
    struct file *file, struct dp_checkpoint_place *place, const char *path, struct dp_err *err)
{
    struct header header;
    if (!read_whole(file->fd, &header, sizeof(header)))
        return dp_err_set(err, EBADMSG, "checkpoint: %s: its header is cut or changed", path);
    int status = check_header(&header, file, path, err);
    if (status < 0)
        return status;
    file->run_count = header.run_count;
    if (file->run_count <= page_count(file))
        file->runs = calloc((size_t)file->run_count + 1, sizeof(*file->runs));
    if (file->runs == NULL || !read_body(file, header.body_crc))
        return dp_err_set(err, EBADMSG, "checkpoint: %s: cut or changed", path);
    *place = header.place;
    return 0;
}

int dp_checkpoint_load(const char *path, struct dp_checkpoint_place *place,
    const struct dp_checkpoint_image *image, struct dp_err *err)
{
    struct file file = {.image = image};
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file.fd < 0)
        return fail(path, errno, "cannot be opened", err);
    int status = load(&file, place, path, err);
    close(file.fd);
    free(file.runs);
    return status;
}
