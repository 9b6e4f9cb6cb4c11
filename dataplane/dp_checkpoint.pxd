"""Mirror of sys/dp_checkpoint.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_checkpoint.h" nogil:
    enum:
        DP_CHECKPOINT_PAGE

    struct dp_checkpoint_image:
        uint8_t *memory
        uint64_t size
        uint64_t shape[4]

    struct dp_checkpoint_place:
        uint64_t sequence
        uint64_t segment_index
        uint64_t offset
        uint64_t record_count
        int64_t time_ns
        uint32_t chain
        uint32_t header_crc

    int dp_checkpoint_save(
        const char *directory, const dp_checkpoint_place *place,
        const dp_checkpoint_image *image, dp_err *err)
    int dp_checkpoint_load(
        const char *path, dp_checkpoint_place *place, const dp_checkpoint_image *image, dp_err *err)
