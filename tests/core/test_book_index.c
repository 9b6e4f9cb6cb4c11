/* The index of orders against an array of references, for every pattern that exchanges and
 * attackers number orders by. */
#include "check.h"
#include "dp_book_index.h"

#define RECORDS 768u /* three quarters of 1,024 slots: as full as it gets */
#define ENTRIES 2048u
#define CROWD 500u /* of one entry, at once */

struct table {
    struct dp_book_index index;
    uint32_t free_records[RECORDS];
    uint32_t free_count;
};

/* The model: where each reference should be found; 0: nowhere. */
struct model {
    uint64_t refs[RECORDS];
    uint32_t numbers[RECORDS];
    uint32_t count;
};

static struct table new_table(void)
{
    uint32_t bits = dp_book_index_bits(RECORDS);
    struct table table = {.free_count = RECORDS};
    CHECK_EQUAL(bits, 10);
    size_t size = dp_book_index_front_size(bits);
    uint32_t *front = memset(aligned_alloc(DP_CACHE_LINE, size), 0, size);
    CHECK_EQUAL(size, ENTRIES * sizeof(*front));
    table.index = dp_book_index_view(front, calloc(1, dp_book_index_spill_size(bits)),
        calloc(RECORDS + 1, sizeof(struct dp_book_order)), bits);
    for (uint32_t at = 0; at < RECORDS; at++)
        table.free_records[at] = at + 1;
    return table;
}

static void free_table(struct table *table)
{
    free(table->index.front);
    free(table->index.spill);
    free(table->index.orders);
}

static uint32_t put(struct table *table, uint64_t order_ref)
{
    uint32_t *entry;
    CHECK(dp_book_index_room(&table->index, order_ref, &entry));
    uint32_t number = table->free_records[--table->free_count];
    table->index.orders[number].order_ref = order_ref;
    dp_book_index_put(&table->index, entry, order_ref, number);
    return number;
}

static void take_out(struct table *table, uint64_t order_ref, uint32_t number)
{
    dp_book_index_delete(&table->index, order_ref, number);
    table->free_records[table->free_count++] = number;
}

static bool is_free(const struct table *table, uint64_t order_ref)
{
    uint32_t *entry;
    return dp_book_index_room(&table->index, order_ref, &entry);
}

/* ---- patterns of references ---- */

static uint64_t dense(uint64_t at)
{
    return at;
}

static uint64_t dense_up_to_the_last(uint64_t at)
{
    return UINT64_MAX - at;
}

static uint64_t of_the_first_entry(uint64_t at)
{
    return at * ENTRIES;
}

static uint64_t of_the_last_entry(uint64_t at)
{
    return UINT64_MAX - at * ENTRIES;
}

static uint64_t apart_in_the_high_half(uint64_t at)
{
    return at << 32 | 77;
}

static uint64_t anywhere(uint64_t at)
{
    uint64_t random = at + 1;
    check_random(&random);
    return at == 0 ? 0 : at == 1 ? UINT64_MAX : check_random(&random);
}

static uint64_t few_in_many_entries(uint64_t at)
{
    return at % 3 << 40 | at / 3;
}

/* What the spill table multiplies by, backwards: all these begin at its last slot. */
static uint64_t of_one_tag(uint64_t at)
{
    uint64_t inverse = 1;
    for (int round = 0; round < 6; round++)
        inverse *= 2 - 0x9e3779b97f4a7c15ull * inverse;
    uint64_t mixed = (0xffffffff00000000ull | at) * inverse;
    return mixed ^ mixed >> 32;
}

/* Those of them that are of one entry of the front table, too. */
static uint64_t of_one_tag_and_entry(uint64_t at)
{
    static uint64_t found[RECORDS];
    static uint32_t found_count;
    static uint64_t next;
    for (; found_count <= at; next++)
        if (of_one_tag(next) % ENTRIES == 5)
            found[found_count++] = of_one_tag(next);
    return found[at];
}

static const struct {
    const char *name;
    uint64_t (*ref)(uint64_t at);
    uint32_t count;
} patterns[] = {
    {"dense", dense, RECORDS},
    {"dense up to the last", dense_up_to_the_last, RECORDS},
    {"of the first entry", of_the_first_entry, CROWD},
    {"of the first entry, full", of_the_first_entry, RECORDS},
    {"of the last entry", of_the_last_entry, CROWD},
    {"apart in the high half", apart_in_the_high_half, CROWD},
    {"anywhere", anywhere, RECORDS},
    {"few in many entries", few_in_many_entries, RECORDS},
    {"of one tag", of_one_tag, CROWD},
    {"of one tag and entry", of_one_tag_and_entry, CROWD},
};

#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static struct model model_of(size_t pattern)
{
    struct model model = {.count = patterns[pattern].count};
    for (uint32_t at = 0; at < model.count; at++)
        model.refs[at] = patterns[pattern].ref(at);
    return model;
}

/* ---- against the model ---- */

static void compare(const struct table *table, const struct model *model, const char *name)
{
    for (uint32_t at = 0; at < model->count; at++) {
        uint32_t found = dp_book_index_find(&table->index, model->refs[at]);
        CHECK_THAT(found == model->numbers[at], "%s: reference %u: %u, expected %u", name, at,
            found, model->numbers[at]);
    }
}

static void change(struct table *table, struct model *model, uint64_t *random)
{
    uint32_t at = (uint32_t)(check_random(random) % model->count);
    uint32_t *number = &model->numbers[at];
    bool is_asked = check_random(random) % 8 == 0;
    if (is_asked || *number == 0)
        CHECK_EQUAL(is_free(table, model->refs[at]), *number == 0);
    if (is_asked)
        return;
    if (*number == 0) {
        *number = put(table, model->refs[at]);
    } else {
        take_out(table, model->refs[at], *number);
        *number = 0;
    }
}

static void run_pattern(size_t pattern)
{
    struct table table = new_table();
    struct model model = model_of(pattern);
    uint64_t random = pattern * 2 + 1;
    for (int step = 0; step < 12000 && check_failures == 0; step++) {
        change(&table, &model, &random);
        if (step % 64 == 0)
            compare(&table, &model, patterns[pattern].name);
    }
    free_table(&table);
}

static void test_finds_what_the_model_finds(void)
{
    for (size_t pattern = 0; pattern < PATTERNS; pattern++)
        run_pattern(pattern);
}

/* ---- all in, all out ---- */

static void put_all(struct table *table, struct model *model, const char *name)
{
    for (uint32_t at = 0; at < model->count; at++)
        model->numbers[at] = put(table, model->refs[at]);
    compare(table, model, name);
    for (uint32_t at = 0; at < model->count; at++)
        CHECK_THAT(!is_free(table, model->refs[at]), "%s: reference %u: put twice", name, at);
    compare(table, model, name);
}

/* first to last, last to first, every seventh. */
static void take_all_out(struct table *table, struct model *model, uint32_t order)
{
    for (uint32_t step = 0; step < model->count; step++) {
        uint32_t at = order == 0 ? step
            : order == 1         ? model->count - 1 - step
                                 : (uint32_t)(step * 7ull % model->count);
        if (model->numbers[at] == 0)
            continue;
        take_out(table, model->refs[at], model->numbers[at]);
        model->numbers[at] = 0;
    }
}

static bool is_blank(const uint32_t *words, uint32_t count)
{
    for (uint32_t at = 0; at < count; at++)
        if (words[at] != 0)
            return false;
    return true;
}

static void test_finds_nothing_when_all_are_deleted(void)
{
    for (size_t pattern = 0; pattern < PATTERNS; pattern++) {
        struct table table = new_table();
        struct model model = model_of(pattern);
        for (uint32_t order = 0; order < 3; order++) {
            put_all(&table, &model, patterns[pattern].name);
            take_all_out(&table, &model, order);
            CHECK_EQUAL(table.free_count, RECORDS);
            compare(&table, &model, patterns[pattern].name);
            CHECK(is_blank(table.index.spill, ENTRIES / 2));
        }
        free_table(&table);
    }
}

static void test_dense_references_never_spill(void)
{
    struct table table = new_table();
    for (uint64_t order_ref = 0; order_ref < 10000; order_ref++) {
        put(&table, order_ref);
        if (order_ref >= RECORDS - 1)
            take_out(&table, order_ref - (RECORDS - 1),
                dp_book_index_find(&table.index, order_ref - (RECORDS - 1)));
    }
    CHECK(is_blank(table.index.spill, ENTRIES / 2));
    free_table(&table);
}

/* ---- what a bucket counts ---- */

#define STRIDE ENTRIES /* all of one bucket */

static uint32_t spilled_count(const struct table *table, uint64_t order_ref)
{
    return dp_book_index_spilled_count(&table->index, order_ref);
}

static void test_a_bucket_holds_eight_and_counts_the_spilled_and_back(void)
{
    struct table table = new_table();
    uint32_t numbers[11];
    for (uint64_t at = 0; at < 11; at++) {
        numbers[at] = put(&table, at * STRIDE);
        CHECK_EQUAL(spilled_count(&table, 0), at < 8 ? 0 : at - 7);
    }
    take_out(&table, 9 * STRIDE, numbers[9]);
    CHECK_EQUAL(spilled_count(&table, 0), 2);
    take_out(&table, 3 * STRIDE, numbers[3]); /* one in front: nothing leaves the other table */
    CHECK_EQUAL(spilled_count(&table, 0), 2);
    CHECK_EQUAL(dp_book_index_find(&table.index, 8 * STRIDE), numbers[8]);
    numbers[3] = put(&table, 11 * STRIDE); /* takes the place in front */
    CHECK_EQUAL(spilled_count(&table, 0), 2);
    take_out(&table, 8 * STRIDE, numbers[8]);
    take_out(&table, 10 * STRIDE, numbers[10]);
    CHECK_EQUAL(spilled_count(&table, 0), 0);
    CHECK(is_blank(table.index.spill, ENTRIES / 2));
    free_table(&table);
}

static void test_a_bucket_that_counted_255_says_so_for_good(void)
{
    struct table table = new_table();
    uint32_t numbers[300];
    for (uint64_t at = 0; at < 300; at++)
        numbers[at] = put(&table, at * STRIDE);
    CHECK_EQUAL(spilled_count(&table, 0), 255);
    for (uint64_t at = 0; at < 300; at++)
        take_out(&table, at * STRIDE, numbers[at]);
    CHECK_EQUAL(spilled_count(&table, 0), 255);
    for (uint64_t at = 0; at < 300; at++)
        CHECK_EQUAL(dp_book_index_find(&table.index, at * STRIDE), 0);
    numbers[0] = put(&table, 0);
    CHECK(!is_free(&table, 0));
    CHECK_EQUAL(dp_book_index_find(&table.index, 0), numbers[0]);
    CHECK_EQUAL(spilled_count(&table, 0), 255);
    free_table(&table);
}

/* An add may be refused for another reason after it asked for room. */
static void test_asking_for_room_changes_nothing(void)
{
    struct table table = new_table();
    for (uint64_t at = 0; at < 9; at++) {
        CHECK(is_free(&table, at * STRIDE));
        CHECK(is_free(&table, at * STRIDE));
        CHECK_EQUAL(dp_book_index_find(&table.index, at * STRIDE), 0);
        put(&table, at * STRIDE);
        CHECK(!is_free(&table, at * STRIDE));
    }
    free_table(&table);
}

static bool is_away(const struct table *table, uint64_t order_ref)
{
    return (*dp_book_index_home(&table->index, order_ref) & DP_BOOK_INDEX_AWAY) != 0;
}

/* As long as one of its own is elsewhere, whoever else comes to the entry meanwhile. */
static void test_a_home_remembers_who_is_away_and_forgets(void)
{
    struct table table = new_table();
    uint32_t numbers[5];
    for (uint64_t at = 0; at < 3; at++)
        numbers[at] = put(&table, at * STRIDE + 5); /* one at home, two elsewhere */
    numbers[3] = put(&table, 7);
    numbers[4] = put(&table, 7 + STRIDE);
    CHECK(is_away(&table, 5) && is_away(&table, 7) && !is_away(&table, 4));
    take_out(&table, 5, numbers[0]);
    numbers[0] = put(&table, 3 * STRIDE + 5); /* takes the home */
    CHECK(!is_free(&table, STRIDE + 5) && is_free(&table, 5));
    take_out(&table, STRIDE + 5, numbers[1]);
    CHECK(is_away(&table, 5));
    CHECK_EQUAL(dp_book_index_find(&table.index, 2 * STRIDE + 5), numbers[2]);
    take_out(&table, 2 * STRIDE + 5, numbers[2]);
    CHECK(!is_away(&table, 5) && is_away(&table, 7));
    CHECK_EQUAL(dp_book_index_find(&table.index, 3 * STRIDE + 5), numbers[0]);
    CHECK_EQUAL(dp_book_index_find(&table.index, 7 + STRIDE), numbers[4]);
    free_table(&table);
}

/* 0 is what a blank record holds. */
static void test_reference_0_is_one_like_any_other(void)
{
    struct table table = new_table();
    uint32_t first = put(&table, STRIDE);
    CHECK_EQUAL(dp_book_index_find(&table.index, 0), 0);
    uint32_t number = put(&table, 0);
    take_out(&table, STRIDE, first);
    CHECK_EQUAL(dp_book_index_find(&table.index, 0), number);
    CHECK(!is_free(&table, 0));
    take_out(&table, 0, number);
    CHECK_EQUAL(dp_book_index_find(&table.index, 0), 0);
    free_table(&table);
}

/* Of the largest table its record numbers need all bits there are: every taken entry looks alike.
 */
static void test_a_table_without_room_for_tags_is_right_too(void)
{
    struct table table = new_table();
    table.index.compared = 0;
    uint32_t numbers[8];
    for (uint64_t at = 0; at < 8; at++)
        numbers[at] = put(&table, at);
    for (uint64_t at = 0; at < 8; at++) {
        CHECK_EQUAL(dp_book_index_find(&table.index, at), numbers[at]);
        CHECK(!is_free(&table, at));
        CHECK(is_free(&table, at + STRIDE));
    }
    take_out(&table, 5, numbers[5]);
    CHECK_EQUAL(dp_book_index_find(&table.index, 5), 0);
    CHECK_EQUAL(dp_book_index_find(&table.index, 7), numbers[7]);
    free_table(&table);
}

static void test_tables_are_at_most_three_quarters_full(void)
{
    CHECK_EQUAL(dp_book_index_bits(1), 8);
    CHECK_EQUAL(dp_book_index_bits(192), 8);
    CHECK_EQUAL(dp_book_index_bits(193), 9);
    CHECK_EQUAL(dp_book_index_bits(3u << 28), 30);
    CHECK_EQUAL(dp_book_index_bits((3u << 28) + 1), 31);
    CHECK_EQUAL(dp_book_index_bits((1u << 30) - 1), 31);
}

int main(void)
{
    RUN_TESTS(TEST(test_finds_what_the_model_finds), TEST(test_finds_nothing_when_all_are_deleted),
        TEST(test_dense_references_never_spill),
        TEST(test_a_bucket_holds_eight_and_counts_the_spilled_and_back),
        TEST(test_a_bucket_that_counted_255_says_so_for_good),
        TEST(test_asking_for_room_changes_nothing),
        TEST(test_a_home_remembers_who_is_away_and_forgets),
        TEST(test_reference_0_is_one_like_any_other),
        TEST(test_a_table_without_room_for_tags_is_right_too),
        TEST(test_tables_are_at_most_three_quarters_full));
}
