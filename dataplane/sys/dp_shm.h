/*
 * dp_shm - memory shared between processes: files in /dev/shm (or hugetlbfs), mapped.
 *
 * Which pages: a file on hugetlbfs has that mount's pages; private memory takes 2 MiB pages when
 * the machine has enough of them free; everything else gets ordinary pages with a
 * transparent-huge-page hint. page_size says which.
 *
 * When memory is taken: a shared file is populated whole in dp_shm_create(), because a tmpfs that
 * fills up later would kill the process by SIGBUS in the middle of a trade; so size it for what is
 * needed. Private memory costs nothing until a page is touched: pools may be generous there.
 *
 * Control path only; any thread; the struct belongs to the caller.
 */
#ifndef DP_SHM_H
#define DP_SHM_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_SHM_PATH_SIZE 256

struct dp_shm {
    void *memory;                /* NULL when nothing is mapped */
    size_t size;                 /* mapped bytes, whole pages */
    size_t page_size;            /* bytes of the pages asked for: 4096, or a huge page */
    char path[DP_SHM_PATH_SIZE]; /* "" for private memory */
    bool writable;
};

/* Makes the file and maps it, zeroed and fully backed by memory. The file appears under its name
 * only when it is whole; one that was there before loses its name and lives on for those who have
 * it mapped. */
int dp_shm_create(struct dp_shm *shm, const char *path, size_t size, struct dp_err *err);
/* Private memory of this process, zeroed, taken page by page when touched. */
int dp_shm_private(struct dp_shm *shm, size_t size, struct dp_err *err);
/* Maps a file as it is. A reader that is not `writable` cannot change a byte of it. */
int dp_shm_attach(struct dp_shm *shm, const char *path, bool writable, struct dp_err *err);
/* Asks the kernel to fill in the pages that hold these bytes now instead of at first use.
 * False when it cannot. */
bool dp_shm_populate(void *memory, size_t size);
void dp_shm_close(struct dp_shm *shm); /* unmaps; the file stays. Closing twice is fine */
int dp_shm_remove(const char *path, struct dp_err *err); /* a missing file is no error */

#endif
