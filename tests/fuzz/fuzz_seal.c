/* Any bytes as a sealed segment whose sums fit: it is refused, or read without a byte beside it. */
#include "dp_crc32c.h"
#include "dp_seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEGMENT_SIZE DP_JOURNAL_SEGMENT_SIZE_MIN

static void put_header(uint8_t *page)
{
    static uint8_t segment[SEGMENT_SIZE];
    static bool made;
    struct dp_journal_segment writer;
    struct dp_err err;
    const struct dp_journal_header header = {.segment_index = 1, .sequence_first = 1};
    if (!made)
        made = dp_journal_segment_init(&writer, segment, sizeof(segment), &header, &err) == 0;
    DP_ASSERT(made);
    memcpy(page, segment, DP_JOURNAL_HEADER_SIZE);
}

/* Makes the file's end one that the reader must look at, and not only its sum. */
static void put_sums(uint8_t *file, size_t size)
{
    struct dp_seal_trailer trailer;
    memcpy(&trailer, file + size - sizeof(trailer), sizeof(trailer));
    trailer.magic = DP_SEAL_MAGIC;
    trailer.format_version = DP_SEAL_FORMAT_VERSION;
    trailer.codec = DP_SEAL_CODEC_ZSTD_COLUMNS;
    trailer.hash = DP_SEAL_HASH_SHA256_TREE;
    trailer.block_records = DP_SEAL_BLOCK_RECORDS;
    trailer.segment_index = 1;
    trailer.segment_size = SEGMENT_SIZE;
    size_t room = size - DP_JOURNAL_HEADER_SIZE - sizeof(trailer);
    trailer.block_count = room / sizeof(struct dp_seal_block) > 0 ? 1 : 0;
    trailer.record_count %= DP_SEAL_BLOCK_RECORDS;
    trailer.index_offset =
        size - sizeof(trailer) - trailer.block_count * sizeof(struct dp_seal_block);
    trailer.index_crc = 0;
    uint32_t crc = dp_crc32c(0, file, DP_JOURNAL_HEADER_SIZE);
    crc = dp_crc32c(
        crc, file + trailer.index_offset, trailer.block_count * sizeof(struct dp_seal_block));
    trailer.index_crc = dp_crc32c(crc, &trailer, sizeof(trailer));
    memcpy(file + size - sizeof(trailer), &trailer, sizeof(trailer));
}

/* The block's own sum, where its place is one that a file can have. */
static void put_block_sum(uint8_t *file, size_t size)
{
    struct dp_seal_block block;
    size_t at = size - sizeof(struct dp_seal_trailer) - sizeof(block);
    memcpy(&block, file + at, sizeof(block));
    block.offset = DP_JOURNAL_HEADER_SIZE + block.offset % (at - DP_JOURNAL_HEADER_SIZE + 1);
    block.size %= (uint32_t)(at - block.offset + 1);
    block.block_crc = dp_crc32c(0, file + block.offset, block.size);
    memcpy(file + at, &block, sizeof(block));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t body_size = size + sizeof(struct dp_seal_trailer) + sizeof(struct dp_seal_block);
    size_t file_size = DP_JOURNAL_HEADER_SIZE + body_size;
    uint8_t *file = malloc(file_size);
    struct dp_journal_record *records = malloc(DP_SEAL_BLOCK_SIZE);
    struct dp_seal seal;
    struct dp_err err;
    DP_ASSERT(file != NULL && records != NULL);
    put_header(file);
    for (size_t at = 0; at < body_size; at++) /* over again, so that a short input has an end */
        file[DP_JOURNAL_HEADER_SIZE + at] = data[at % size];
    if (data[0] % 2 == 0)
        put_block_sum(file, file_size);
    if (data[0] % 4 < 3)
        put_sums(file, file_size);
    if (dp_seal_open(&seal, file, file_size, &err) == 0) {
        for (uint32_t at = 0; at < seal.trailer.block_count; at++)
            dp_seal_read(&seal, at, records);
        dp_seal_close(&seal);
    }
    free(records);
    free(file);
    return 0;
}
