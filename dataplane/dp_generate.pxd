"""Mirror of sim/dp_generate.h and sim/dp_generate_lines.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_generate.h" nogil:
    const uint32_t DP_GENERATE_SYMBOLS_MAX
    const size_t DP_GENERATE_FRAMED_MAX

    struct dp_generate_config:
        uint64_t seed
        uint64_t message_count
        uint32_t symbol_count

    struct dp_generate:
        pass

    uint64_t dp_generate_count_min(uint32_t symbol_count)
    uint32_t dp_generate_symbols_default(uint64_t message_count)
    dp_generate *dp_generate_open(const dp_generate_config *config, dp_err *err)
    size_t dp_generate_fill(dp_generate *generate, uint8_t *buf, size_t size)
    uint64_t dp_generate_written(const dp_generate *generate)
    void dp_generate_close(dp_generate *generate)


cdef extern from "dp_generate_lines.h" nogil:
    struct dp_generate_lines_config:
        dp_generate_config session
        uint32_t loss_ppm[2]
        uint32_t reorder_ppm
        uint32_t duplicate_ppm
        uint32_t lose_both_count

    struct dp_generate_gap:
        uint64_t first
        uint64_t last

    struct dp_generate_lines:
        pass

    dp_generate_lines *dp_generate_lines_open(
        const dp_generate_lines_config *config, dp_err *err)
    const uint8_t *dp_generate_lines_next(
        dp_generate_lines *lines, uint32_t *size, int64_t *time_ns)
    uint32_t dp_generate_lines_gap_count(const dp_generate_lines *lines)
    dp_generate_gap dp_generate_lines_get_gap "dp_generate_lines_gap"(
        const dp_generate_lines *lines, uint32_t index)
    uint64_t dp_generate_lines_written(const dp_generate_lines *lines)
    void dp_generate_lines_close(dp_generate_lines *lines)
