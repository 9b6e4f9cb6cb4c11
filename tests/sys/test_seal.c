/* Sealed segments: the same bytes back, whatever they are; any change of the file is found. */
#include "check.h"
#include "dp_journal.h"
#include "dp_seal.h"
#include "dp_seal_columns.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (4u << 20) /* three blocks and a half */
#define RECORDS ((SIZE - DP_JOURNAL_HEADER_SIZE) / sizeof(struct dp_journal_record))

static uint8_t *segment;
static uint8_t *file;
static uint8_t room[DP_SEAL_BLOCK_SIZE];
static uint64_t file_size;
static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct dp_event event_of(uint32_t number)
{
    return (struct dp_event){
        .time_ns = 1000000 + (int64_t)number * 700 + (int64_t)(draw() % 500) - 250,
        .price_nanos = (int64_t)(draw() % 1000) * 1000000,
        .qty = draw() % 1000,
        .user_ref_num = number,
        .orig_user_ref_num = number % 7 == 0 ? number - 1 : 0,
        .kind = DP_EVENT_NEW,
        .side = DP_SIDE_BUY,
    };
}

/* A segment of so many events, closed. */
static void make(uint32_t count)
{
    struct dp_journal_segment writer;
    struct dp_err err;
    const struct dp_journal_header header = {
        .segment_index = 3, .sequence_first = 1000, .chain_previous = 77, .appliance = "test"};
    memset(segment, 0, SIZE);
    CHECK_EQUAL(dp_journal_segment_init(&writer, segment, SIZE, &header, &err), 0);
    for (uint32_t number = 1; number <= count; number++) {
        struct dp_event event = event_of(number);
        CHECK(dp_journal_append(&writer, &event));
    }
    dp_journal_close(&writer, DP_JOURNAL_END_ROLLED);
}

static int seal(struct dp_err *err)
{
    static const uint8_t previous[DP_SEAL_HASH_SIZE] = {9};
    FILE *out = tmpfile();
    int status = dp_seal_write(fileno(out), segment, SIZE, previous, err);
    file_size = (uint64_t)lseek(fileno(out), 0, SEEK_END);
    CHECK_EQUAL(pread(fileno(out), file, file_size, 0), file_size);
    fclose(out);
    return status;
}

static const struct dp_journal_record *records_of(const uint8_t *memory)
{
    return (const void *)(memory + DP_JOURNAL_HEADER_SIZE);
}

/* Opens the file and reads every block; false when it is not what was sealed. */
static bool reads_back(const uint8_t *memory, uint64_t size)
{
    struct dp_seal found;
    struct dp_err err;
    if (dp_seal_open(&found, memory, size, &err) < 0)
        return false;
    struct dp_journal_record *records = calloc(RECORDS, sizeof(*records));
    bool whole = true;
    for (uint32_t at = 0; at < found.trailer.block_count; at++)
        whole = dp_seal_read(&found, at, records + (size_t)at * DP_SEAL_BLOCK_RECORDS) && whole;
    whole = whole && dp_seal_tree_fits(&found, records) &&
        dp_seal_equals(&found, segment, SIZE, room) &&
        memcmp(records, records_of(segment), RECORDS * sizeof(*records)) == 0;
    free(records);
    dp_seal_close(&found);
    return whole;
}

static void test_any_bytes_come_back_from_columns(void)
{
    enum { COUNT = 200 };
    struct dp_journal_record records[COUNT];
    struct dp_journal_record back[COUNT];
    uint8_t columns[COUNT * DP_SEAL_RECORD_BYTES];
    for (uint32_t count = 1; count <= COUNT; count++) {
        for (size_t at = 0; at < sizeof(records); at++)
            ((uint8_t *)records)[at] = (uint8_t)(draw() >> (draw() % 50));
        dp_seal_split(records, count, columns);
        uint32_t chain = dp_seal_join(columns, count, 5, back);
        CHECK_EQUAL(chain, back[count - 1].crc);
        for (uint32_t at = 0; at < count; at++)
            CHECK_THAT(
                memcmp(&records[at], &back[at], offsetof(struct dp_journal_record, crc)) == 0,
                "record %u of %u", at, count);
    }
}

static void test_a_segment_comes_back_to_the_byte(void)
{
    const uint32_t counts[] = {1, 2, 8190, 8191, 8192, 16383, RECORDS - 1};
    for (size_t at = 0; at < sizeof(counts) / sizeof(counts[0]); at++) {
        struct dp_err err;
        make(counts[at]);
        CHECK_EQUAL(seal(&err), 0);
        CHECK_THAT(reads_back(file, file_size), "%u events", counts[at]);
    }
}

static void test_the_index_says_what_a_block_holds(void)
{
    struct dp_seal found;
    struct dp_err err;
    struct dp_seal_block block;
    make(20000);
    CHECK_EQUAL(seal(&err), 0);
    CHECK_EQUAL(dp_seal_open(&found, file, file_size, &err), 0);
    CHECK_EQUAL(found.trailer.block_count, 3);
    CHECK_EQUAL(found.trailer.record_count, 20001);
    dp_seal_block_at(&found, 1, &block);
    CHECK_EQUAL(block.sequence_first, 1000 + DP_SEAL_BLOCK_RECORDS);
    CHECK_EQUAL(block.number_min, DP_SEAL_BLOCK_RECORDS + 1);
    CHECK_EQUAL(block.number_max, 2 * DP_SEAL_BLOCK_RECORDS);
    CHECK_EQUAL(block.kinds, 1u << DP_JOURNAL_EVENT);
    CHECK(block.time_ns_min <= records_of(segment)[DP_SEAL_BLOCK_RECORDS].time_ns);
    dp_seal_block_at(&found, 2, &block);
    CHECK_EQUAL(block.kinds, 1u << DP_JOURNAL_EVENT | 1u << DP_JOURNAL_END);
    dp_seal_close(&found);
}

static void test_one_block_is_read_alone(void)
{
    struct dp_seal found;
    struct dp_err err;
    struct dp_journal_record *records = calloc(DP_SEAL_BLOCK_RECORDS, sizeof(*records));
    make(20000);
    CHECK_EQUAL(seal(&err), 0);
    CHECK_EQUAL(dp_seal_open(&found, file, file_size, &err), 0);
    CHECK(dp_seal_read(&found, 1, records));
    CHECK(memcmp(records, records_of(segment) + DP_SEAL_BLOCK_RECORDS, DP_SEAL_BLOCK_SIZE) == 0);
    dp_seal_close(&found);
    free(records);
}

static void test_another_segment_is_not_this_one(void)
{
    struct dp_seal found;
    struct dp_err err;
    make(9000);
    CHECK_EQUAL(seal(&err), 0);
    CHECK_EQUAL(dp_seal_open(&found, file, file_size, &err), 0);
    CHECK(dp_seal_equals(&found, segment, SIZE, room));
    CHECK(!dp_seal_equals(&found, segment, SIZE - 1, room));
    const uint64_t places[] = {0, 4095, 4096, 4096 + 8192 * 128, 4096 + 9001 * 128 - 1};
    for (size_t at = 0; at < sizeof(places) / sizeof(places[0]); at++) {
        segment[places[at]] ^= 1;
        CHECK_THAT(!dp_seal_equals(&found, segment, SIZE, room), "byte %llu",
            (unsigned long long)places[at]);
        segment[places[at]] ^= 1;
    }
    dp_seal_close(&found);
}

static void test_every_flipped_bit_is_found(void)
{
    struct dp_err err;
    make(300);
    CHECK_EQUAL(seal(&err), 0);
    for (uint64_t byte = 0; byte < file_size; byte++) {
        file[byte] ^= (uint8_t)(1 << byte % 8);
        CHECK_THAT(!reads_back(file, file_size), "byte %llu", (unsigned long long)byte);
        file[byte] ^= (uint8_t)(1 << byte % 8);
    }
    CHECK(reads_back(file, file_size));
}

static void test_every_shorter_file_is_refused(void)
{
    struct dp_err err;
    make(300);
    CHECK_EQUAL(seal(&err), 0);
    for (uint64_t size = 0; size < file_size; size++)
        CHECK_THAT(!reads_back(file, size), "%llu bytes", (unsigned long long)size);
}

static void test_only_a_closed_and_whole_segment_is_sealed(void)
{
    struct dp_err err;
    make(300);
    segment[DP_JOURNAL_HEADER_SIZE + 300 * 128 + 1] ^= 1;
    CHECK_EQUAL(seal(&err), -EBADMSG);
    CHECK_TEXT(err.text, "seal: segment: it is torn, not closed; see tickplane journal verify");
    memset(segment + DP_JOURNAL_HEADER_SIZE + 300 * 128, 0, 128);
    CHECK_EQUAL(seal(&err), -EBADMSG);
    CHECK_TEXT(
        err.text, "seal: segment: it is never_written, not closed; see tickplane journal verify");
}

static void test_the_tree_of_blocks_is_the_tree_of_records(void)
{
    uint8_t whole[DP_SEAL_HASH_SIZE];
    uint8_t root[DP_SEAL_HASH_SIZE];
    uint8_t parts[16][DP_SEAL_HASH_SIZE];
    make(600);
    for (uint32_t count = 1; count <= 64; count++) {
        uint32_t blocks = (count + 7) / 8;
        for (uint32_t at = 0; at < blocks; at++) {
            uint32_t rest = count - 8 * at;
            dp_seal_tree_records(
                records_of(segment) + 8 * (size_t)at, rest < 8 ? rest : 8, parts[at]);
        }
        dp_seal_tree_nodes(parts, blocks, root);
        dp_seal_tree_records(records_of(segment), count, whole);
        CHECK_THAT(memcmp(root, whole, sizeof(root)) == 0, "%u records", count);
    }
}

int main(void)
{
    segment = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    file = malloc(2 * SIZE);
    RUN_TESTS(TEST(test_any_bytes_come_back_from_columns),
        TEST(test_a_segment_comes_back_to_the_byte), TEST(test_the_index_says_what_a_block_holds),
        TEST(test_one_block_is_read_alone), TEST(test_another_segment_is_not_this_one),
        TEST(test_every_flipped_bit_is_found), TEST(test_every_shorter_file_is_refused),
        TEST(test_only_a_closed_and_whole_segment_is_sealed),
        TEST(test_the_tree_of_blocks_is_the_tree_of_records));
}
