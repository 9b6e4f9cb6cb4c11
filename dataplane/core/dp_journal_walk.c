#include <errno.h>

#include "dp_crc32c.h"
#include "dp_journal.h"
#include "dp_journal_bytes.h"

#define CRC_OFFSET offsetof(struct dp_journal_record, crc)

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
    if (header->header_size != DP_JOURNAL_HEADER_SIZE ||
        header->record_size != DP_JOURNAL_RECORD_SIZE ||
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
    if (header.header_crc != dp_journal_header_crc(memory))
        return dp_err_set(err, EBADMSG, "journal: header: CRC is %08x; its bytes give %08x",
            header.header_crc, dp_journal_header_crc(memory));
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

/* Whether its bytes and the crc of the record before give the crc that it states. */
static bool fits(const struct dp_journal_record *record, uint32_t chain)
{
    uint64_t trailer[DP_CRC32C_TRAILER_WORDS];
    memcpy(trailer, &record->sequence, sizeof(trailer));
    trailer[3] = (uint32_t)trailer[3] | (uint64_t)chain << 32;
    return record->crc == dp_journal_stored_crc(dp_crc32c_record(record, trailer));
}

bool dp_journal_acknowledges(
    const uint8_t *memory, uint64_t size, uint64_t offset, uint64_t sequence)
{
    for (; offset + 2 * DP_JOURNAL_RECORD_SIZE <= size; offset += DP_JOURNAL_RECORD_SIZE) {
        const struct dp_journal_record *before = (const void *)(memory + offset);
        const struct dp_journal_record *found = before + 1;
        if (found->crc != 0 && found->durable_sequence >= sequence && fits(found, before->crc))
            return true;
    }
    return false;
}

bool dp_journal_waits(const uint8_t *memory)
{
    const struct dp_journal_header *header = (const void *)memory;
    return header->durability[DP_JOURNAL_CLASS_NEW] == DP_JOURNAL_FSYNC &&
        header->durability[DP_JOURNAL_CLASS_REPLACE] == DP_JOURNAL_FSYNC;
}

static enum dp_journal_verdict judge_bad(const struct dp_journal_walk *walk)
{
    const uint8_t *place = walk->memory + walk->offset;
    uint64_t rest = walk->size - walk->offset;
    if (!all_zero(place + DP_JOURNAL_RECORD_SIZE, rest - DP_JOURNAL_RECORD_SIZE)) {
        /* Power loss leaves pages in any order: not one of these had a barrier behind it. */
        bool promised = !dp_journal_waits(walk->memory) ||
            dp_journal_acknowledges(walk->memory, walk->size, walk->offset, walk->sequence);
        return promised ? DP_JOURNAL_CORRUPT : DP_JOURNAL_TORN;
    }
    if (all_zero(place, DP_JOURNAL_RECORD_SIZE))
        return DP_JOURNAL_NEVER_WRITTEN;
    return all_zero(place + CRC_OFFSET, sizeof(uint32_t)) ? DP_JOURNAL_UNFINISHED : DP_JOURNAL_TORN;
}

static bool is_next(const struct dp_journal_walk *walk, const struct dp_journal_record *found)
{
    return fits(found, walk->chain) && found->sequence == walk->sequence &&
        found->schema == DP_JOURNAL_SCHEMA_VERSION;
}

enum dp_journal_verdict dp_journal_next(
    struct dp_journal_walk *walk, const struct dp_journal_record **record)
{
    /* A slot is always kept for the end record: a segment that stops without one has been cut. */
    if (walk->offset > walk->size || walk->size - walk->offset < DP_JOURNAL_RECORD_SIZE)
        return DP_JOURNAL_TORN;

    const uint8_t *place = walk->memory + walk->offset;
    const struct dp_journal_record *found = (const struct dp_journal_record *)(const void *)place;
    if (!is_next(walk, found)) {
        enum dp_journal_verdict verdict = judge_bad(walk);
        /* A writer at work may have finished this record, and those behind it, meanwhile. */
        dp_fence_acquire();
        if (verdict < DP_JOURNAL_TORN || !is_next(walk, found))
            return verdict;
    }

    bool ends = found->kind == DP_JOURNAL_END;
    if (ends &&
        !all_zero(
            place + DP_JOURNAL_RECORD_SIZE, walk->size - walk->offset - DP_JOURNAL_RECORD_SIZE))
        return DP_JOURNAL_CORRUPT;
    *record = found;
    walk->chain = found->crc;
    walk->time_ns = found->time_ns;
    walk->sequence++;
    walk->offset += DP_JOURNAL_RECORD_SIZE;
    return ends ? DP_JOURNAL_CLOSED : DP_JOURNAL_OK;
}

const struct dp_journal_record *dp_journal_find_behind(const struct dp_journal_walk *walk)
{
    const uint8_t *place = walk->memory + walk->offset;
    for (uint64_t rest = walk->size - walk->offset; rest >= 2 * DP_JOURNAL_RECORD_SIZE;
         rest -= DP_JOURNAL_RECORD_SIZE, place += DP_JOURNAL_RECORD_SIZE) {
        const struct dp_journal_record *before = (const void *)place;
        const struct dp_journal_record *found = before + 1;
        if (found->crc != 0 && fits(found, before->crc))
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
