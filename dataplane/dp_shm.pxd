"""Mirror of sys/dp_shm.h."""

from dataplane.dp_err cimport dp_err


cdef extern from "dp_shm.h" nogil:
    struct dp_shm:
        void *memory
        size_t size
        size_t page_size
        char path[256]
        bint writable

    int dp_shm_create(dp_shm *shm, const char *path, size_t size, dp_err *err)
    int dp_shm_private(dp_shm *shm, size_t size, dp_err *err)
    int dp_shm_attach(dp_shm *shm, const char *path, bint writable, dp_err *err)
    void dp_shm_close(dp_shm *shm)
    int dp_shm_remove(const char *path, dp_err *err)
