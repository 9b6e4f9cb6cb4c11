"""Mirror of <sys/mman.h>, as far as anonymous memory is wanted."""

cdef extern from "<sys/mman.h>" nogil:
    const int PROT_READ
    const int PROT_WRITE
    const int MAP_PRIVATE
    const int MAP_ANONYMOUS
    const int MAP_NORESERVE
    const int MADV_HUGEPAGE
    void *MAP_FAILED
    void *mmap(void *address, size_t size, int protection, int flags, int fd, long offset)
    int munmap(void *address, size_t size)
    int madvise(void *address, size_t size, int advice)


cdef inline void *map_zeros(size_t size, int flags) noexcept nogil:
    """Map size bytes of zeros; NULL when the kernel has none. flags: of mmap, beside its kind."""
    cdef void *memory = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
    return NULL if memory == MAP_FAILED else memory
