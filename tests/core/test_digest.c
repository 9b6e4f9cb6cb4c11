#include "check.h"
#include "dp_digest.h"
#include "guard.h"

static const char *text_of(const void *data, size_t size)
{
    static char text[DP_DIGEST_TEXT_SIZE];
    struct dp_digest digest;
    dp_digest_init(&digest);
    dp_digest_update(&digest, guard_place(data, size), size);
    dp_digest_text(&digest, text);
    return text;
}

/* Computed from the formula in the header with Python's integers. */
static void test_known_answers(void)
{
    struct dp_digest digest;
    char text[DP_DIGEST_TEXT_SIZE];
    dp_digest_init(&digest);
    dp_digest_text(&digest, text);
    CHECK_TEXT(text, "3c6ef372fe94f82ba54ff53a5f1d36f1");
    CHECK_TEXT(text_of("", 0), "e087f6299ff1b4813ff954e9465227e8");
    CHECK_TEXT(text_of("tickplane", 9), "b01cedcfcc4122fd4fe90f2d24e1a9bd");
    uint8_t numbers[96];
    for (size_t index = 0; index < sizeof(numbers); index++)
        numbers[index] = (uint8_t)index;
    CHECK_TEXT(text_of(numbers, sizeof(numbers)), "8f33f8730ec972456b0e2791bbe628a0");
}

static void test_every_bit_matters(void)
{
    uint8_t data[40];
    memset(data, 0x5a, sizeof(data));
    char original[DP_DIGEST_TEXT_SIZE];
    strcpy(original, text_of(data, sizeof(data)));
    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_THAT(
            strcmp(text_of(data, sizeof(data)), original) != 0, "bit %zu does not matter", bit);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_every_length_differs(void)
{
    static const uint8_t zeros[32];
    char seen[33][DP_DIGEST_TEXT_SIZE];
    for (size_t size = 0; size <= 32; size++) {
        strcpy(seen[size], text_of(zeros, size));
        for (size_t other = 0; other < size; other++)
            CHECK_THAT(
                strcmp(seen[size], seen[other]) != 0, "%zu and %zu zeros agree", size, other);
    }
}

static void test_words_do_not_change_places(void)
{
    uint64_t words[6] = {1, 2, 3, 4, 5, 6};
    char original[DP_DIGEST_TEXT_SIZE];
    strcpy(original, text_of(words, sizeof(words)));
    for (size_t index = 1; index < 6; index++) {
        uint64_t swapped[6];
        memcpy(swapped, words, sizeof(words));
        swapped[index - 1] = words[index];
        swapped[index] = words[index - 1];
        CHECK_THAT(strcmp(text_of(swapped, sizeof(swapped)), original) != 0,
            "words %zu and %zu changed places", index - 1, index);
    }
}

static void test_records_do_not_run_into_each_other(void)
{
    struct dp_digest one, two;
    dp_digest_init(&one);
    dp_digest_init(&two);
    dp_digest_update(&one, "abcdefghij", 8);
    dp_digest_update(&one, "ij", 2);
    dp_digest_update(&two, "abcdefghij", 10);
    CHECK(memcmp(&one, &two, sizeof(one)) != 0);
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_known_answers), TEST(test_every_bit_matters),
        TEST(test_every_length_differs), TEST(test_words_do_not_change_places),
        TEST(test_records_do_not_run_into_each_other));
}
