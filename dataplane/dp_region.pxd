"""Mirror of core/dp_region.h."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_region.h" nogil:
    struct dp_region_part:
        char name[24]
        uint64_t offset
        uint64_t size

    struct dp_region:
        uint32_t layout_version
        uint32_t part_count
        uint64_t layout_hash
        uint64_t generation
        uint64_t size
        uint64_t used
        uint64_t tsc_hz
        uint64_t tsc_error_ppb
        int64_t pid
        char build[52]
        dp_region_part parts[48]

    size_t dp_region_header_size()
    size_t dp_region_part_size(size_t size)
    int dp_region_init(void *memory, size_t size, uint64_t generation, dp_err *err)
    void *dp_region_place(dp_region *region, const char *name, size_t size, dp_err *err)
    void dp_region_publish(dp_region *region)
    int dp_region_check(const void *memory, size_t size, dp_err *err)
    void *dp_region_find(dp_region *region, const char *name, size_t *size)
    uint64_t dp_region_layout_hash()
    const char *dp_region_build()
