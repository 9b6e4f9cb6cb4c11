"""Mirror of core/dp_journal.h."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_event cimport dp_event


cdef extern from "dp_journal.h" nogil:
    enum dp_journal_kind:
        DP_JOURNAL_EVENT
        DP_JOURNAL_END
        DP_JOURNAL_INSTRUMENT
        DP_JOURNAL_CONTROL
        DP_JOURNAL_SESSION

    enum dp_journal_end_cause:
        DP_JOURNAL_END_FINAL
        DP_JOURNAL_END_ROLLED
        DP_JOURNAL_END_RECOVERED

    enum dp_journal_durability:
        DP_JOURNAL_MEMORY
        DP_JOURNAL_FSYNC

    enum dp_journal_verdict:
        DP_JOURNAL_OK
        DP_JOURNAL_CLOSED
        DP_JOURNAL_NEVER_WRITTEN
        DP_JOURNAL_UNFINISHED
        DP_JOURNAL_TORN
        DP_JOURNAL_CORRUPT

    struct dp_journal_header:
        uint32_t format_version
        uint32_t header_size
        uint32_t record_size
        uint32_t event_schema
        uint64_t segment_index
        uint64_t segment_size
        uint64_t sequence_first
        uint64_t generation
        uint64_t epoch
        int64_t created_ns
        uint32_t chain_previous
        uint32_t header_crc
        char appliance[64]
        char cl_ord_id_prefix[8]
        char build[64]
        char configuration[65]
        uint8_t durability[3]
        char schema[3072]

    struct dp_journal_instrument:
        uint32_t instrument_index
        char symbol[8]

    struct dp_journal_control:
        int64_t time_ns
        uint64_t policy_version
        int64_t before
        int64_t after
        uint32_t scope_index
        uint8_t action
        uint8_t scope_kind
        uint8_t field
        uint8_t source
        char author[16]
        char cause[40]

    struct dp_journal_session:
        uint32_t user_ref_num_next
        char name[10]

    struct dp_journal_end:
        uint64_t record_count
        uint32_t cause

    struct dp_journal_record:
        int64_t time_ns
        dp_event event
        dp_journal_instrument instrument
        dp_journal_control control
        dp_journal_session session_open
        dp_journal_end end
        uint64_t sequence
        uint64_t inbound_sequence
        uint64_t durable_sequence
        uint8_t kind
        uint8_t schema
        uint8_t clock
        uint8_t session
        uint32_t crc

    struct dp_journal_segment:
        uint64_t size
        uint64_t used
        uint64_t sequence_next

    struct dp_journal_walk:
        uint64_t offset
        uint64_t sequence
        int64_t time_ns
        uint32_t chain

    bint dp_journal_append(dp_journal_segment *segment, const dp_event *event)
    bint dp_journal_append_instrument(
        dp_journal_segment *segment, uint32_t instrument_index, const char *symbol, int64_t time_ns)
    int dp_journal_header_check(const uint8_t *memory, uint64_t size, dp_err *err)
    bint dp_journal_is_unused(const uint8_t *memory, uint64_t size)
    void dp_journal_walk_init(dp_journal_walk *walk, const uint8_t *memory, uint64_t size)
    dp_journal_verdict dp_journal_next(dp_journal_walk *walk, const dp_journal_record **record)
    const dp_journal_record *dp_journal_find_behind(const dp_journal_walk *walk)
    const char *dp_journal_verdict_name(dp_journal_verdict verdict)

cdef extern from "dp_template.h" nogil:
    enum:
        DP_CL_ORD_ID_SIZE
    void dp_cl_ord_id(const char *prefix, uint32_t user_ref_num, char *cl_ord_id)
