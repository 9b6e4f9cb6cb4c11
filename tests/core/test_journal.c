#include <errno.h>

#include "check.h"
#include "dp_crc32c.h"
#include "dp_journal.h"

#define SIZE DP_JOURNAL_SEGMENT_SIZE_MIN
#define SLOTS ((SIZE - DP_JOURNAL_HEADER_SIZE) / sizeof(struct dp_journal_record))
#define RECORD_SIZE ((uint32_t)sizeof(struct dp_journal_record))

static uint8_t memory[SIZE] __attribute__((aligned(4096)));
static struct dp_journal_segment segment;
static struct dp_err err;

static struct dp_event event_of(uint32_t number)
{
    return (struct dp_event){
        .time_ns = 1000 + number,
        .kind = DP_EVENT_NEW,
        .side = DP_SIDE_BUY,
        .qty = 100 * number,
        .price_nanos = 10000000000 + number,
        .user_ref_num = number,
        .time_in_force = DP_TIF_DAY,
        .ord_status = DP_ORD_PENDING_NEW,
        .leaves_qty = UINT64_MAX,
        .cum_qty = UINT64_MAX,
    };
}

static void make(uint32_t record_count)
{
    memset(memory, 0, SIZE);
    struct dp_journal_header header = {.generation = 5, .sequence_first = 1, .appliance = "test"};
    CHECK_EQUAL(dp_journal_segment_init(&segment, memory, SIZE, &header, &err), 0);
    for (uint32_t number = 1; number <= record_count; number++) {
        struct dp_event event = event_of(number);
        CHECK(dp_journal_append(&segment, &event));
    }
}

/* How many good records, and what ended the walk. */
static enum dp_journal_verdict walk(const uint8_t *bytes, uint64_t size, uint32_t *count)
{
    struct dp_journal_walk place;
    const struct dp_journal_record *record = NULL;
    dp_journal_walk_init(&place, bytes, size);
    enum dp_journal_verdict verdict;
    *count = 0;
    while ((verdict = dp_journal_next(&place, &record)) == DP_JOURNAL_OK)
        (*count)++;
    return verdict;
}

static void expect(const char *what, uint32_t expected_count, enum dp_journal_verdict expected)
{
    uint32_t count = 0;
    enum dp_journal_verdict verdict = walk(memory, SIZE, &count);
    CHECK_THAT(verdict == expected && count == expected_count,
        "%s: %s after %u records, not %s after %u", what, dp_journal_verdict_name(verdict), count,
        dp_journal_verdict_name(expected), expected_count);
}

static uint8_t *slot(uint32_t index)
{
    return memory + DP_JOURNAL_HEADER_SIZE + index * RECORD_SIZE;
}

static void test_crc32c_known_answers(void)
{
    static const uint8_t zeros[32];
    CHECK_EQUAL(dp_crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_EQUAL(dp_crc32c(0, zeros, sizeof(zeros)), 0x8a9136aa); /* RFC 3720, B.4 */
    CHECK_EQUAL(dp_crc32c(dp_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void test_hardware_and_table_crc_agree(void)
{
    uint8_t data[200];
    uint64_t random = 42;
    for (size_t index = 0; index < sizeof(data); index++)
        data[index] = (uint8_t)check_random(&random);
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; size + start <= sizeof(data); size++)
            CHECK_EQUAL(
                dp_crc32c(7, data + start, size), dp_crc32c_portable(7, data + start, size));
}

/* Lanes and multiplications give the CRC that anybody's function gives of the same 128 bytes. */
static void test_a_records_crc_is_the_plain_one(void)
{
    uint64_t random = 7;
    for (uint32_t round = 0; round < 1000; round++) {
        uint64_t words[16];
        for (uint32_t index = 0; index < 16; index++)
            words[index] = round == 0 ? 0 : check_random(&random);
        CHECK_EQUAL(dp_crc32c_record(words, words + 12), dp_crc32c_portable(0, words, 128));
    }
}

static void test_what_was_appended_is_read_back(void)
{
    make(3);
    CHECK(dp_journal_append_instrument(&segment, 9, "AAPL    ", 1234));
    dp_journal_close(&segment, DP_JOURNAL_END_FINAL);
    CHECK_EQUAL(dp_journal_header_check(memory, SIZE, &err), 0);

    struct dp_journal_walk place;
    const struct dp_journal_record *record = NULL;
    dp_journal_walk_init(&place, memory, SIZE);
    for (uint32_t number = 1; number <= 3; number++) {
        struct dp_event event = event_of(number);
        CHECK_EQUAL(dp_journal_next(&place, &record), DP_JOURNAL_OK);
        CHECK(record->kind == DP_JOURNAL_EVENT && record->sequence == number);
        CHECK(memcmp(&record->event, &event, sizeof(event)) == 0);
    }
    CHECK_EQUAL(dp_journal_next(&place, &record), DP_JOURNAL_OK);
    CHECK(record->kind == DP_JOURNAL_INSTRUMENT && record->time_ns == 1234);
    CHECK(record->instrument.instrument_index == 9 &&
        memcmp(record->instrument.symbol, "AAPL    ", 8) == 0);
    CHECK_EQUAL(dp_journal_next(&place, &record), DP_JOURNAL_CLOSED);
    CHECK(record->end.record_count == 4 && record->end.cause == DP_JOURNAL_END_FINAL);
}

static void test_a_full_segment_keeps_room_for_its_end(void)
{
    make((uint32_t)SLOTS - 1);
    struct dp_event event = event_of(1);
    CHECK(!dp_journal_append(&segment, &event));
    CHECK(!dp_journal_append_instrument(&segment, 0, "ZVZZT   ", 0));
    expect("full and open", (uint32_t)SLOTS - 1, DP_JOURNAL_NEVER_WRITTEN);
    dp_journal_close(&segment, DP_JOURNAL_END_ROLLED);
    expect("full and closed", (uint32_t)SLOTS - 1, DP_JOURNAL_CLOSED);
}

static void test_a_header_says_what_is_wrong_with_it(void)
{
    make(1);
    CHECK_EQUAL(dp_journal_header_check(memory, 100, &err), -EINVAL);
    memory[0] ^= 1;
    CHECK_EQUAL(dp_journal_header_check(memory, SIZE, &err), -EINVAL);
    memory[0] ^= 1;
    for (uint32_t bit = 64; bit < DP_JOURNAL_HEADER_SIZE * 8; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_THAT(
            dp_journal_header_check(memory, SIZE, &err) == -EBADMSG, "header bit %u passed", bit);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_EQUAL(dp_journal_header_check(memory, SIZE, &err), 0);
}

static void test_only_whole_pages_make_a_segment(void)
{
    struct dp_journal_header header = {.sequence_first = 1};
    CHECK_EQUAL(dp_journal_segment_init(&segment, memory, SIZE - 4096, &header, &err), -EINVAL);
    CHECK_EQUAL(dp_journal_segment_init(&segment, memory, SIZE + 128, &header, &err), -EINVAL);
}

static void test_every_flip_in_a_record_is_found(void)
{
    make(5);
    dp_journal_close(&segment, DP_JOURNAL_END_FINAL);
    for (uint32_t bit = 0; bit < 6 * RECORD_SIZE * 8; bit++) {
        uint32_t record = bit / 8 / RECORD_SIZE;
        slot(0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect("flip", record, record == 5 ? DP_JOURNAL_TORN : DP_JOURNAL_CORRUPT);
        slot(0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect("whole again", 5, DP_JOURNAL_CLOSED);
}

static void test_a_flip_in_unwritten_space_is_found(void)
{
    uint64_t random = 2026;
    for (int round = 0; round < 500; round++) {
        bool closed = check_random(&random) % 2 == 0;
        make(5);
        if (closed)
            dp_journal_close(&segment, DP_JOURNAL_END_FINAL);
        uint64_t start = 7 * RECORD_SIZE;
        uint64_t bit = check_random(&random) % ((SLOTS * RECORD_SIZE - start) * 8);
        slot(0)[start + bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect("flip behind the end", 5, DP_JOURNAL_CORRUPT);
    }
}

static void test_an_append_cut_by_a_crash_is_unfinished(void)
{
    make(4);
    uint8_t whole[sizeof(struct dp_journal_record)];
    memcpy(whole, slot(3), RECORD_SIZE);
    for (uint32_t size = 0; size <= RECORD_SIZE - 4; size++) {
        memset(slot(3), 0, RECORD_SIZE);
        memcpy(slot(3), whole, size); /* the CRC at the end is stored last */
        uint32_t seen = 0;
        for (uint32_t index = 0; index < size; index++)
            seen |= whole[index];
        expect("cut append", 3, seen == 0 ? DP_JOURNAL_NEVER_WRITTEN : DP_JOURNAL_UNFINISHED);
    }
}

static void test_a_tail_cut_short_is_torn(void)
{
    make(4);
    for (uint32_t lost = 1; lost <= 112; lost++) {
        struct dp_event event = event_of(4);
        make(3);
        CHECK(dp_journal_append(&segment, &event));
        memset(slot(3), 0, lost);
        expect("zeros up to here", 3, DP_JOURNAL_TORN);
    }
    make(3);
    dp_journal_close(&segment, DP_JOURNAL_END_FINAL);
    for (uint64_t size = DP_JOURNAL_HEADER_SIZE; size < DP_JOURNAL_HEADER_SIZE + 4 * RECORD_SIZE;
         size++) {
        uint32_t count = 0;
        CHECK_EQUAL(walk(memory, size, &count), DP_JOURNAL_TORN);
        CHECK_EQUAL(count, (size - DP_JOURNAL_HEADER_SIZE) / RECORD_SIZE);
    }
}

static void test_swapped_doubled_and_missing_records_break_the_chain(void)
{
    uint8_t saved[sizeof(struct dp_journal_record)];
    make(6);
    memcpy(saved, slot(2), RECORD_SIZE);
    memcpy(slot(2), slot(3), RECORD_SIZE);
    expect("doubled", 2, DP_JOURNAL_CORRUPT);
    memcpy(slot(3), saved, RECORD_SIZE);
    expect("swapped", 2, DP_JOURNAL_CORRUPT);
    make(6);
    memmove(slot(2), slot(3), 3 * RECORD_SIZE);
    memset(slot(5), 0, RECORD_SIZE);
    expect("cut out", 2, DP_JOURNAL_CORRUPT);
    make(6);
    memset(slot(2), 0, RECORD_SIZE);
    expect("zeroed", 2, DP_JOURNAL_CORRUPT);
}

static void test_records_of_another_journal_are_refused(void)
{
    static uint8_t other[SIZE];
    make(3);
    memcpy(other, memory, SIZE);
    memset(memory, 0, SIZE);
    struct dp_journal_header header = {.generation = 6, .sequence_first = 1, .appliance = "test"};
    dp_journal_segment_init(&segment, memory, SIZE, &header, &err);
    memcpy(slot(0), other + DP_JOURNAL_HEADER_SIZE, 3 * RECORD_SIZE);
    expect("same sequence, other header", 0, DP_JOURNAL_CORRUPT);
}

static void test_a_good_record_behind_a_bad_one_is_reported(void)
{
    make(6);
    slot(2)[50] ^= 1;
    slot(3)[50] ^= 1;
    struct dp_journal_walk place;
    const struct dp_journal_record *record = NULL;
    dp_journal_walk_init(&place, memory, SIZE);
    while (dp_journal_next(&place, &record) == DP_JOURNAL_OK)
        continue;
    CHECK_EQUAL(place.offset, DP_JOURNAL_HEADER_SIZE + 2 * RECORD_SIZE);
    const struct dp_journal_record *behind = dp_journal_find_behind(&place);
    CHECK(behind != NULL && behind->sequence == 5);
}

static void test_a_prepared_segment_is_known(void)
{
    memset(memory, 0, SIZE);
    CHECK(dp_journal_is_unused(memory, SIZE));
    CHECK(dp_journal_is_unused(memory, 0));
    memory[0] = 'T'; /* a header being written: its CRC comes last */
    CHECK(dp_journal_is_unused(memory, SIZE));
    memory[SIZE - 1] = 1;
    CHECK(!dp_journal_is_unused(memory, SIZE));
    make(0);
    CHECK(!dp_journal_is_unused(memory, SIZE));
}

static void test_the_header_tells_the_layout_in_words(void)
{
    make(0);
    const struct dp_journal_header *header = (const struct dp_journal_header *)(const void *)memory;
    CHECK(strstr(header->schema, "record sequence u64 96\n") != NULL);
    CHECK(strstr(header->schema, "event price_nanos i64 24\n") != NULL);
    CHECK(strstr(header->schema, "event cum_qty u64 88\n") != NULL);
    CHECK(strstr(header->schema, "instrument symbol char8 16\n") != NULL);
}

int main(void)
{
    RUN_TESTS(TEST(test_crc32c_known_answers), TEST(test_hardware_and_table_crc_agree),
        TEST(test_a_records_crc_is_the_plain_one), TEST(test_what_was_appended_is_read_back),
        TEST(test_a_full_segment_keeps_room_for_its_end),
        TEST(test_a_header_says_what_is_wrong_with_it), TEST(test_only_whole_pages_make_a_segment),
        TEST(test_every_flip_in_a_record_is_found), TEST(test_a_flip_in_unwritten_space_is_found),
        TEST(test_an_append_cut_by_a_crash_is_unfinished), TEST(test_a_tail_cut_short_is_torn),
        TEST(test_swapped_doubled_and_missing_records_break_the_chain),
        TEST(test_records_of_another_journal_are_refused),
        TEST(test_a_good_record_behind_a_bad_one_is_reported),
        TEST(test_a_prepared_segment_is_known), TEST(test_the_header_tells_the_layout_in_words));
}
