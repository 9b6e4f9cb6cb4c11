/* dp_queue: pushes, takes and adoptions of small queues; producers and consumers die anywhere. */
#include "prove.h"

#include "dp_queue.h"

#define ITEMS 3u
#define TRIES 4u

static alignas(DP_QUEUE_PAD) unsigned char memory[8192];
static struct dp_queue *const queue = (struct dp_queue *)(void *)memory;
static struct dp_queue_lane *lanes[2];
static struct dp_queue_seat *seats[2];
static uint32_t pushed[2];    /* of each lane; the values of lane L are 10 * L + 1, 2, ... */
static uint32_t taken[2][10]; /* by each consumer thread: which values */
static uint32_t taken_count[2];
static bool used[30]; /* by a consumer that then said done */

static void note(uint32_t self, uint64_t value)
{
    PROVE(value < 30 && taken_count[self] < 10);
    taken[self][taken_count[self]++] = (uint32_t)value;
}

static void set_up(uint32_t lane_count, uint32_t slot_count)
{
    struct dp_queue_config config = {
        .lane_count = lane_count, .seat_count = 2, .slot_count = slot_count};
    memset(memory, 0, sizeof(memory));
    PROVE(dp_queue_size(&config) <= sizeof(memory));
    PROVE_EQUAL(dp_queue_init(queue, &config, NULL), 0);
    for (uint32_t lane = 0; lane < lane_count; lane++)
        lanes[lane] = dp_queue_lane_open(queue, 1 + lane);
    for (uint32_t seat = 0; seat < 2; seat++)
        seats[seat] = dp_queue_seat_open(queue, 11 + seat);
    pushed[0] = pushed[1] = taken_count[0] = taken_count[1] = 0;
    memset(used, 0, sizeof(used));
}

static void one_lane(void)
{
    set_up(1, 4);
}

static void two_lanes(void)
{
    set_up(2, 2);
}

static void push(uint32_t lane, uint32_t count)
{
    uint64_t values[2] = {10 * lane + pushed[lane] + 1, 10 * lane + pushed[lane] + 2};
    uint32_t before = prove_steps();
    pushed[lane] += dp_queue_push(lanes[lane], values, count);
    PROVE(prove_steps() - before <= 4 + count);
}

static void producer(void)
{
    push(0, 1);
    for (uint32_t tries = 0; tries < 2; tries++)
        push(0, pushed[0] == 1 ? 2 : 1);
}

static void producer_of_two(void)
{
    push(0, 2);
}

static void second_producer(void)
{
    push(1, 1);
    push(1, 1);
}

static void producer_one_by_one(void)
{
    push(0, 1);
    push(0, 1);
}

static void take(uint32_t self, uint32_t count)
{
    uint32_t before = prove_steps();
    dp_queue_take(queue, seats[self], count);
    PROVE(prove_steps() - before <= (10 + count) * queue->config.lane_count);
    for (uint32_t at = 0; at < seats[self]->count; at++)
        note(self, seats[self]->values[at]);
    dp_queue_done(seats[self]);
}

static void first_consumer(void)
{
    take(0, 1);
    take(0, 2);
}

static void second_consumer(void)
{
    take(1, 2);
}

static void first_consumer_once(void)
{
    take(0, 2);
}

static void consumer_of_many(void)
{
    take(1, 3);
}

/* Alone: whoever calls gets what waits. */
static void take_rest(void)
{
    while (dp_queue_take(queue, seats[1], 2) != 0) {
        for (uint32_t at = 0; at < seats[1]->count; at++)
            note(1, seats[1]->values[at]);
        dp_queue_done(seats[1]);
    }
}

/* Each value once, and those of a lane in order for each consumer. */
static void count_out(void)
{
    uint32_t times[30] = {0};
    for (uint32_t self = 0; self < 2; self++) {
        uint32_t last[2] = {0, 0};
        for (uint32_t at = 0; at < taken_count[self]; at++) {
            uint32_t value = taken[self][at];
            PROVE(value < 30 && value % 10 != 0 && value % 10 > last[value / 10]);
            last[value / 10] = value % 10;
            times[value]++;
        }
    }
    for (uint32_t lane = 0; lane < queue->config.lane_count; lane++)
        for (uint32_t value = 1; value < 10; value++)
            PROVE_EQUAL(times[10 * lane + value], value <= pushed[lane]);
}

static void all_came_once(void)
{
    take_rest();
    count_out();
}

/* The slots hold the values of the lap before. */
static void second_lap(void)
{
    set_up(1, 4);
    push(0, 2);
    push(0, 1);
    take_rest();
}

/* ---- deaths ---- */

static void mortal_producer(void)
{
    dp_queue_push(lanes[0], (uint64_t[]){1, 2}, 2);
}

/* An heir goes on in the lane of the dead: what it finds there is both values or none. */
static void producers_heir(void)
{
    if (!prove_is_dead(0))
        return;
    PROVE(dp_queue_lane_adopt(lanes[0], 1, 21));
    PROVE(!dp_queue_lane_adopt(lanes[0], 1, 22));
    pushed[0] = (uint32_t)dp_load_relaxed(&lanes[0]->tail);
    PROVE(pushed[0] == 0 || pushed[0] == 2);
    push(0, 1);
}

static void lane_goes_on(void)
{
    if (prove_is_dead(0))
        dp_queue_lane_adopt(lanes[0], 1, 23);
    pushed[0] = (uint32_t)dp_load_relaxed(&lanes[0]->tail);
    all_came_once();
}

static void mortal_consumer(void)
{
    uint32_t count = dp_queue_take(queue, seats[0], 2);
    for (uint32_t at = 0; at < count; at++) {
        PROVE(seats[0]->values[at] < 30);
        used[seats[0]->values[at]] = true;
    }
    dp_queue_done(seats[0]);
}

static void full_lane(void)
{
    set_up(1, 4);
    push(0, 2);
    push(0, 1);
}

/* Takes what it held into our list, unless it was dealt with. */
static void adopt(uint64_t dead, uint64_t heir)
{
    if (!dp_queue_seat_adopt(queue, seats[0], dead, heir))
        return;
    for (uint32_t at = 0; at < seats[0]->count; at++) {
        used[seats[0]->values[at]] = false;
        note(0, seats[0]->values[at]);
    }
    dp_queue_done(seats[0]);
}

static void consumers_heir(void)
{
    if (prove_is_dead(0))
        adopt(11, 21);
}

/* What the dead one had used and called done is in nobody's hands, everything else in one's. */
static void held_came_once(void)
{
    if (prove_is_dead(0))
        adopt(11, 31);
    take_rest();
    for (uint32_t value = 0; value < 30; value++)
        if (used[value])
            note(0, value);
    count_out();
}

/* ---- one after the other ---- */

static void closes_its_lane(void)
{
    push(0, 1);
    dp_queue_lane_close(lanes[0]);
}

static void opens_that_lane(void)
{
    struct dp_queue_lane *lane = dp_queue_lane_open(queue, 3);
    if (lane == NULL)
        return;
    pushed[0] += dp_queue_push(lane, (uint64_t[]){2, 3}, 2);
    PROVE_EQUAL(pushed[0], 3);
}

static void closes_its_seat(void)
{
    take(0, 1);
    dp_queue_seat_close(seats[0]);
}

static void opens_that_seat(void)
{
    struct dp_queue_seat *seat = dp_queue_seat_open(queue, 13);
    if (seat == NULL)
        return;
    PROVE(seat == &queue->seats[0]);
    take(0, 1);
}

static const struct prove_case cases[] = {
    {.name = "a producer, two consumers",
        .setup = one_lane,
        .threads = {first_consumer, second_consumer, producer},
        .finally = all_came_once},
    {.name = "two lanes of one slot",
        .setup = two_lanes,
        .threads = {first_consumer_once, second_consumer, producer_of_two, second_producer},
        .finally = all_came_once},
    {.name = "the second lap",
        .setup = second_lap,
        .threads = {producer_one_by_one, consumer_of_many},
        .finally = all_came_once},
    {.name = "a producer dies",
        .setup = one_lane,
        .threads = {mortal_producer, producers_heir, second_consumer},
        .finally = lane_goes_on,
        .mortal = 1},
    {.name = "a consumer dies",
        .setup = full_lane,
        .threads = {mortal_consumer, consumers_heir, second_consumer},
        .finally = held_came_once,
        .mortal = 1},
    {.name = "a lane changes hands",
        .setup = one_lane,
        .threads = {closes_its_lane, opens_that_lane},
        .finally = all_came_once},
    {.name = "a seat changes hands",
        .setup = full_lane,
        .threads = {closes_its_seat, opens_that_seat, second_consumer},
        .finally = all_came_once},
};

static const struct prove_spared spared[] = {
    {"dp_queue_push", "&lane->head",
        "a copy would be made of a slot's next value: a load that sees a later store, which the "
        "checker does not do"},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), spared, 1);
}
