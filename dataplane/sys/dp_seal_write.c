#include "dp_crc32c.h"
#include "dp_seal.h"
#include "dp_seal_columns.h"

#include <errno.h>
#include <unistd.h>
#include <zstd.h>

/* Higher levels gain less than a tenth on columns and cost several times as much. */
#define LEVEL 1
#define KINDS_MAX 31

struct writer {
    int fd;
    const uint8_t *segment;
    uint64_t record_count;
    uint64_t offset; /* bytes written */
    uint8_t *columns;
    uint8_t *packed;
    size_t packed_size; /* room */
    struct dp_seal_block *index;
    uint32_t block_count;
    ZSTD_CCtx *zstd;
};

static const struct dp_journal_record *record_at(const struct writer *writer, uint64_t index)
{
    return (const struct dp_journal_record *)(const void *)(writer->segment +
               DP_JOURNAL_HEADER_SIZE) +
        index;
}

static int put(struct writer *writer, const void *data, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        ssize_t count = write(writer->fd, (const uint8_t *)data + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        done += (uint64_t)count;
    }
    writer->offset += size;
    return 0;
}

/* ---- a block ---- */

static void note_number(struct dp_seal_block *block, uint32_t number)
{
    if (number == 0)
        return;
    if (block->number_min == 0 || number < block->number_min)
        block->number_min = number;
    if (number > block->number_max)
        block->number_max = number;
}

static void note(struct dp_seal_block *block, const struct dp_journal_record *record)
{
    if (record->time_ns < block->time_ns_min)
        block->time_ns_min = record->time_ns;
    if (record->time_ns > block->time_ns_max)
        block->time_ns_max = record->time_ns;
    block->kinds |= 1u << (record->kind < KINDS_MAX ? record->kind : KINDS_MAX);
    if (record->kind == DP_JOURNAL_EVENT) {
        note_number(block, record->event.user_ref_num);
        note_number(block, record->event.orig_user_ref_num);
    }
}

static int write_block(struct writer *writer, uint64_t first)
{
    const struct dp_journal_record *records = record_at(writer, first);
    const struct dp_journal_header *header = (const void *)writer->segment;
    uint64_t rest = writer->record_count - first;
    uint32_t count = rest < DP_SEAL_BLOCK_RECORDS ? (uint32_t)rest : DP_SEAL_BLOCK_RECORDS;
    dp_seal_split(records, count, writer->columns);
    size_t size = ZSTD_compressCCtx(writer->zstd, writer->packed, writer->packed_size,
        writer->columns, count * DP_SEAL_RECORD_BYTES, LEVEL);
    if (ZSTD_isError(size))
        return -EIO;
    struct dp_seal_block *block = &writer->index[writer->block_count++];
    *block = (struct dp_seal_block){
        .offset = writer->offset,
        .sequence_first = records->sequence,
        .time_ns_min = records->time_ns,
        .time_ns_max = records->time_ns,
        .size = (uint32_t)size,
        .record_count = count,
        .chain = first == 0 ? header->header_crc : (records - 1)->crc,
        .block_crc = dp_crc32c(0, writer->packed, size),
    };
    for (uint32_t index = 0; index < count; index++)
        note(block, &records[index]);
    dp_seal_tree_records(records, count, block->tree);
    return put(writer, writer->packed, size);
}

/* ---- index and trailer ---- */

static int fill_roots(const struct writer *writer, struct dp_seal_trailer *trailer)
{
    uint8_t(*hashes)[DP_SEAL_HASH_SIZE] = malloc(writer->block_count * sizeof(*hashes));
    uint8_t tree[DP_SEAL_HASH_SIZE];
    if (hashes == NULL)
        return -ENOMEM;
    for (uint32_t at = 0; at < writer->block_count; at++)
        memcpy(hashes[at], writer->index[at].tree, sizeof(*hashes));
    dp_seal_tree_nodes(hashes, writer->block_count, tree);
    free(hashes);
    dp_seal_tree_segment(writer->segment, writer->record_count, tree, trailer->root);
    dp_seal_tree_chain(trailer->previous, trailer->root, trailer->chained);
    return 0;
}

static int write_end(struct writer *writer, uint64_t size, const uint8_t *previous)
{
    const struct dp_journal_header *header = (const void *)writer->segment;
    size_t index_size = writer->block_count * sizeof(*writer->index);
    struct dp_seal_trailer trailer = {
        .magic = DP_SEAL_MAGIC,
        .format_version = DP_SEAL_FORMAT_VERSION,
        .codec = DP_SEAL_CODEC_ZSTD_COLUMNS,
        .hash = DP_SEAL_HASH_SHA256_TREE,
        .block_count = writer->block_count,
        .block_records = DP_SEAL_BLOCK_RECORDS,
        .chain = record_at(writer, writer->record_count - 1)->crc,
        .record_count = writer->record_count,
        .index_offset = writer->offset,
        .segment_index = header->segment_index,
        .segment_size = size,
    };
    memcpy(trailer.previous, previous, sizeof(trailer.previous));
    int status = fill_roots(writer, &trailer);
    if (status < 0)
        return status;
    uint32_t crc = dp_crc32c(0, writer->segment, DP_JOURNAL_HEADER_SIZE);
    crc = dp_crc32c(crc, writer->index, index_size);
    trailer.index_crc = dp_crc32c(crc, &trailer, sizeof(trailer));
    status = put(writer, writer->index, index_size);
    return status < 0 ? status : put(writer, &trailer, sizeof(trailer));
}

/* ---- the whole ---- */

/* Records of a segment that is whole and closed, the end record counted; 0 for any other. */
static uint64_t count_records(const uint8_t *segment, uint64_t size, struct dp_err *err)
{
    struct dp_journal_walk walk;
    const struct dp_journal_record *record = NULL;
    enum dp_journal_verdict verdict;
    if (dp_journal_header_check(segment, size, err) < 0)
        return 0;
    if (((const struct dp_journal_header *)(const void *)segment)->segment_size != size) {
        dp_err_set(err, EBADMSG, "seal: segment: its file is not as long as its header says");
        return 0;
    }
    if (size > DP_SEAL_SEGMENT_SIZE_MAX) {
        dp_err_set(err, EFBIG, "seal: segment: it has %llu bytes; at most %llu can be sealed",
            (unsigned long long)size, DP_SEAL_SEGMENT_SIZE_MAX);
        return 0;
    }
    dp_journal_walk_init(&walk, segment, size);
    do
        verdict = dp_journal_next(&walk, &record);
    while (verdict == DP_JOURNAL_OK);
    if (verdict == DP_JOURNAL_CLOSED)
        return (walk.offset - DP_JOURNAL_HEADER_SIZE) / sizeof(*record);
    dp_err_set(err, EBADMSG, "seal: segment: it is %s, not closed; see tickplane journal verify",
        dp_journal_verdict_name(verdict));
    return 0;
}

static bool allocate(struct writer *writer)
{
    uint64_t blocks = (writer->record_count - 1) / DP_SEAL_BLOCK_RECORDS + 1;
    size_t columns_size = DP_SEAL_BLOCK_RECORDS * DP_SEAL_RECORD_BYTES;
    writer->packed_size = ZSTD_compressBound(columns_size);
    writer->columns = malloc(columns_size);
    writer->packed = malloc(writer->packed_size);
    writer->index = calloc(blocks, sizeof(*writer->index));
    writer->zstd = ZSTD_createCCtx();
    return writer->columns != NULL && writer->packed != NULL && writer->index != NULL &&
        writer->zstd != NULL;
}

static int write_all(struct writer *writer, uint64_t size, const uint8_t *previous)
{
    int status = put(writer, writer->segment, DP_JOURNAL_HEADER_SIZE);
    for (uint64_t first = 0; first < writer->record_count && status == 0;
         first += DP_SEAL_BLOCK_RECORDS)
        status = write_block(writer, first);
    return status == 0 ? write_end(writer, size, previous) : status;
}

int dp_seal_write(int fd, const uint8_t *segment, uint64_t size,
    const uint8_t previous[DP_SEAL_HASH_SIZE], struct dp_err *err)
{
    struct writer writer = {.fd = fd, .segment = segment};
    writer.record_count = count_records(segment, size, err);
    if (writer.record_count == 0)
        return -err->code;
    int status = allocate(&writer) ? write_all(&writer, size, previous) : -ENOMEM;
    free(writer.columns);
    free(writer.packed);
    free(writer.index);
    ZSTD_freeCCtx(writer.zstd);
    if (status < 0)
        return dp_err_set(err, -status, "seal: cannot be written: %s", strerror(-status));
    return 0;
}
