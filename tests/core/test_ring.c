/* dp_ring against a counter, at its edges, and between two threads. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "check.h"
#include "dp_ring.h"

#define HOP_COUNT 200000u

static struct dp_ring *make_ring(uint32_t slot_count, uint32_t data_size)
{
    size_t size = dp_round_up(dp_ring_size(slot_count, data_size), DP_CACHE_LINE);
    struct dp_ring *ring = aligned_alloc(DP_CACHE_LINE, size);
    memset(ring, 0xee, size);
    CHECK_EQUAL(dp_ring_init(ring, slot_count, data_size, NULL), 0);
    return ring;
}

static void test_slot_count_is_a_power_of_two(void)
{
    static const struct {
        uint32_t slot_count;
        const char *text;
    } rows[] = {
        {0, "ring: slot_count: 0; give a power of two, at most 1048576"},
        {3, "ring: slot_count: 3; give a power of two, at most 1048576"},
        {1u << 21, "ring: slot_count: 2097152; give a power of two, at most 1048576"},
    };
    struct dp_ring *ring = make_ring(1, 1);
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_err err = {0};
        CHECK_EQUAL(dp_ring_init(ring, rows[index].slot_count, 1, &err), -EINVAL);
        CHECK_TEXT(err.text, rows[index].text);
    }
    free(ring);
}

static void test_reserving_twice_gives_the_same_slot(void)
{
    struct dp_ring *ring = make_ring(2, 100);
    CHECK(dp_ring_peek(ring) == NULL);
    CHECK(dp_ring_reserve(ring) == dp_ring_reserve(ring));
    CHECK(dp_ring_peek(ring) == NULL);
    free(ring);
}

static void test_a_slot_holds_all_its_data_and_no_other(void)
{
    struct dp_ring *ring = make_ring(2, 49); /* one byte more than a line holds */
    for (uint8_t value = 0; value < 2; value++) {
        memset(dp_ring_reserve(ring)->data, value, 49);
        dp_ring_publish(ring);
    }
    CHECK(dp_ring_reserve(ring) == NULL);
    for (uint8_t value = 0; value < 2; value++) {
        CHECK_EQUAL(dp_ring_peek(ring)->data[0], value);
        CHECK_EQUAL(dp_ring_peek(ring)->data[48], value);
        dp_ring_release(ring);
    }
    CHECK(dp_ring_peek(ring) == NULL);
    free(ring);
}

/* Killed within dp_ring_publish(): the slot is there, and not yet counted. */
static void test_an_heir_counts_what_the_dead_one_published(void)
{
    struct dp_ring *ring = make_ring(2, 8);
    dp_ring_reserve(ring)->tag = 1;
    dp_ring_publish(ring);
    dp_store_relaxed(&ring->tail, 0);
    dp_ring_adopt(ring);
    dp_ring_reserve(ring)->tag = 2;
    dp_ring_publish(ring);
    CHECK_EQUAL(dp_ring_peek(ring)->tag, 1);
    dp_ring_adopt(ring); /* there is nothing to count */
    CHECK(dp_ring_reserve(ring) == NULL);
    free(ring);
}

/* The model is two counts. */
static void walk(uint64_t seed, uint32_t slot_count)
{
    struct dp_ring *ring = make_ring(slot_count, 8);
    uint64_t in = 0;
    uint64_t out = 0;
    uint64_t state = seed;
    for (int step = 0; step < 20000; step++) {
        uint64_t room = slot_count - (in - out);
        for (uint64_t count = 0; count <= slot_count + 2; count++)
            CHECK_THAT(dp_ring_has_room(ring, count) == (count <= room),
                "seed %" PRIu64 ", step %d: room for %" PRIu64, seed, step, count);
        uint64_t dice = check_random(&state) % 3;
        if (dice == 0) { /* several with one publish, maybe none */
            uint64_t count = check_random(&state) % (room + 1);
            for (uint64_t ahead = 0; ahead < count; ahead++)
                dp_ring_slot_ahead(ring, ahead)->time_ns = (int64_t)in++;
            dp_ring_publish_n(ring, count);
        } else if (dice == 1) {
            struct dp_ring_slot *slot = dp_ring_reserve(ring);
            CHECK_THAT((slot != NULL) == (room > 0), "seed %" PRIu64 ", step %d", seed, step);
            if (slot != NULL) {
                slot->time_ns = (int64_t)in++;
                dp_ring_publish(ring);
            }
        } else {
            struct dp_ring_slot *slot = dp_ring_peek(ring);
            CHECK_THAT((slot != NULL) == (in != out), "seed %" PRIu64 ", step %d", seed, step);
            if (slot != NULL) {
                CHECK_EQUAL(slot->time_ns, out++);
                dp_ring_release(ring);
            }
        }
    }
    free(ring);
}

static void test_first_in_first_out_for_any_calls(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (uint32_t slot_count = 1; slot_count <= 8; slot_count *= 2)
            walk(seed, slot_count);
}

static void *produce(void *argument)
{
    struct dp_ring *ring = argument;
    for (uint64_t count = 0; count < HOP_COUNT;) {
        struct dp_ring_slot *slot = dp_ring_reserve(ring);
        if (slot == NULL) {
            sched_yield();
            continue;
        }
        slot->size = 8;
        memcpy(slot->data, &count, 8);
        dp_ring_publish(ring);
        count++;
    }
    return NULL;
}

static void test_nothing_is_lost_between_two_threads(void)
{
    struct dp_ring *ring = make_ring(16, 8);
    pthread_t producer;
    pthread_create(&producer, NULL, produce, ring);
    uint64_t bad = 0;
    for (uint64_t count = 0; count < HOP_COUNT;) {
        struct dp_ring_slot *slot = dp_ring_peek(ring);
        if (slot == NULL) {
            sched_yield();
            continue;
        }
        bad += memcmp(slot->data, &count, 8) != 0;
        dp_ring_release(ring);
        count++;
    }
    pthread_join(producer, NULL);
    CHECK_EQUAL(bad, 0);
    free(ring);
}

int main(void)
{
    RUN_TESTS(TEST(test_slot_count_is_a_power_of_two),
        TEST(test_reserving_twice_gives_the_same_slot),
        TEST(test_a_slot_holds_all_its_data_and_no_other),
        TEST(test_an_heir_counts_what_the_dead_one_published),
        TEST(test_first_in_first_out_for_any_calls),
        TEST(test_nothing_is_lost_between_two_threads));
}
