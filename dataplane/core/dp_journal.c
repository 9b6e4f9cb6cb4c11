#include "dp_journal.h"

#include <errno.h>

#include "dp_crc32c.h"
#include "dp_journal_bytes.h"
#include "dp_region.h"

/* Records ahead whose lines are asked for: a page's first lines are not in the cache yet. */
#define PREFETCH_RECORDS 8

struct schema_field {
    const char *struct_name;
    const char *name;
    const char *type;
    size_t offset;
};

#define ROW(struct_name, text, name, type) \
    { \
        text, #name, type, offsetof(struct struct_name, name) \
    }
#define RECORD(name, type) ROW(dp_journal_record, "record", name, type)
#define EVENT(name, type) ROW(dp_event, "event", name, type)
#define INSTRUMENT(name, type) ROW(dp_journal_instrument, "instrument", name, type)
#define CONTROL(name, type) ROW(dp_journal_control, "control", name, type)
#define SESSION(name, type) ROW(dp_journal_session, "session_open", name, type)
#define END(name, type) ROW(dp_journal_end, "end", name, type)

/* What the header page tells a reader that has nothing but the file. Offsets come from the
 * compiler. */
static const struct schema_field schema_fields[] = {
    RECORD(event, "payload"),
    RECORD(sequence, "u64"),
    RECORD(inbound_sequence, "u64"),
    RECORD(durable_sequence, "u64"),
    RECORD(kind, "u8"),
    RECORD(schema, "u8"),
    RECORD(clock, "u8"),
    RECORD(session, "u8"),
    RECORD(crc, "u32"),
    EVENT(time_ns, "i64"),
    EVENT(venue_order_id, "u64"),
    EVENT(exec_id, "u64"),
    EVENT(price_nanos, "i64"),
    EVENT(qty, "u64"),
    EVENT(observed, "i64"),
    EVENT(limit, "i64"),
    EVENT(user_ref_num, "u32"),
    EVENT(orig_user_ref_num, "u32"),
    EVENT(instrument_index, "u32"),
    EVENT(strategy_index, "u16"),
    EVENT(reason, "u16"),
    EVENT(kind, "u8"),
    EVENT(side, "u8"),
    EVENT(time_in_force, "char"),
    EVENT(liquidity, "char"),
    EVENT(ord_status, "char"),
    EVENT(order_state, "char"),
    EVENT(policy_version, "u16"),
    EVENT(leaves_qty, "u64"),
    EVENT(cum_qty, "u64"),
    INSTRUMENT(time_ns, "i64"),
    INSTRUMENT(instrument_index, "u32"),
    INSTRUMENT(symbol, "char8"),
    CONTROL(time_ns, "i64"),
    CONTROL(policy_version, "u64"),
    CONTROL(before, "i64"),
    CONTROL(after, "i64"),
    CONTROL(scope_index, "u32"),
    CONTROL(action, "u8"),
    CONTROL(scope_kind, "u8"),
    CONTROL(field, "u8"),
    CONTROL(source, "u8"),
    CONTROL(author, "char16"),
    CONTROL(cause, "char40"),
    SESSION(time_ns, "i64"),
    SESSION(user_ref_num_next, "u32"),
    SESSION(name, "char10"),
    END(time_ns, "i64"),
    END(record_count, "u64"),
    END(cause, "u32"),
};

static void render_schema(char text[DP_JOURNAL_SCHEMA_SIZE])
{
    int used = 0;
    for (size_t index = 0; index < sizeof(schema_fields) / sizeof(schema_fields[0]); index++) {
        const struct schema_field *field = &schema_fields[index];
        used += snprintf(text + used, DP_JOURNAL_SCHEMA_SIZE - (size_t)used, "%s %s %s %zu\n",
            field->struct_name, field->name, field->type, field->offset);
        DP_ASSERT(used < DP_JOURNAL_SCHEMA_SIZE);
    }
}

int dp_journal_segment_prepare(
    uint8_t *memory, uint64_t size, const struct dp_journal_header *header, struct dp_err *err)
{
    if (size < DP_JOURNAL_SEGMENT_SIZE_MIN || size % DP_JOURNAL_HEADER_SIZE != 0)
        return dp_err_set(err, EINVAL,
            "journal: segment_size: %llu; it must be a multiple of 4096, at least %u",
            (unsigned long long)size, DP_JOURNAL_SEGMENT_SIZE_MIN);

    struct dp_journal_header *page = (struct dp_journal_header *)(void *)memory;
    *page = *header;
    page->magic = DP_JOURNAL_MAGIC;
    page->format_version = DP_JOURNAL_FORMAT_VERSION;
    page->header_size = DP_JOURNAL_HEADER_SIZE;
    page->record_size = DP_JOURNAL_RECORD_SIZE;
    page->event_schema = DP_JOURNAL_SCHEMA_VERSION;
    page->segment_size = size;
    page->header_crc = 0;
    snprintf(page->build, sizeof(page->build), "%s", dp_region_build());
    render_schema(page->schema);
    return 0;
}

void dp_journal_segment_start(struct dp_journal_segment *segment, uint8_t *memory, uint64_t size,
    uint64_t sequence_first, uint32_t chain_previous)
{
    struct dp_journal_header *page = (struct dp_journal_header *)(void *)memory;
    page->sequence_first = sequence_first;
    page->chain_previous = chain_previous;
    uint32_t crc = dp_journal_header_crc(memory);
    /* Release: a header with its CRC is a whole header. */
    dp_store_release((_Atomic uint32_t *)(void *)&page->header_crc, crc);

    segment->memory = memory;
    segment->size = size;
    segment->chain = crc;
    segment->used = DP_JOURNAL_HEADER_SIZE;
    dp_store_release(&segment->sequence_next, sequence_first);
}

int dp_journal_segment_init(struct dp_journal_segment *segment, uint8_t *memory, uint64_t size,
    const struct dp_journal_header *header, struct dp_err *err)
{
    int status = dp_journal_segment_prepare(memory, size, header, err);
    if (status < 0)
        return status;
    memset(segment, 0, sizeof(*segment));
    dp_journal_segment_start(segment, memory, size, header->sequence_first, header->chain_previous);
    return 0;
}

void dp_journal_segment_continue(struct dp_journal_segment *segment, uint8_t *memory)
{
    dp_journal_segment_start(
        segment, memory, segment->size, dp_load_relaxed(&segment->sequence_next), segment->chain);
}

/* Word by word, for the reason that dp_crc32c_record() gives. */
static void copy_payload(uint8_t *place, const void *payload)
{
    _Atomic uint64_t *to = (_Atomic uint64_t *)(void *)place;
    const _Atomic uint64_t *from = payload;
    DP_UNROLL
    for (uint32_t index = 0; index < DP_CRC32C_PAYLOAD_WORDS; index++)
        dp_store_relaxed(&to[index], dp_load_relaxed(&from[index]));
}

/*
 * The word with the CRC goes in last: if the process dies on the way, the page holds a record with
 * CRC 0. Release: whoever reads the CRC, this process or one that maps the file later, also sees
 * the bytes that it covers. `used` follows for the thread that flushes.
 */
static void put(struct dp_journal_segment *segment, const void *payload, int64_t time_ns,
    enum dp_journal_kind kind, bool is_answer)
{
    uint64_t sequence = dp_load_relaxed(&segment->sequence_next) + segment->uncommitted;
    uint64_t low = (uint64_t)kind | (uint64_t)DP_JOURNAL_SCHEMA_VERSION << 8 |
        (uint64_t)segment->clock << 16 | (is_answer ? (uint64_t)segment->session << 24 : 0);
    const uint64_t trailer[DP_CRC32C_TRAILER_WORDS] = {
        sequence,
        is_answer ? segment->inbound_sequence : 0,
        segment->durable_sequence,
        low | (uint64_t)segment->chain << 32,
    };
    uint32_t crc = dp_journal_stored_crc(dp_crc32c_record(payload, trailer));

    uint8_t *place = segment->memory + segment->used;
    __builtin_prefetch(place + PREFETCH_RECORDS * DP_JOURNAL_RECORD_SIZE, 1);
    __builtin_prefetch(place + PREFETCH_RECORDS * DP_JOURNAL_RECORD_SIZE + DP_CACHE_LINE, 1);
    copy_payload(place, payload);
    memcpy(place + DP_JOURNAL_PAYLOAD_SIZE, trailer, 3 * sizeof(uint64_t));
    dp_store_release((_Atomic uint64_t *)(void *)(place + DP_JOURNAL_RECORD_SIZE - 8),
        low | (uint64_t)crc << 32);

    segment->chain = crc;
    segment->time_ns = time_ns;
    segment->used += DP_JOURNAL_RECORD_SIZE;
    segment->uncommitted++;
}

void dp_journal_put(struct dp_journal_segment *segment, const struct dp_event *event)
{
    DP_CHECK(segment->size - segment->used >= 2 * DP_JOURNAL_RECORD_SIZE);
    put(segment, event, event->time_ns, DP_JOURNAL_EVENT, event->kind >= DP_EVENT_ACCEPTED);
}

bool dp_journal_append(struct dp_journal_segment *segment, const struct dp_event *event)
{
    if (DP_UNLIKELY(!dp_journal_has_room(segment)))
        return false;
    dp_journal_put(segment, event);
    dp_journal_commit(segment);
    return true;
}

bool dp_journal_append_instrument(struct dp_journal_segment *segment, uint32_t instrument_index,
    const char symbol[8], int64_t time_ns)
{
    if (!dp_journal_has_room(segment))
        return false;
    struct dp_journal_instrument instrument = {
        .time_ns = time_ns, .instrument_index = instrument_index};
    memcpy(instrument.symbol, symbol, sizeof(instrument.symbol));
    put(segment, &instrument, time_ns, DP_JOURNAL_INSTRUMENT, false);
    dp_journal_commit(segment);
    return true;
}

bool dp_journal_append_control(
    struct dp_journal_segment *segment, const struct dp_journal_control *control)
{
    if (!dp_journal_has_room(segment))
        return false;
    put(segment, control, control->time_ns, DP_JOURNAL_CONTROL, false);
    dp_journal_commit(segment);
    return true;
}

bool dp_journal_append_session(
    struct dp_journal_segment *segment, const struct dp_journal_session *session)
{
    if (!dp_journal_has_room(segment))
        return false;
    put(segment, session, session->time_ns, DP_JOURNAL_SESSION, true);
    dp_journal_commit(segment);
    return true;
}

void dp_journal_close(struct dp_journal_segment *segment, enum dp_journal_end_cause cause)
{
    DP_ASSERT(segment->size - segment->used >= DP_JOURNAL_RECORD_SIZE);
    const struct dp_journal_end end = {
        .time_ns = segment->time_ns,
        .record_count = (segment->used - DP_JOURNAL_HEADER_SIZE) / DP_JOURNAL_RECORD_SIZE,
        .cause = cause,
    };
    put(segment, &end, end.time_ns, DP_JOURNAL_END, false);
    dp_journal_commit(segment);
}
