#include "check.h"
#include "dp_hist.h"

static struct dp_hist hist;

static void test_every_value_lies_in_its_bucket(void)
{
    uint64_t previous_max = 0;
    for (uint32_t bucket = 1; bucket < DP_HIST_BUCKET_COUNT; bucket++) {
        uint64_t first = previous_max + 1;
        previous_max = dp_hist_bucket_max(bucket);
        CHECK_EQUAL(dp_hist_bucket(first), bucket);
        CHECK_EQUAL(dp_hist_bucket(previous_max), bucket);
        CHECK_THAT((previous_max - first) * 64 <= first, "bucket %u is wider than 1/64", bucket);
    }
    CHECK_EQUAL(previous_max, (1ll << 42) - 1);
}

static void test_larger_values_land_in_the_last_bucket(void)
{
    CHECK_EQUAL(dp_hist_bucket(1ull << 42), DP_HIST_BUCKET_COUNT - 1);
    CHECK_EQUAL(dp_hist_bucket(UINT64_MAX), DP_HIST_BUCKET_COUNT - 1);
    dp_hist_init(&hist);
    dp_hist_record(&hist, UINT64_MAX);
    CHECK(dp_hist_percentile(&hist, 50000) == UINT64_MAX);
}

static void test_an_empty_histogram_answers_zero(void)
{
    dp_hist_init(&hist);
    CHECK_EQUAL(dp_hist_percentile(&hist, 100000), 0);
    CHECK(hist.min == UINT64_MAX);
}

static void test_small_values_are_exact(void)
{
    dp_hist_init(&hist);
    for (uint64_t value = 1; value <= 50; value++)
        dp_hist_record(&hist, value);
    CHECK_EQUAL(dp_hist_percentile(&hist, 0), 1);
    CHECK_EQUAL(dp_hist_percentile(&hist, 50000), 25);
    CHECK_EQUAL(dp_hist_percentile(&hist, 50001), 26);
    CHECK_EQUAL(dp_hist_percentile(&hist, 100000), 50);
    CHECK_EQUAL(hist.count, 50);
    CHECK_EQUAL(hist.sum, 1275);
    CHECK_EQUAL(hist.min, 1);
    CHECK_EQUAL(hist.max, 50);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The model: sort all values and take the one at the rank. */
static void check_against_sorted(uint64_t seed)
{
    static uint64_t values[5000];
    uint64_t random = seed;
    uint32_t count = 1 + (uint32_t)(check_random(&random) % 5000);
    dp_hist_init(&hist);
    for (uint32_t index = 0; index < count; index++) {
        values[index] = check_random(&random) >> (22 + check_random(&random) % 42);
        dp_hist_record(&hist, values[index]);
    }
    qsort(values, count, sizeof(values[0]), compare);
    static const uint32_t asked[] = {0, 1, 50000, 90000, 99000, 99900, 99999, 100000};
    for (size_t index = 0; index < sizeof(asked) / sizeof(asked[0]); index++) {
        uint64_t rank = ((uint64_t)count * asked[index] + 99999) / 100000;
        uint64_t truth = values[rank == 0 ? 0 : rank - 1];
        uint64_t answer = dp_hist_percentile(&hist, asked[index]);
        CHECK_THAT(answer >= truth && answer <= truth + truth / 64,
            "seed %" PRIu64 ": %u: %" PRIu64 " is not near %" PRIu64, seed, asked[index], answer,
            truth);
    }
    CHECK(dp_hist_percentile(&hist, 100000) == values[count - 1]);
}

static void test_percentiles_agree_with_sorting(void)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        check_against_sorted(seed);
}

static void test_stages_have_keys(void)
{
    CHECK_TEXT(dp_stage_key(DP_STAGE_DECODE), "decode");
    CHECK_TEXT(dp_stage_key(DP_STAGE_TICK_TO_ORDER), "tick_to_order");
}

int main(void)
{
    RUN_TESTS(TEST(test_every_value_lies_in_its_bucket),
        TEST(test_larger_values_land_in_the_last_bucket),
        TEST(test_an_empty_histogram_answers_zero), TEST(test_small_values_are_exact),
        TEST(test_percentiles_agree_with_sorting), TEST(test_stages_have_keys));
}
