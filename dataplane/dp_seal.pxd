"""Mirror of sys/dp_seal.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_journal cimport dp_journal_record


cdef extern from "dp_seal.h" nogil:
    enum:
        DP_SEAL_HASH_SIZE
        DP_SEAL_BLOCK_RECORDS
        DP_SEAL_BLOCK_SIZE

    struct dp_seal_block:
        uint64_t offset
        uint64_t sequence_first
        int64_t time_ns_min
        int64_t time_ns_max
        uint32_t size
        uint32_t record_count
        uint32_t chain
        uint32_t number_min
        uint32_t number_max
        uint32_t kinds
        uint8_t tree[32]

    struct dp_seal_trailer:
        uint32_t block_count
        uint32_t chain
        uint64_t record_count
        uint64_t index_offset
        uint64_t segment_index
        uint64_t segment_size
        uint8_t root[32]
        uint8_t previous[32]
        uint8_t chained[32]

    struct dp_seal:
        const uint8_t *memory
        uint64_t size
        dp_seal_trailer trailer

    int dp_seal_write(
        int fd, const uint8_t *segment, uint64_t size, const uint8_t *previous, dp_err *err)
    int dp_seal_open(dp_seal *seal, const uint8_t *memory, uint64_t size, dp_err *err)
    void dp_seal_close(dp_seal *seal)
    void dp_seal_block_at(const dp_seal *seal, uint32_t index, dp_seal_block *block)
    bint dp_seal_read(dp_seal *seal, uint32_t index, dp_journal_record *records)
    bint dp_seal_equals(
        dp_seal *seal, const uint8_t *segment, uint64_t size, uint8_t *room)
    bint dp_seal_tree_fits(const dp_seal *seal, const dp_journal_record *records)
