#include "dp_seal_columns.h"

#include "dp_journal_bytes.h"

#define TILE 64 /* records at a time: 8 KiB stay in the first cache for all columns */

struct column {
    uint8_t offset; /* in the record */
    uint8_t width;  /* bytes: 1, 2, 4 or 8 */
    bool grows;     /* kept as differences */
};

/* Order and contents are the format: docs/journal.md. */
static const struct column columns_of_record[] = {
    {0, 8, true},    /* time_ns */
    {8, 8, false},   /* venue_order_id */
    {16, 8, false},  /* exec_id, request_key */
    {24, 8, true},   /* price_nanos */
    {32, 8, false},  /* qty */
    {40, 8, false},  /* observed */
    {48, 8, false},  /* limit */
    {56, 4, true},   /* user_ref_num */
    {60, 4, false},  /* orig_user_ref_num */
    {64, 4, false},  /* instrument_index */
    {68, 2, false},  /* strategy_index */
    {70, 2, false},  /* reason */
    {72, 1, false},  /* kind of event */
    {73, 1, false},  /* side */
    {74, 1, false},  /* time_in_force */
    {75, 1, false},  /* liquidity */
    {76, 1, false},  /* ord_status */
    {77, 1, false},  /* order_state */
    {78, 2, false},  /* policy_version */
    {80, 8, false},  /* leaves_qty */
    {88, 8, false},  /* cum_qty */
    {96, 8, true},   /* sequence */
    {104, 8, false}, /* inbound_sequence */
    {112, 8, true},  /* durable_sequence */
    {120, 1, false}, /* kind of record */
    {121, 1, false}, /* schema */
    {122, 1, false}, /* clock */
    {123, 1, false}, /* session */
};

#define COLUMN_COUNT (sizeof(columns_of_record) / sizeof(columns_of_record[0]))

/* Small differences either way become small numbers: 0, -1, 1, -2 ... are 0, 1, 2, 3 ... */
static inline uint64_t zigzag(uint64_t difference, uint32_t bits)
{
    uint64_t sign = difference >> (bits - 1) & 1;
    return (difference << 1 ^ (0 - sign)) & (UINT64_MAX >> (64 - bits));
}

static inline uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

static inline uint64_t load(const uint8_t *place, uint32_t width)
{
    uint64_t value = 0;
    memcpy(&value, place, width);
    return value;
}

/* One column of records [first, stop), of `count` in all; inlined with a constant width. */
static inline __attribute__((always_inline)) void split_column(const uint8_t *records,
    uint32_t first, uint32_t stop, uint32_t count, uint8_t *planes, uint32_t width, bool grows)
{
    const uint8_t *place = records + first * DP_JOURNAL_RECORD_SIZE;
    uint64_t before = grows && first > 0 ? load(place - DP_JOURNAL_RECORD_SIZE, width) : 0;
    for (uint32_t index = first; index < stop; index++, place += DP_JOURNAL_RECORD_SIZE) {
        uint64_t value = load(place, width);
        uint64_t stored = grows ? zigzag(value - before, 8 * width) : value;
        before = value;
        for (uint32_t byte = 0; byte < width; byte++)
            planes[(size_t)byte * count + index] = (uint8_t)(stored >> (8 * byte));
    }
}

static void split_tile(
    const uint8_t *records, uint32_t first, uint32_t stop, uint32_t count, uint8_t *columns)
{
    for (size_t at = 0; at < COLUMN_COUNT; at++) {
        const struct column *column = &columns_of_record[at];
        const uint8_t *field = records + column->offset;
        switch (column->width) {
        case 1: split_column(field, first, stop, count, columns, 1, false); break;
        case 2: split_column(field, first, stop, count, columns, 2, false); break;
        case 4: split_column(field, first, stop, count, columns, 4, column->grows); break;
        default: split_column(field, first, stop, count, columns, 8, column->grows); break;
        }
        columns += (size_t)column->width * count;
    }
}

void dp_seal_split(const struct dp_journal_record *records, uint32_t count, uint8_t *columns)
{
    for (uint32_t first = 0; first < count; first += TILE) {
        uint32_t stop = count - first < TILE ? count : first + TILE;
        split_tile((const uint8_t *)records, first, stop, count, columns);
    }
}

static inline __attribute__((always_inline)) void join_column(const uint8_t *planes, uint32_t first,
    uint32_t stop, uint32_t count, uint8_t *records, uint32_t width, bool grows)
{
    uint8_t *place = records + first * DP_JOURNAL_RECORD_SIZE;
    uint64_t before = grows && first > 0 ? load(place - DP_JOURNAL_RECORD_SIZE, width) : 0;
    for (uint32_t index = first; index < stop; index++, place += DP_JOURNAL_RECORD_SIZE) {
        uint64_t stored = 0;
        for (uint32_t byte = 0; byte < width; byte++)
            stored |= (uint64_t)planes[(size_t)byte * count + index] << (8 * byte);
        before = grows ? before + unzigzag(stored) : stored;
        memcpy(place, &before, width);
    }
}

static void join_tile(
    const uint8_t *columns, uint32_t first, uint32_t stop, uint32_t count, uint8_t *records)
{
    for (size_t at = 0; at < COLUMN_COUNT; at++) {
        const struct column *column = &columns_of_record[at];
        uint8_t *field = records + column->offset;
        switch (column->width) {
        case 1: join_column(columns, first, stop, count, field, 1, false); break;
        case 2: join_column(columns, first, stop, count, field, 2, false); break;
        case 4: join_column(columns, first, stop, count, field, 4, column->grows); break;
        default: join_column(columns, first, stop, count, field, 8, column->grows); break;
        }
        columns += (size_t)column->width * count;
    }
}

static uint32_t chain_record(struct dp_journal_record *record, uint32_t chain)
{
    uint64_t trailer[DP_CRC32C_TRAILER_WORDS];
    record->crc = chain;
    memcpy(trailer, &record->sequence, sizeof(trailer));
    record->crc = dp_journal_stored_crc(dp_crc32c_record(record, trailer));
    return record->crc;
}

uint32_t dp_seal_join(
    const uint8_t *columns, uint32_t count, uint32_t chain, struct dp_journal_record *records)
{
    for (uint32_t first = 0; first < count; first += TILE) {
        uint32_t stop = count - first < TILE ? count : first + TILE;
        join_tile(columns, first, stop, count, (uint8_t *)records);
        for (uint32_t index = first; index < stop; index++)
            chain = chain_record(&records[index], chain);
    }
    return chain;
}
