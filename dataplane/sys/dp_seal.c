#include "dp_seal.h"

#include "dp_crc32c.h"
#include "dp_seal_columns.h"

#include <errno.h>
#include <zstd.h>

/* ---- opening ---- */

static int changed(struct dp_err *err, const char *what)
{
    return dp_err_set(err, EBADMSG, "seal: %s", what);
}

/* Sizes that a file of `size` bytes can have; what follows relies on them. */
static bool sizes_fit(const struct dp_seal_trailer *trailer, uint64_t size)
{
    uint64_t index_size = trailer->block_count * sizeof(struct dp_seal_block);
    uint64_t blocks = (trailer->record_count + DP_SEAL_BLOCK_RECORDS - 1) / DP_SEAL_BLOCK_RECORDS;
    return trailer->index_offset >= DP_JOURNAL_HEADER_SIZE && trailer->index_offset <= size &&
        size - trailer->index_offset == index_size + sizeof(*trailer) &&
        trailer->record_count > 0 && trailer->block_count == blocks &&
        trailer->segment_size <= DP_SEAL_SEGMENT_SIZE_MAX &&
        trailer->segment_size >= DP_JOURNAL_HEADER_SIZE &&
        (trailer->segment_size - DP_JOURNAL_HEADER_SIZE) / sizeof(struct dp_journal_record) >=
        trailer->record_count;
}

static uint32_t sum(const uint8_t *memory, const struct dp_seal_trailer *trailer)
{
    struct dp_seal_trailer copy = *trailer;
    copy.index_crc = 0;
    uint32_t crc = dp_crc32c(0, memory, DP_JOURNAL_HEADER_SIZE);
    crc = dp_crc32c(
        crc, memory + trailer->index_offset, trailer->block_count * sizeof(struct dp_seal_block));
    return dp_crc32c(crc, &copy, sizeof(copy));
}

static int check_trailer(const struct dp_seal *seal, struct dp_err *err)
{
    const struct dp_seal_trailer *trailer = &seal->trailer;
    if (trailer->magic != DP_SEAL_MAGIC)
        return changed(err, "trailer: not a sealed segment, or its end is missing");
    if (trailer->format_version != DP_SEAL_FORMAT_VERSION ||
        trailer->codec != DP_SEAL_CODEC_ZSTD_COLUMNS || trailer->hash != DP_SEAL_HASH_SHA256_TREE ||
        trailer->block_records != DP_SEAL_BLOCK_RECORDS)
        return dp_err_set(err, EPROTO,
            "seal: trailer: format %u with codec %u, hash %u, blocks of %u; this build reads "
            "1 with 1, 1, %u",
            trailer->format_version, trailer->codec, trailer->hash, trailer->block_records,
            DP_SEAL_BLOCK_RECORDS);
    if (!sizes_fit(trailer, seal->size))
        return changed(err, "trailer: sizes that do not fit the file");
    if (sum(seal->memory, trailer) != trailer->index_crc)
        return changed(err, "index: its CRC does not fit its bytes");
    return 0;
}

static bool blocks_fit(const struct dp_seal *seal)
{
    uint64_t rest = seal->trailer.record_count;
    for (uint32_t at = 0; at < seal->trailer.block_count; at++) {
        struct dp_seal_block block;
        dp_seal_block_at(seal, at, &block);
        uint64_t count = rest < DP_SEAL_BLOCK_RECORDS ? rest : DP_SEAL_BLOCK_RECORDS;
        if (block.record_count != count || block.offset < DP_JOURNAL_HEADER_SIZE ||
            block.offset > seal->trailer.index_offset ||
            block.size > seal->trailer.index_offset - block.offset)
            return false;
        rest -= count;
    }
    return true;
}

static int check(const struct dp_seal *seal, struct dp_err *err)
{
    int status = check_trailer(seal, err);
    if (status == 0)
        status = dp_journal_header_check(seal->memory, seal->size, err);
    if (status < 0)
        return status;
    const struct dp_journal_header *header = (const void *)seal->memory;
    if (header->segment_index != seal->trailer.segment_index ||
        header->segment_size != seal->trailer.segment_size)
        return changed(err, "trailer: of another segment than the header");
    return blocks_fit(seal) ? 0 : changed(err, "index: blocks that do not fit the file");
}

int dp_seal_open(struct dp_seal *seal, const uint8_t *memory, uint64_t size, struct dp_err *err)
{
    *seal = (struct dp_seal){.memory = memory, .size = size};
    if (size < DP_JOURNAL_HEADER_SIZE + sizeof(seal->trailer))
        return changed(err, "trailer: the file is too short for one");
    memcpy(&seal->trailer, memory + size - sizeof(seal->trailer), sizeof(seal->trailer));
    int status = check(seal, err);
    if (status < 0)
        return status;
    seal->columns = malloc(DP_SEAL_BLOCK_RECORDS * DP_SEAL_RECORD_BYTES);
    return seal->columns != NULL ? 0 : dp_err_set(err, ENOMEM, "seal: no memory for a block");
}

void dp_seal_close(struct dp_seal *seal)
{
    free(seal->columns);
    seal->columns = NULL;
}

/* ---- blocks ---- */

void dp_seal_block_at(const struct dp_seal *seal, uint32_t index, struct dp_seal_block *block)
{
    DP_ASSERT(index < seal->trailer.block_count);
    memcpy(
        block, seal->memory + seal->trailer.index_offset + index * sizeof(*block), sizeof(*block));
}

/* The crc that the block's last record must have. */
static uint32_t chain_behind(const struct dp_seal *seal, uint32_t index)
{
    struct dp_seal_block next;
    if (index + 1 == seal->trailer.block_count)
        return seal->trailer.chain;
    dp_seal_block_at(seal, index + 1, &next);
    return next.chain;
}

bool dp_seal_read(struct dp_seal *seal, uint32_t index, struct dp_journal_record *records)
{
    struct dp_seal_block block;
    dp_seal_block_at(seal, index, &block);
    const uint8_t *packed = seal->memory + block.offset;
    size_t size = block.record_count * DP_SEAL_RECORD_BYTES;
    if (dp_crc32c(0, packed, block.size) != block.block_crc ||
        ZSTD_decompress(seal->columns, size, packed, block.size) != size)
        return false;
    return dp_seal_join(seal->columns, block.record_count, block.chain, records) ==
        chain_behind(seal, index);
}

bool dp_seal_equals(struct dp_seal *seal, const uint8_t *segment, uint64_t size, uint8_t *room)
{
    if (size != seal->trailer.segment_size ||
        memcmp(segment, seal->memory, DP_JOURNAL_HEADER_SIZE) != 0)
        return false;
    const uint8_t *place = segment + DP_JOURNAL_HEADER_SIZE;
    for (uint32_t at = 0; at < seal->trailer.block_count; at++, place += DP_SEAL_BLOCK_SIZE) {
        struct dp_seal_block block;
        dp_seal_block_at(seal, at, &block);
        if (!dp_seal_read(seal, at, (struct dp_journal_record *)(void *)room) ||
            memcmp(room, place, block.record_count * sizeof(struct dp_journal_record)) != 0)
            return false;
    }
    return true;
}

/* ---- hashes ---- */

static bool roots_fit(const struct dp_seal *seal, uint8_t (*hashes)[DP_SEAL_HASH_SIZE],
    const struct dp_journal_record *records)
{
    const struct dp_seal_trailer *trailer = &seal->trailer;
    uint8_t tree[DP_SEAL_HASH_SIZE];
    for (uint32_t at = 0; at < trailer->block_count; at++) {
        struct dp_seal_block block;
        dp_seal_block_at(seal, at, &block);
        dp_seal_tree_records(
            records + (size_t)at * DP_SEAL_BLOCK_RECORDS, block.record_count, hashes[at]);
        if (memcmp(hashes[at], block.tree, sizeof(block.tree)) != 0)
            return false;
    }
    dp_seal_tree_nodes(hashes, trailer->block_count, tree);
    uint8_t root[DP_SEAL_HASH_SIZE];
    uint8_t chained[DP_SEAL_HASH_SIZE];
    dp_seal_tree_segment(seal->memory, trailer->record_count, tree, root);
    dp_seal_tree_chain(trailer->previous, trailer->root, chained);
    return memcmp(root, trailer->root, sizeof(root)) == 0 &&
        memcmp(chained, trailer->chained, sizeof(chained)) == 0;
}

bool dp_seal_tree_fits(const struct dp_seal *seal, const struct dp_journal_record *records)
{
    uint8_t(*hashes)[DP_SEAL_HASH_SIZE] = malloc(seal->trailer.block_count * sizeof(*hashes));
    bool fits = hashes != NULL && roots_fit(seal, hashes, records);
    free(hashes);
    return fits;
}
