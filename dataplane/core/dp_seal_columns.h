/*
 * dp_seal_columns - records of the journal as columns, for a compressor, and back.
 *
 * A record is cut into the fields of an event and of the trailer. Each field of all records is a
 * column: the ones that grow (time, numbers, prices) as zigzag differences from the record before,
 * the others as they are; then byte by byte, all lowest bytes first. The crc is left out: it
 * follows from the record and the crc before it, so joining gives it back, and one wrong byte
 * anywhere makes the last crc another one. Whatever the records hold, also kinds that are no
 * events, comes back to the byte. docs/journal.md has the table of columns.
 *
 * Pure functions; any thread.
 */
#ifndef DP_SEAL_COLUMNS_H
#define DP_SEAL_COLUMNS_H

#include "dp_base.h"
#include "dp_journal.h"

/* Bytes of one record in columns: all but the crc. */
#define DP_SEAL_RECORD_BYTES (sizeof(struct dp_journal_record) - sizeof(uint32_t))

/* columns: count * DP_SEAL_RECORD_BYTES bytes. */
void dp_seal_split(const struct dp_journal_record *records, uint32_t count, uint8_t *columns);
/* The same records; chain: the crc of the record before the first. Returns the crc of the last. */
uint32_t dp_seal_join(
    const uint8_t *columns, uint32_t count, uint32_t chain, struct dp_journal_record *records);

#endif
