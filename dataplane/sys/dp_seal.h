/*
 * dp_seal - a closed segment of the journal in a fraction of its size, to the byte the same.
 *
 * A sealed file is the segment's header page as it was; blocks of 8,192 records, each turned into
 * columns (core/dp_seal_columns) and compressed with zstd; an index with one entry a block; a
 * trailer. The index leads to a record by number or time without touching the blocks before it.
 * Index, trailer and header have a CRC, every block one of its own; the crcs of the records are
 * computed when they are read and must lead from each block to the next; and the trailer holds a
 * SHA-256 over everything, chained to that of the segment before. docs/journal.md has the format.
 *
 * Writing and reading see memory and a descriptor: who names, flushes and renames files is
 * dataplane/sealing.py. Any thread; one call at a time on one dp_seal.
 */
#ifndef DP_SEAL_H
#define DP_SEAL_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_journal.h"
#include "dp_seal_tree.h"

#define DP_SEAL_MAGIC 0x4c414553504b4354ull /* "TCKPSEAL" as bytes */
#define DP_SEAL_FORMAT_VERSION 1
#define DP_SEAL_CODEC_ZSTD_COLUMNS 1
#define DP_SEAL_HASH_SHA256_TREE 1
#define DP_SEAL_BLOCK_RECORDS 8192            /* a power of two: see dp_seal_tree.h */
#define DP_SEAL_SEGMENT_SIZE_MAX (4ull << 30) /* a reader makes room for it */
#define DP_SEAL_BLOCK_SIZE (DP_SEAL_BLOCK_RECORDS * sizeof(struct dp_journal_record))

/* One entry of the index. */
struct dp_seal_block {
    uint64_t offset; /* in the file */
    uint64_t sequence_first;
    int64_t time_ns_min;
    int64_t time_ns_max;
    uint32_t size;         /* bytes in the file */
    uint32_t record_count; /* DP_SEAL_BLOCK_RECORDS but in the last block */
    uint32_t chain;        /* crc of the record before */
    uint32_t block_crc;    /* CRC-32C of the bytes in the file */
    uint32_t number_min;   /* of the orders that its events name; 0 for none */
    uint32_t number_max;
    uint32_t kinds; /* bit k: a record of kind k is there; bit 31: one of 31 or more */
    uint32_t reserved;
    uint8_t tree[DP_SEAL_HASH_SIZE]; /* of its records */
};

/* The last bytes of the file. */
struct dp_seal_trailer {
    uint64_t magic;
    uint32_t format_version;
    uint32_t codec; /* DP_SEAL_CODEC_... */
    uint32_t hash;  /* DP_SEAL_HASH_... */
    uint32_t block_count;
    uint32_t block_records;
    uint32_t chain; /* crc of the last record */
    uint64_t record_count;
    uint64_t index_offset;
    uint64_t segment_index;
    uint64_t segment_size;               /* bytes of the segment: what it lacks here is zero */
    uint8_t root[DP_SEAL_HASH_SIZE];     /* of the segment */
    uint8_t previous[DP_SEAL_HASH_SIZE]; /* `chained` of the segment before; 0 in the first */
    uint8_t chained[DP_SEAL_HASH_SIZE];  /* of the journal up to here */
    uint8_t reserved[28];                /* 0 */
    uint32_t index_crc; /* CRC-32C of header page, index and trailer, this field 0 */
};

static_assert(sizeof(struct dp_seal_block) == 96, "docs/journal.md states this layout");
static_assert(sizeof(struct dp_seal_trailer) == 192, "docs/journal.md states this layout");

/* ---- writing ---- */

/* Writes a closed segment to an empty file, in blocks of less than a megabyte. previous: `chained`
 * of the segment before, zeros for the first. EBADMSG when the segment is not whole and closed. */
int dp_seal_write(int fd, const uint8_t *segment, uint64_t size,
    const uint8_t previous[DP_SEAL_HASH_SIZE], struct dp_err *err);

/* ---- reading ---- */

/* A sealed file in memory, which must outlive it. */
struct dp_seal {
    const uint8_t *memory;
    uint64_t size;
    struct dp_seal_trailer trailer;
    uint8_t *columns; /* of one block */
};

/* 0 when header, index and trailer are whole; else -errno and why (EPROTO: of another format). */
int dp_seal_open(struct dp_seal *seal, const uint8_t *memory, uint64_t size, struct dp_err *err);
void dp_seal_close(struct dp_seal *seal); /* closing twice is fine */
void dp_seal_block_at(const struct dp_seal *seal, uint32_t index, struct dp_seal_block *block);
/* Fills in the block's records; false when its bytes are not those that were sealed.
 * records: room for block->record_count, which is at most DP_SEAL_BLOCK_RECORDS. */
bool dp_seal_read(struct dp_seal *seal, uint32_t index, struct dp_journal_record *records);
/* Whether it is that segment: the header and every record, all of them read here. Behind them a
 * whole segment has zeros only. room: DP_SEAL_BLOCK_SIZE bytes. */
bool dp_seal_equals(struct dp_seal *seal, const uint8_t *segment, uint64_t size, uint8_t *room);
/* Whether the hashes of the index and the trailer are those of the records, all of them read by
 * the caller into `records`. */
bool dp_seal_tree_fits(const struct dp_seal *seal, const struct dp_journal_record *records);

#endif
