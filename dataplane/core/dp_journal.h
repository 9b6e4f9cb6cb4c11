/*
 * dp_journal - the format of the write-ahead log, in memory: append, check, walk.
 *
 * Pure: it sees bytes, not files (sys/dp_wal maps the files). A segment is a header of one 4 KiB page and then records
 * of 128 bytes, each on a 64-byte boundary: 32 bytes of record header, 96 bytes of struct dp_event. A record carries a
 * CRC-32C over its other bytes and the CRC of the record before it, so that a lost, swapped or altered record
 * breaks the chain. A closed segment ends in an end record; space never written is zero. docs/journal.md tells an
 * outsider how to read one.
 *
 * One thread appends. The record is in the mapped page when the call returns: it survives the death of the process.
 */
#ifndef DP_JOURNAL_H
#define DP_JOURNAL_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"

#define DP_JOURNAL_MAGIC 0x004c4e4a504b4354ull /* "TCKPJNL\0" as bytes */
#define DP_JOURNAL_FORMAT_VERSION 1
#define DP_JOURNAL_HEADER_SIZE 4096

enum dp_journal_kind { DP_JOURNAL_EVENT = 1, DP_JOURNAL_END = 2 };

struct dp_journal_header {
    uint64_t magic;
    uint32_t format_version;
    uint32_t header_size;   /* bytes before the first record */
    uint32_t record_size;   /* bytes of one record */
    uint32_t event_schema;  /* layout version of struct dp_event */
    uint64_t segment_index; /* 0, 1, 2 ... within the journal */
    uint64_t segment_size;  /* bytes of the file */
    uint64_t sequence_first; /* of the first record of this segment */
    uint64_t generation;    /* of the run that wrote it */
    uint64_t epoch;         /* fencing epoch of the writer (standby): 0 until there is one */
    int64_t created_ns;
    uint32_t chain_first;   /* chain value before the first record: the last CRC of the segment before */
    uint32_t header_crc;    /* CRC-32C of the header page with this field 0 */
    char appliance[64];     /* name from the configuration, NUL-terminated */
};

struct dp_journal_record {
    uint32_t crc;         /* CRC-32C of the other 124 bytes */
    uint32_t chain;       /* crc of the record before; chain_first for the first */
    uint64_t sequence;    /* 1 for the first record of the journal, then +1 */
    int64_t time_ns;      /* same as event.time_ns */
    uint16_t kind;        /* enum dp_journal_kind */
    uint8_t schema;       /* layout version of the payload */
    uint8_t clock;        /* where time_ns came from: 0 replay, 1 kernel, 2 hardware */
    uint32_t reserved;
    struct dp_event event;
};

static_assert(sizeof(struct dp_journal_record) == 128, "docs/journal.md states this layout");

struct dp_journal_segment {
    uint8_t *memory; /* the mapped file, header first */
    uint64_t size;
    uint64_t used;          /* bytes from the start */
    uint64_t sequence_next;
    uint32_t chain;
};

/* What a walk over a segment's bytes found. */
enum dp_journal_verdict {
    DP_JOURNAL_OK = 0,      /* a whole record */
    DP_JOURNAL_CLOSED,      /* the end record: nothing may follow */
    DP_JOURNAL_NEVER_WRITTEN, /* zero bytes to the end of the segment: the writer stopped here */
    DP_JOURNAL_TORN,        /* a record that was being written: bad, and only zeros behind it */
    DP_JOURNAL_CORRUPT,     /* bad, and something was written behind it */
};

uint32_t dp_crc32c(uint32_t crc, const void *data, size_t size); /* start with 0; hardware when the CPU has it */

int dp_journal_segment_init(struct dp_journal_segment *segment, uint8_t *memory, uint64_t size,
    const struct dp_journal_header *header, struct dp_err *err);
/* False when the segment has no room (one slot is kept for the end record): nothing was written then. */
bool dp_journal_append(struct dp_journal_segment *segment, const struct dp_event *event);
void dp_journal_close(struct dp_journal_segment *segment); /* writes the end record */

int dp_journal_header_check(const uint8_t *memory, uint64_t size, struct dp_err *err);
/* Looks at the record at *offset; on OK or CLOSED advances *offset, *sequence and *chain past it. */
enum dp_journal_verdict dp_journal_next(const uint8_t *memory, uint64_t size, uint64_t *offset,
    uint64_t *sequence, uint32_t *chain, const struct dp_journal_record **record);

#endif
