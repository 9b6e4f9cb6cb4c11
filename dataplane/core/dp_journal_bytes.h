/*
 * dp_journal_bytes - what writer and reader of the journal's format share. Not for anybody else.
 */
#ifndef DP_JOURNAL_BYTES_H
#define DP_JOURNAL_BYTES_H

#include "dp_crc32c.h"
#include "dp_journal.h"

#define DP_JOURNAL_RECORD_SIZE sizeof(struct dp_journal_record)
#define DP_JOURNAL_PAYLOAD_SIZE offsetof(struct dp_journal_record, sequence)

/* 0 means "not written", so the one sum in 2^32 that is 0 is stored as all ones. */
static inline uint32_t dp_journal_stored_crc(uint32_t crc)
{
    return crc != 0 ? crc : UINT32_MAX;
}

/* Of a header page, its own field taken as 0. */
static inline uint32_t dp_journal_header_crc(const uint8_t *memory)
{
    const uint32_t zero = 0;
    size_t before = offsetof(struct dp_journal_header, header_crc);
    size_t behind = before + sizeof(zero);
    uint32_t crc = dp_crc32c(dp_crc32c(0, memory, before), &zero, sizeof(zero));
    return dp_journal_stored_crc(dp_crc32c(crc, memory + behind, DP_JOURNAL_HEADER_SIZE - behind));
}

#endif
