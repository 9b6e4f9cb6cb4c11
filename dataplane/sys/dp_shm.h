/*
 * dp_shm - memory shared between processes: files in /dev/shm (or hugetlbfs), mapped.
 *
 * Huge pages are used when the machine has enough of them free, else ordinary pages with a transparent-huge-page
 * hint; dp_shm says which it got. Control path only.
 */
#ifndef DP_SHM_H
#define DP_SHM_H

#include "dp_base.h"
#include "dp_err.h"

struct dp_shm {
    void *memory;
    size_t size;       /* mapped bytes, whole pages */
    size_t page_size;  /* bytes of the pages asked for: 4096 or 2 MiB */
    char path[256];    /* "" for private memory */
    bool writable;
};

/* Makes (or replaces) the file and maps it zeroed, every page touched: running out of memory shows here, not later. */
int dp_shm_create(struct dp_shm *shm, const char *path, size_t size, struct dp_err *err);
/* Private memory of this process, zeroed, same page rules. */
int dp_shm_private(struct dp_shm *shm, size_t size, struct dp_err *err);
int dp_shm_attach(struct dp_shm *shm, const char *path, bool writable, struct dp_err *err);
void dp_shm_close(struct dp_shm *shm);         /* unmaps; the file stays */
int dp_shm_remove(const char *path, struct dp_err *err); /* a missing file is no error */

#endif
