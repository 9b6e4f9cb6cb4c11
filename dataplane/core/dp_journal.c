#include "dp_journal.h"

#include <errno.h>

#include "dp_atomic.h"
#include "dp_region.h"

#define RECORD_SIZE sizeof(struct dp_journal_record)
#define CRC_SIZE sizeof(uint32_t)

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
#define END(name, type) ROW(dp_journal_end, "end", name, type)

/* What the header page tells a reader that has nothing but the file. Offsets come from the
 * compiler. */
static const struct schema_field schema_fields[] = {
    RECORD(crc, "u32"),
    RECORD(chain, "u32"),
    RECORD(sequence, "u64"),
    RECORD(time_ns, "i64"),
    RECORD(kind, "u16"),
    RECORD(schema, "u8"),
    RECORD(clock, "u8"),
    RECORD(event, "payload"),
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
    EVENT(leaves_qty, "u64"),
    EVENT(cum_qty, "u64"),
    INSTRUMENT(instrument_index, "u32"),
    INSTRUMENT(symbol, "char8"),
    END(record_count, "u64"),
    END(cause, "u32"),
};

/* 0 means "not written", so the one sum in 2^32 that is 0 is stored as all ones. */
static uint32_t stored_crc(uint32_t crc)
{
    return crc != 0 ? crc : UINT32_MAX;
}

static uint32_t record_crc(const struct dp_journal_record *record)
{
    return stored_crc(dp_crc32c(0, (const uint8_t *)record + CRC_SIZE, RECORD_SIZE - CRC_SIZE));
}

static uint32_t header_crc(const uint8_t *memory)
{
    static const uint32_t zero = 0;
    size_t before = offsetof(struct dp_journal_header, header_crc);
    uint32_t crc = dp_crc32c(dp_crc32c(0, memory, before), &zero, CRC_SIZE);
    size_t behind = before + CRC_SIZE;
    return stored_crc(dp_crc32c(crc, memory + behind, DP_JOURNAL_HEADER_SIZE - behind));
}

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

int dp_journal_segment_init(struct dp_journal_segment *segment, uint8_t *memory, uint64_t size,
    const struct dp_journal_header *header, struct dp_err *err)
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
    page->record_size = RECORD_SIZE;
    page->event_schema = DP_JOURNAL_SCHEMA_VERSION;
    page->segment_size = size;
    page->header_crc = 0;
    snprintf(page->build, sizeof(page->build), "%s", dp_region_build());
    render_schema(page->schema);
    uint32_t crc = header_crc(memory);
    dp_fence_release();
    page->header_crc = crc;

    *segment = (struct dp_journal_segment){
        .memory = memory,
        .size = size,
        .chain = crc,
        .used = DP_JOURNAL_HEADER_SIZE,
        .sequence_next = header->sequence_first,
    };
    return 0;
}

/*
 * The CRC goes in last: if the process dies on the way, the page holds a record with CRC 0.
 * Release: whoever reads the CRC, this process or one that maps the file later, also sees the bytes
 * that it covers.
 */
static void commit(struct dp_journal_segment *segment, struct dp_journal_record *record)
{
    record->chain = segment->chain;
    record->sequence = segment->sequence_next;
    record->schema = DP_JOURNAL_SCHEMA_VERSION;
    record->clock = (uint8_t)segment->clock;
    uint32_t crc = record_crc(record);
    uint8_t *place = segment->memory + segment->used;
    memcpy(place + CRC_SIZE, (const uint8_t *)record + CRC_SIZE, RECORD_SIZE - CRC_SIZE);
    dp_store_release((_Atomic uint32_t *)(void *)place, crc);

    segment->chain = crc;
    segment->sequence_next++;
    segment->time_ns = record->time_ns;
    segment->used += RECORD_SIZE;
}

static bool has_room(const struct dp_journal_segment *segment)
{
    return segment->size - segment->used >= 2 * RECORD_SIZE;
}

bool dp_journal_append(struct dp_journal_segment *segment, const struct dp_event *event)
{
    if (DP_UNLIKELY(!has_room(segment)))
        return false;
    struct dp_journal_record record = {
        .time_ns = event->time_ns, .kind = DP_JOURNAL_EVENT, .event = *event};
    commit(segment, &record);
    return true;
}

bool dp_journal_append_instrument(struct dp_journal_segment *segment, uint32_t instrument_index,
    const char symbol[8], int64_t time_ns)
{
    if (!has_room(segment))
        return false;
    struct dp_journal_record record = {.time_ns = time_ns, .kind = DP_JOURNAL_INSTRUMENT};
    record.instrument.instrument_index = instrument_index;
    memcpy(record.instrument.symbol, symbol, sizeof(record.instrument.symbol));
    commit(segment, &record);
    return true;
}

void dp_journal_close(struct dp_journal_segment *segment, enum dp_journal_end_cause cause)
{
    DP_ASSERT(segment->size - segment->used >= RECORD_SIZE);
    struct dp_journal_record record = {.time_ns = segment->time_ns, .kind = DP_JOURNAL_END};
    record.end.record_count = (segment->used - DP_JOURNAL_HEADER_SIZE) / RECORD_SIZE;
    record.end.cause = cause;
    commit(segment, &record);
}

static bool all_zero(const uint8_t *memory, uint64_t size)
{
    uint64_t offset = 0;
    for (; offset + sizeof(uint64_t) <= size; offset += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, memory + offset, sizeof(word));
        if (word != 0)
            return false;
    }
    for (; offset < size; offset++)
        if (memory[offset] != 0)
            return false;
    return true;
}

static int check_sizes(const struct dp_journal_header *header, struct dp_err *err)
{
    if (header->format_version != DP_JOURNAL_FORMAT_VERSION ||
        header->event_schema != DP_JOURNAL_SCHEMA_VERSION)
        return dp_err_set(err, EPROTO,
            "journal: header: format version %u with schema %u; this build reads %u with %u",
            header->format_version, header->event_schema, DP_JOURNAL_FORMAT_VERSION,
            DP_JOURNAL_SCHEMA_VERSION);
    if (header->header_size != DP_JOURNAL_HEADER_SIZE || header->record_size != RECORD_SIZE ||
        memchr(header->appliance, '\0', sizeof(header->appliance)) == NULL ||
        memchr(header->cl_ord_id_prefix, '\0', sizeof(header->cl_ord_id_prefix)) == NULL)
        return dp_err_set(
            err, EINVAL, "journal: header: sizes or names that this format cannot have");
    return 0;
}

int dp_journal_header_check(const uint8_t *memory, uint64_t size, struct dp_err *err)
{
    if (size < DP_JOURNAL_HEADER_SIZE)
        return dp_err_set(err, EINVAL, "journal: header: the file is %llu bytes; a header takes %u",
            (unsigned long long)size, DP_JOURNAL_HEADER_SIZE);
    struct dp_journal_header header;
    memcpy(&header, memory, sizeof(header));
    if (header.magic != DP_JOURNAL_MAGIC)
        return dp_err_set(err, EINVAL, "journal: header: not a tickplane journal");
    if (header.header_crc != header_crc(memory))
        return dp_err_set(err, EBADMSG, "journal: header: CRC is %08x; its bytes give %08x",
            header.header_crc, header_crc(memory));
    return check_sizes(&header, err);
}

bool dp_journal_is_unused(const uint8_t *memory, uint64_t size)
{
    if (size < DP_JOURNAL_HEADER_SIZE)
        return all_zero(memory, size);
    uint32_t crc;
    memcpy(&crc, memory + offsetof(struct dp_journal_header, header_crc), sizeof(crc));
    return crc == 0 && all_zero(memory + DP_JOURNAL_HEADER_SIZE, size - DP_JOURNAL_HEADER_SIZE);
}

void dp_journal_walk_init(struct dp_journal_walk *walk, const uint8_t *memory, uint64_t size)
{
    struct dp_journal_header header;
    memcpy(&header, memory, sizeof(header));
    *walk = (struct dp_journal_walk){
        .memory = memory,
        .size = size,
        .chain = header.header_crc,
        .offset = DP_JOURNAL_HEADER_SIZE,
        .sequence = header.sequence_first,
    };
}

static enum dp_journal_verdict judge_bad(const struct dp_journal_walk *walk)
{
    const uint8_t *place = walk->memory + walk->offset;
    uint64_t rest = walk->size - walk->offset;
    if (!all_zero(place + RECORD_SIZE, rest - RECORD_SIZE))
        return DP_JOURNAL_CORRUPT;
    if (all_zero(place, RECORD_SIZE))
        return DP_JOURNAL_NEVER_WRITTEN;
    return all_zero(place, CRC_SIZE) ? DP_JOURNAL_UNFINISHED : DP_JOURNAL_TORN;
}

enum dp_journal_verdict dp_journal_next(
    struct dp_journal_walk *walk, const struct dp_journal_record **record)
{
    /* A slot is always kept for the end record: a segment that stops without one has been cut. */
    if (walk->offset > walk->size || walk->size - walk->offset < RECORD_SIZE)
        return DP_JOURNAL_TORN;

    const uint8_t *place = walk->memory + walk->offset;
    const struct dp_journal_record *found = (const struct dp_journal_record *)(const void *)place;
    if (found->crc != record_crc(found) || found->chain != walk->chain ||
        found->sequence != walk->sequence || found->schema != DP_JOURNAL_SCHEMA_VERSION)
        return judge_bad(walk);

    bool ends = found->kind == DP_JOURNAL_END;
    if (ends && !all_zero(place + RECORD_SIZE, walk->size - walk->offset - RECORD_SIZE))
        return DP_JOURNAL_CORRUPT;
    *record = found;
    walk->chain = found->crc;
    walk->sequence++;
    walk->offset += RECORD_SIZE;
    return ends ? DP_JOURNAL_CLOSED : DP_JOURNAL_OK;
}

const struct dp_journal_record *dp_journal_find_behind(const struct dp_journal_walk *walk)
{
    for (uint64_t offset = walk->offset + RECORD_SIZE; offset + RECORD_SIZE <= walk->size;
         offset += RECORD_SIZE) {
        const struct dp_journal_record *found =
            (const struct dp_journal_record *)(const void *)(walk->memory + offset);
        if (found->crc != 0 && found->crc == record_crc(found))
            return found;
    }
    return NULL;
}

const char *dp_journal_verdict_name(enum dp_journal_verdict verdict)
{
    static const char *const names[] = {
        [DP_JOURNAL_OK] = "ok",
        [DP_JOURNAL_CLOSED] = "closed",
        [DP_JOURNAL_NEVER_WRITTEN] = "never_written",
        [DP_JOURNAL_UNFINISHED] = "unfinished",
        [DP_JOURNAL_TORN] = "torn",
        [DP_JOURNAL_CORRUPT] = "corrupt",
    };
    DP_ASSERT((unsigned)verdict < sizeof(names) / sizeof(names[0]));
    return names[verdict];
}
