"""Mirror of sys/dp_capture.h and sys/dp_capture_messages.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_capture.h" nogil:
    enum dp_capture_format:
        DP_CAPTURE_BINARYFILE
        DP_CAPTURE_BINARYFILE_BARE
        DP_CAPTURE_PCAP
        DP_CAPTURE_PCAPNG

    struct dp_capture_record:
        const uint8_t *data
        uint32_t size
        uint32_t original_size
        int64_t time_ns
        uint64_t offset

    struct dp_capture:
        pass

    dp_capture *dp_capture_open(const char *path, dp_err *err)
    dp_capture_format dp_capture_get_format "dp_capture_format"(const dp_capture *capture)
    const char *dp_capture_format_name(dp_capture_format format)
    uint32_t dp_capture_read(dp_capture *capture, dp_capture_record *records, uint32_t max)
    int dp_capture_status(const dp_capture *capture, dp_err *err)
    uint64_t dp_capture_position(const dp_capture *capture)
    uint64_t dp_capture_size(const dp_capture *capture)
    uint64_t dp_capture_skipped(const dp_capture *capture)
    void dp_capture_close(dp_capture *capture)

    struct dp_capture_writer:
        pass

    dp_capture_writer *dp_capture_writer_open(const char *path, dp_err *err)
    int dp_capture_writer_add(
        dp_capture_writer *writer, int64_t time_ns, const uint8_t *data, uint32_t size)
    int dp_capture_writer_close(dp_capture_writer *writer, dp_err *err)


cdef extern from "dp_capture_messages.h" nogil:
    struct dp_capture_messages_stats:
        uint64_t records
        uint64_t by_type[256]
        uint64_t longer
        uint64_t unknown
        uint64_t incomplete
        uint64_t dropped[6]
        uint64_t tcp
        uint64_t not_moldudp
        uint64_t heartbeats
        uint64_t ends

    struct dp_capture_messages:
        dp_capture *capture
        dp_capture_messages_stats stats
        bint has_frames

    int dp_capture_messages_open(
        dp_capture_messages *messages, const char *path, dp_err *err)
    bint dp_capture_messages_next(
        dp_capture_messages *messages, const uint8_t **data, uint32_t *size)
    size_t dp_capture_messages_render(
        dp_capture_messages *messages, bint json, char *text, size_t size)
    void dp_capture_messages_close(dp_capture_messages *messages)
