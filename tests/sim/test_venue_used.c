#include "../check.h"
#include "dp_venue_state.h"

/*
 * The table of what we took, so small that every entry collides, against an array indexed by the
 * reference.
 */
#define SLOTS 16
#define REFS 48
#define INSTRUMENTS 3

struct table {
    struct dp_venue venue;
    struct dp_venue_used used[SLOTS];
    struct dp_venue_instrument instruments[INSTRUMENTS];
    uint8_t touched[INSTRUMENTS];
    uint32_t model[REFS];
    uint32_t model_count;
};

static void make(struct table *table)
{
    memset(table, 0, sizeof(*table));
    table->venue.used = table->used;
    table->venue.used_mask = SLOTS - 1;
    table->venue.instruments = table->instruments;
    table->venue.touched = table->touched;
    for (int index = 0; index < INSTRUMENTS; index++)
        table->instruments[index].first[0] = table->instruments[index].first[1] = DP_VENUE_NONE;
}

static void take(struct table *table, uint64_t ref, uint32_t qty)
{
    bool room = table->model[ref] > 0 || table->model_count < SLOTS - SLOTS / 4;
    bool added = dp_venue_used_add(&table->venue, ref, (uint32_t)(ref % INSTRUMENTS), qty);
    CHECK_EQUAL(added, room);
    if (!room)
        return;
    table->model_count += table->model[ref] == 0;
    table->model[ref] += qty;
}

static void drop(struct table *table, uint64_t ref)
{
    dp_venue_used_drop(&table->venue, ref);
    table->model_count -= table->model[ref] > 0;
    table->model[ref] = 0;
}

static void check_against_model(const struct table *table, uint64_t seed)
{
    uint32_t counts[INSTRUMENTS] = {0};
    for (uint64_t ref = 0; ref < REFS; ref++) {
        CHECK_THAT(dp_venue_used_qty(&table->venue, ref) == table->model[ref],
            "reference %llu, seed %llu", (unsigned long long)ref, (unsigned long long)seed);
        counts[ref % INSTRUMENTS] += table->model[ref] > 0;
    }
    for (int index = 0; index < INSTRUMENTS; index++) {
        CHECK_EQUAL(table->instruments[index].used_count, counts[index]);
        CHECK_EQUAL(table->touched[index], counts[index] > 0);
    }
    CHECK_EQUAL(table->venue.used_count, table->model_count);
}

static void test_the_table_agrees_with_its_model(void)
{
    static struct table table;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed;
        make(&table);
        for (int step = 0; step < 2000; step++) {
            uint64_t ref = check_random(&random) % REFS;
            if (check_random(&random) % 2 == 0)
                take(&table, ref, (uint32_t)(check_random(&random) % 100) + 1);
            else
                drop(&table, ref);
            check_against_model(&table, seed);
        }
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_the_table_agrees_with_its_model));
}
