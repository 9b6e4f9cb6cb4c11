/* dp_queue: its edges, against lists of numbers, and who owns what. Death: test_queue_death. */
#include <errno.h>

#include "check.h"
#include "dp_queue.h"
#include "queue_bench.h"

#define LANES 3u
#define SEATS 2u

static void test_a_configuration_out_of_range_says_why(void)
{
    static const struct {
        struct dp_queue_config config;
        const char *text;
    } rows[] = {
        {{0, 1, 2}, "queue: lane_count: 0; give at least 1, at most 64"},
        {{65, 1, 2}, "queue: lane_count: 65; give at least 1, at most 64"},
        {{1, 0, 2}, "queue: seat_count: 0; give at least 1, at most 254"},
        {{1, 255, 2}, "queue: seat_count: 255; give at least 1, at most 254"},
        {{1, 1, 1}, "queue: slot_count: 1; give a power of two from 2 to 1048576"},
        {{1, 1, 3}, "queue: slot_count: 3; give a power of two from 2 to 1048576"},
        {{1, 1, 2097152}, "queue: slot_count: 2097152; give a power of two from 2 to 1048576"},
    };
    struct dp_queue *queue = open_queue(1, 1, 2);
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_err err = {0};
        CHECK_EQUAL(dp_queue_init(queue, &rows[index].config, &err), -EINVAL);
        CHECK_TEXT(err.text, rows[index].text);
    }
    close_queue(queue);
}

static void test_lanes_and_seats_have_one_owner_each(void)
{
    struct dp_queue *queue = open_queue(2, 2, 2);
    struct dp_queue_lane *first = dp_queue_lane_open(queue, 7);
    CHECK(first == dp_queue_lane_at(queue, 0));
    CHECK(dp_queue_lane_open(queue, 7) == dp_queue_lane_at(queue, 1));
    CHECK(dp_queue_lane_open(queue, 8) == NULL);
    dp_queue_lane_close(first);
    CHECK(dp_queue_lane_open(queue, 8) == first);

    struct dp_queue_seat *seat = dp_queue_seat_open(queue, 7);
    CHECK(seat == &queue->seats[0] && dp_queue_seat_open(queue, 8) == &queue->seats[1]);
    CHECK(dp_queue_seat_open(queue, 9) == NULL);
    dp_queue_seat_close(seat);
    CHECK(dp_queue_seat_open(queue, 9) == seat);
    close_queue(queue);
}

static void test_of_many_heirs_one_inherits(void)
{
    struct dp_queue *queue = open_queue(1, 1, 2);
    struct dp_queue_lane *lane = dp_queue_lane_open(queue, 1);
    CHECK(!dp_queue_lane_adopt(lane, 5, 2)); /* never was the owner */
    CHECK(dp_queue_lane_adopt(lane, 1, 2));
    CHECK(!dp_queue_lane_adopt(lane, 1, 3)); /* is it no more */
    struct dp_queue_seat *seat = dp_queue_seat_open(queue, 1);
    CHECK(!dp_queue_seat_adopt(queue, seat, 5, 2));
    CHECK(dp_queue_seat_adopt(queue, seat, 1, 2));
    CHECK_EQUAL(seat->count, 0);
    CHECK(!dp_queue_seat_adopt(queue, seat, 1, 3));
    close_queue(queue);
}

static void test_a_full_lane_stores_what_fits_and_stops_nobody_else(void)
{
    static const uint64_t values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct dp_queue *queue = open_queue(2, 1, 8);
    struct dp_queue_lane *lane = dp_queue_lane_open(queue, 1);
    struct dp_queue_lane *other = dp_queue_lane_open(queue, 2);
    struct dp_queue_seat *seat = dp_queue_seat_open(queue, 3);
    CHECK_EQUAL(dp_queue_push(lane, values, 9), 7);
    CHECK_EQUAL(dp_queue_push(lane, values, 1), 0);
    CHECK_EQUAL(dp_queue_push(other, values, 1), 1);
    CHECK_EQUAL(dp_queue_take(queue, seat, 3), 3);
    CHECK(memcmp(seat->values, values, 3 * sizeof(uint64_t)) == 0);
    dp_queue_done(seat);
    CHECK_EQUAL(dp_queue_push(lane, values + 6, 3), 3);
    close_queue(queue);
}

/* A busy lane keeps a consumer for a while, and not for ever. */
static void test_every_lane_gets_its_turn(void)
{
    struct dp_queue *queue = open_queue(2, 1, 64);
    struct dp_queue_lane *busy = dp_queue_lane_open(queue, 1);
    struct dp_queue_lane *quiet = dp_queue_lane_open(queue, 1);
    struct dp_queue_seat *seat = dp_queue_seat_open(queue, 2);
    uint64_t busy_value = 1;
    uint64_t quiet_value = 2;
    for (int fill = 0; fill < 40; fill++)
        dp_queue_push(busy, &busy_value, 1);
    dp_queue_push(quiet, &quiet_value, 1);
    int takes = 0;
    do {
        CHECK_EQUAL(dp_queue_take(queue, seat, 1), 1);
        dp_queue_done(seat);
        takes++;
    } while (seat->values[0] == 1 && takes < 40);
    CHECK_EQUAL(takes, 17);
    close_queue(queue);
}

static void test_an_heir_gets_what_was_held(void)
{
    static const uint64_t values[] = {1, 2, 3};
    struct dp_queue *queue = open_queue(1, 2, 4);
    struct dp_queue_lane *lane = dp_queue_lane_open(queue, 1);
    struct dp_queue_seat *seat = dp_queue_seat_open(queue, 2);
    dp_queue_push(lane, values, 3);
    CHECK_EQUAL(dp_queue_take(queue, seat, 2), 2);
    CHECK(dp_queue_seat_adopt(queue, seat, 2, 3));
    CHECK_EQUAL(seat->count, 2);
    CHECK_EQUAL(seat->values[1], 2);
    CHECK(dp_queue_seat_adopt(queue, seat, 3, 4)); /* and the heir's heir */
    CHECK_EQUAL(seat->count, 2);
    dp_queue_done(seat);
    CHECK(dp_queue_seat_adopt(queue, seat, 4, 5));
    CHECK_EQUAL(seat->count, 0);
    CHECK_EQUAL(dp_queue_take(queue, seat, 64), 1);
    CHECK_EQUAL(seat->values[0], 3);
    close_queue(queue);
}

/* The model: what was pushed to a lane is in[lane] numbers from 0 on, out[lane] of them came out.
 */
struct model {
    uint64_t seed;
    struct dp_queue *queue;
    struct dp_queue_lane *lanes[LANES];
    struct dp_queue_seat *seats[SEATS];
    uint64_t in[LANES];
    uint64_t out[LANES];
};

static void push_some(struct model *model, uint64_t *state, uint32_t slots)
{
    uint64_t values[9];
    uint32_t lane = (uint32_t)(check_random(state) % LANES);
    uint32_t count = (uint32_t)(check_random(state) % 9);
    for (uint32_t at = 0; at < count; at++)
        values[at] = (uint64_t)(lane + 1) << 32 | (model->in[lane] + at);
    uint64_t room = slots - 1 - (model->in[lane] - model->out[lane]);
    uint32_t stored = dp_queue_push(model->lanes[lane], values, count);
    CHECK_THAT(stored == (count < room ? count : room), "seed %" PRIu64 ": %u stored of %u",
        model->seed, stored, count);
    model->in[lane] += stored;
}

static void take_some(struct model *model, uint64_t *state)
{
    struct dp_queue_seat *seat = model->seats[check_random(state) % SEATS];
    uint32_t count = dp_queue_take(model->queue, seat, 1 + (uint32_t)(check_random(state) % 9));
    bool is_empty = true;
    for (uint32_t lane = 0; lane < LANES; lane++)
        is_empty &= model->in[lane] == model->out[lane];
    CHECK_THAT((count == 0) == is_empty, "seed %" PRIu64 ": %u taken", model->seed, count);
    for (uint32_t at = 0; at < count; at++) {
        uint64_t lane = (seat->values[at] >> 32) - 1;
        CHECK_THAT(lane < LANES && (uint32_t)seat->values[at] == model->out[lane],
            "seed %" PRIu64 ": %" PRIx64, model->seed, seat->values[at]);
        model->out[lane % LANES]++;
    }
    dp_queue_done(seat);
}

static void walk(uint64_t seed, uint32_t slots)
{
    struct model model = {.seed = seed, .queue = open_queue(LANES, SEATS, slots)};
    for (uint32_t lane = 0; lane < LANES; lane++)
        model.lanes[lane] = dp_queue_lane_open(model.queue, 1);
    for (uint32_t seat = 0; seat < SEATS; seat++)
        model.seats[seat] = dp_queue_seat_open(model.queue, 2);
    uint64_t state = seed;
    for (int step = 0; step < 20000; step++) {
        if (check_random(&state) % 2 == 0)
            push_some(&model, &state, slots);
        else
            take_some(&model, &state);
    }
    close_queue(model.queue);
}

static void test_first_in_first_out_of_each_lane_for_any_calls(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (uint32_t slots = 2; slots <= 32; slots *= 2)
            walk(seed, slots);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_configuration_out_of_range_says_why),
        TEST(test_lanes_and_seats_have_one_owner_each), TEST(test_of_many_heirs_one_inherits),
        TEST(test_a_full_lane_stores_what_fits_and_stops_nobody_else),
        TEST(test_every_lane_gets_its_turn), TEST(test_an_heir_gets_what_was_held),
        TEST(test_first_in_first_out_of_each_lane_for_any_calls));
}
