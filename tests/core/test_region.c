#include <errno.h>

#include "check.h"
#include "dp_counter.h"
#include "dp_region.h"

#define SIZE (64u << 10)

static struct dp_err err;

static struct dp_region *make(void)
{
    struct dp_region *region = aligned_alloc(DP_CACHE_LINE, SIZE);
    memset(region, 0, SIZE);
    CHECK_EQUAL(dp_region_init(region, SIZE, 77, &err), 0);
    return region;
}

static void test_parts_are_placed_found_and_bounded(void)
{
    struct dp_region *region = make();
    uint8_t *first = dp_region_place(region, "first", 100, &err);
    uint8_t *second = dp_region_place(region, "second", 1, &err);
    CHECK(first == (uint8_t *)region + dp_region_header_size());
    CHECK(second == first + 128);
    dp_region_publish(region);

    size_t size = 0;
    CHECK_EQUAL(dp_region_check(region, SIZE, &err), 0);
    CHECK(dp_region_find(region, "first", &size) == first && size == 100);
    CHECK(dp_region_find(region, "second", NULL) == second);
    CHECK(dp_region_find(region, "third", &size) == NULL);
    free(region);
}

static void test_a_part_that_does_not_fit_is_refused(void)
{
    struct dp_region *region = make();
    uint64_t room = region->size - region->used;
    CHECK(dp_region_place(region, "vast", room + 1, &err) == NULL);
    CHECK_EQUAL(err.code, ENOSPC);
    CHECK(dp_region_place(region, "vaster", SIZE_MAX, &err) == NULL);
    CHECK(dp_region_place(region, "all", room, &err) != NULL);
    CHECK(dp_region_place(region, "more", 1, &err) == NULL);
    CHECK_TEXT(
        err.text, "region: part 'more': 1 bytes do not fit in the 0 left; ask for a larger region");
    CHECK(dp_region_place(region, "all", 1, &err) == NULL);
    CHECK_EQUAL(err.code, EEXIST);
    free(region);
}

static void test_the_table_of_parts_has_an_end(void)
{
    struct dp_region *region = make();
    for (int index = 0; index < DP_REGION_PARTS_MAX; index++) {
        char name[DP_REGION_NAME_SIZE];
        snprintf(name, sizeof(name), "part.%d", index);
        CHECK(dp_region_place(region, name, 64, &err) != NULL);
    }
    CHECK(dp_region_place(region, "one too many", 64, &err) == NULL);
    CHECK_EQUAL(err.code, EEXIST);
    free(region);
}

static void test_a_region_too_small_for_its_header_is_refused(void)
{
    uint64_t memory[8] __attribute__((aligned(DP_CACHE_LINE)));
    CHECK_EQUAL(dp_region_init(memory, sizeof(memory), 1, &err), -EINVAL);
}

static void test_an_unpublished_region_is_not_attached(void)
{
    struct dp_region *region = make();
    CHECK_EQUAL(dp_region_check(region, SIZE, &err), -EAGAIN);
    memset(region, 0, SIZE);
    CHECK_EQUAL(dp_region_check(region, SIZE, &err), -EAGAIN);
    free(region);
}

static void test_another_layout_is_refused_and_its_build_named(void)
{
    struct dp_region *region = make();
    dp_region_publish(region);
    snprintf(region->build, sizeof(region->build), "tickplane 9.9.9, another");
    region->layout_hash ^= 1;
    CHECK_EQUAL(dp_region_check(region, SIZE, &err), -EPROTO);
    CHECK_THAT(strstr(err.text, "made by 'tickplane 9.9.9, another'") != NULL, "%s", err.text);
    memset(region->build, 'x', sizeof(region->build)); /* no NUL anywhere */
    CHECK_EQUAL(dp_region_check(region, SIZE, &err), -EPROTO);
    region->layout_hash ^= 1;
    region->layout_version++;
    CHECK_EQUAL(dp_region_check(region, SIZE, &err), -EPROTO);
    free(region);
}

struct damage {
    const char *name;
    void (*apply)(struct dp_region *region);
    int expected;
};

static void spoil_magic(struct dp_region *region)
{
    region->magic++;
}
static void grow(struct dp_region *region)
{
    region->size++;
}
static void add_parts(struct dp_region *region)
{
    region->part_count = DP_REGION_PARTS_MAX + 1;
}
static void move_out(struct dp_region *region)
{
    region->parts[0].offset = SIZE + 64;
}
static void wrap_around(struct dp_region *region)
{
    region->parts[0].size = UINT64_MAX - 63;
}
static void move_into_header(struct dp_region *region)
{
    region->parts[0].offset = 0;
}
static void misalign(struct dp_region *region)
{
    region->parts[0].offset++;
}
static void run_name_on(struct dp_region *region)
{
    memset(region->parts[0].name, 'a', DP_REGION_NAME_SIZE);
}
static void change_nothing(struct dp_region *region)
{
    (void)region;
}

static const struct damage damages[] = {
    {"nothing", change_nothing, 0},
    {"magic", spoil_magic, -EINVAL},
    {"larger than the file", grow, -EINVAL},
    {"too many parts", add_parts, -EINVAL},
    {"a part outside", move_out, -EINVAL},
    {"a part that wraps around", wrap_around, -EINVAL},
    {"a part over the header", move_into_header, -EINVAL},
    {"a part off its line", misalign, -EINVAL},
    {"a name without end", run_name_on, -EINVAL},
};

static void test_a_damaged_region_is_refused(void)
{
    for (size_t row = 0; row < sizeof(damages) / sizeof(damages[0]); row++) {
        struct dp_region *region = make();
        dp_region_place(region, "part", 64, &err);
        dp_region_publish(region);
        damages[row].apply(region);
        CHECK_THAT(
            dp_region_check(region, SIZE, &err) == damages[row].expected, "%s", damages[row].name);
        free(region);
    }
}

static void test_every_shorter_file_is_refused(void)
{
    struct dp_region *region = make();
    dp_region_publish(region);
    for (size_t size = 0; size < SIZE; size += 61)
        CHECK_THAT(dp_region_check(region, size, &err) == -EINVAL, "%zu bytes passed", size);
    free(region);
}

static void test_counters_have_keys_and_words(void)
{
    for (uint32_t id = 0; id < DP_COUNTER_COUNT; id++)
        CHECK(dp_counter_key(id)[0] != '\0' && dp_counter_words(id)[0] != '\0');
    CHECK_TEXT(dp_counter_key(DP_COUNTER_RX_PACKETS), "rx_packets");

    struct dp_counters counters;
    memset(&counters, 0, sizeof(counters));
    dp_counter_add(&counters, DP_COUNTER_TX_BYTES, 40);
    dp_counter_add(&counters, DP_COUNTER_TX_BYTES, 2);
    CHECK_EQUAL(dp_counter_read(&counters, DP_COUNTER_TX_BYTES), 42);
    CHECK_EQUAL(dp_counter_read(&counters, DP_COUNTER_TX_FRAMES), 0);
}

int main(void)
{
    RUN_TESTS(TEST(test_parts_are_placed_found_and_bounded),
        TEST(test_a_part_that_does_not_fit_is_refused), TEST(test_the_table_of_parts_has_an_end),
        TEST(test_a_region_too_small_for_its_header_is_refused),
        TEST(test_an_unpublished_region_is_not_attached),
        TEST(test_another_layout_is_refused_and_its_build_named),
        TEST(test_a_damaged_region_is_refused), TEST(test_every_shorter_file_is_refused),
        TEST(test_counters_have_keys_and_words));
}
