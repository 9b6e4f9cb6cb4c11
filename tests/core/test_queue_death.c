/*
 * dp_queue when a process is stopped or killed: at every instruction of a push, of a take, and of a
 * take that another consumer goes past. What must be there afterwards is counted out.
 */
#include "check.h"
#include "dp_queue.h"
#include "queue_bench.h"
#include "step.h"

#define US 1u
#define CHILD 2u

struct scene {
    struct dp_queue *queue;
    struct dp_queue_lane *lane;  /* the child's, or the one it takes from */
    struct dp_queue_lane *other; /* ours */
    struct dp_queue_seat *seat;  /* the child's, or ours when it pushes */
    struct dp_queue_seat *our_seat;
    _Atomic uint64_t *used; /* sum of the values that the child used before it said done */
};

static const uint64_t values[] = {11, 12, 13};

static void open_scene(struct scene *scene)
{
    scene->queue = open_queue(2, 2, 8);
    scene->lane = dp_queue_lane_open(scene->queue, CHILD);
    scene->other = dp_queue_lane_open(scene->queue, US);
    scene->seat = dp_queue_seat_open(scene->queue, CHILD);
    scene->our_seat = dp_queue_seat_open(scene->queue, US);
    scene->used = shared_memory(sizeof(*scene->used));
}

static void close_scene(struct scene *scene)
{
    close_queue(scene->queue);
    munmap(scene->used, sizeof(*scene->used));
}

static void child_pushes(void *context)
{
    struct scene *scene = context;
    dp_queue_push(scene->lane, values, 3);
}

static void child_takes(void *context)
{
    struct scene *scene = context;
    uint32_t count = dp_queue_take(scene->queue, scene->seat, 2);
    for (uint32_t at = 0; at < count; at++)
        dp_fetch_add_relaxed(scene->used, scene->seat->values[at]);
    dp_queue_done(scene->seat);
}

static uint64_t take_all(struct scene *scene, uint32_t *count)
{
    uint64_t sum = 0;
    *count = 0;
    while (dp_queue_take(scene->queue, scene->our_seat, 64) != 0) {
        for (uint32_t at = 0; at < scene->our_seat->count; at++)
            sum += scene->our_seat->values[at];
        *count += scene->our_seat->count;
        dp_queue_done(scene->our_seat);
    }
    return sum;
}

static uint64_t length_of(void (*call)(void *), uint32_t there)
{
    struct scene scene;
    open_scene(&scene);
    dp_queue_push(scene.lane, values, there);
    uint64_t length = step_length(call, &scene);
    close_scene(&scene);
    return length;
}

/* All three or none; the heir goes on where the dead one stopped. False when the child had ended.
 */
static bool push_killed_after(uint64_t steps, uint64_t *whole)
{
    struct scene scene;
    open_scene(&scene);
    pid_t child = step_start(child_pushes, &scene);
    bool ended = step_on(child, steps);
    step_kill(child);

    uint32_t count = 0;
    uint64_t sum = take_all(&scene, &count);
    CHECK_THAT((count == 0 && sum == 0) || (count == 3 && sum == 36),
        "killed after %" PRIu64 " steps: %u values, sum %" PRIu64, steps, count, sum);
    CHECK(dp_queue_lane_adopt(scene.lane, CHILD, US));
    CHECK_EQUAL(dp_queue_push(scene.lane, values, 3), 3);
    CHECK_EQUAL(take_all(&scene, &count), 36);
    close_scene(&scene);
    *whole += sum != 0;
    return !ended;
}

static void test_a_push_killed_at_every_instruction_is_whole_or_nothing(void)
{
    uint64_t length = length_of(child_pushes, 0);
    uint64_t whole = 0;
    uint64_t tried = 1;
    for (uint64_t steps = 0; push_killed_after(steps, &whole); steps += step_stride(length))
        tried++;
    CHECK_THAT(whole != 0 && whole < tried, "%" PRIu64 " whole of %" PRIu64, whole, tried);
    printf("     %" PRIu64 " places of %" PRIu64 " instructions\n", tried, length);
}

/* `used` may hold the held ones as well: then they come twice, and only then. */
static bool take_killed_after(uint64_t steps, bool we_take_first, uint64_t *held_times)
{
    struct scene scene;
    open_scene(&scene);
    dp_queue_push(scene.lane, values, 3);
    pid_t child = step_start(child_takes, &scene);
    bool ended = step_on(child, steps);
    step_kill(child);

    uint32_t count = 0;
    uint64_t ours = we_take_first ? take_all(&scene, &count) : 0;
    CHECK(dp_queue_seat_adopt(scene.queue, scene.seat, CHILD, US));
    uint64_t held = 0;
    for (uint32_t at = 0; at < scene.seat->count; at++)
        held += scene.seat->values[at];
    CHECK_THAT(
        held == 0 || held == 23, "killed after %" PRIu64 " steps: held %" PRIu64, steps, held);
    dp_queue_done(scene.seat);
    ours += take_all(&scene, &count);
    uint64_t used = dp_load_relaxed(scene.used);
    CHECK_THAT(ours + (held != 0 ? held : used) == 36,
        "killed after %" PRIu64 " steps: used %" PRIu64 ", held %" PRIu64 ", then %" PRIu64, steps,
        used, held, ours);
    close_scene(&scene);
    *held_times += held != 0;
    return !ended;
}

static void kill_at_every_instruction_of_a_take(bool we_take_first)
{
    uint64_t length = length_of(child_takes, 3);
    uint64_t held_times = 0;
    uint64_t stride = step_stride(length);
    for (uint64_t steps = 0; take_killed_after(steps, we_take_first, &held_times);)
        steps += stride;
    CHECK(held_times != 0);
}

static void test_a_take_killed_at_every_instruction_loses_nothing(void)
{
    kill_at_every_instruction_of_a_take(false);
}

static void test_the_same_when_others_take_before_the_heir_looks(void)
{
    kill_at_every_instruction_of_a_take(true);
}

/* The child stands still in its call: all others push and take as if it were not there. */
static bool stop_after(void (*call)(void *), uint64_t steps, uint32_t there)
{
    struct scene scene;
    open_scene(&scene);
    dp_queue_push(scene.lane, values, there);
    pid_t child = step_start(call, &scene);
    bool ended = step_on(child, steps);

    uint32_t count = 0;
    uint64_t sum = 0;
    for (int round = 0; round < 3; round++) {
        CHECK_EQUAL(dp_queue_push(scene.other, values, 3), 3);
        sum += take_all(&scene, &count);
        CHECK_THAT(count >= 3, "stopped after %" PRIu64 " steps: %u taken", steps, count);
    }
    if (!ended)
        step_finish(child);
    sum += take_all(&scene, &count) + dp_load_relaxed(scene.used);
    CHECK_THAT(sum == 4 * 36, "stopped after %" PRIu64 " steps: sum %" PRIu64, steps, sum);
    close_scene(&scene);
    return !ended;
}

static void stop_at_every_instruction(void (*call)(void *), uint32_t there)
{
    uint64_t stride = step_stride(length_of(call, there));
    for (uint64_t steps = 0; stop_after(call, steps, there);)
        steps += stride;
}

static void test_a_producer_stopped_at_every_instruction_stops_nobody(void)
{
    stop_at_every_instruction(child_pushes, 0);
}

static void test_a_consumer_stopped_at_every_instruction_stops_nobody(void)
{
    stop_at_every_instruction(child_takes, 3);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_push_killed_at_every_instruction_is_whole_or_nothing),
        TEST(test_a_take_killed_at_every_instruction_loses_nothing),
        TEST(test_the_same_when_others_take_before_the_heir_looks),
        TEST(test_a_producer_stopped_at_every_instruction_stops_nobody),
        TEST(test_a_consumer_stopped_at_every_instruction_stops_nobody));
}
