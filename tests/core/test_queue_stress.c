/*
 * dp_queue among processes that are killed, stopped and replaced at random, and among threads.
 *
 *     test_queue_stress [SEED]
 *
 * Each value is its lane and its place there. What comes out is marked in shared memory: at the end
 * every value that was pushed must be marked once, and each consumer must have seen each lane in
 * order. An heir marks of what the dead one held only what that one had not marked itself.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "dp_queue.h"
#include "queue_bench.h"

#define PRODUCERS 3u
#define CONSUMERS 3u
#define SLOTS 64u
#define VALUES_MAX (1u << 22) /* of one lane */
#define HARASS_SECONDS 0.7

struct world {
    struct dp_queue *queue;
    _Atomic uint32_t producers_end;
    _Atomic uint32_t consumers_end;
    _Atomic uint32_t out_of_order;
    _Atomic uint8_t marks[PRODUCERS][VALUES_MAX];
};

struct participant {
    struct world *world;
    uint32_t index; /* its lane or its seat */
    uint64_t owner;
    uint64_t dead; /* whom it follows; 0: nobody */
    uint64_t random;
    pid_t pid;
};

static uint64_t run_seed = 1;

static struct world *open_world(void)
{
    struct world *world = shared_memory(sizeof(struct world));
    world->queue = open_queue(PRODUCERS, CONSUMERS + 1, SLOTS);
    for (uint32_t lane = 0; lane < PRODUCERS; lane++)
        dp_store_relaxed(&dp_queue_lane_at(world->queue, lane)->owner, 1);
    for (uint32_t seat = 0; seat < CONSUMERS; seat++)
        dp_store_relaxed(&world->queue->seats[seat].owner, 1);
    return world;
}

static void close_world(struct world *world)
{
    close_queue(world->queue);
    munmap(world, sizeof(*world));
}

/* An heir goes on where the lane stands, wherever the dead one stood in its push. */
static void produce(struct participant *self)
{
    struct dp_queue_lane *lane = dp_queue_lane_at(self->world->queue, self->index);
    if (!dp_queue_lane_adopt(lane, self->dead, self->owner))
        abort();
    uint64_t next = dp_load_relaxed(&lane->tail);
    while (!dp_load_relaxed(&self->world->producers_end) && next + 8 < VALUES_MAX) {
        uint64_t values[8];
        uint32_t count = 1 + (uint32_t)(check_random(&self->random) % 8);
        for (uint32_t at = 0; at < count; at++)
            values[at] = (uint64_t)(self->index + 1) << 32 | (next + at);
        uint32_t stored = dp_queue_push(lane, values, count);
        next += stored;
        if (stored == 0)
            sched_yield();
    }
}

static _Atomic uint8_t *mark_of(struct world *world, uint64_t value)
{
    uint64_t lane = (value >> 32) - 1;
    if (lane >= PRODUCERS || (uint32_t)value >= VALUES_MAX)
        abort();
    return &world->marks[lane][(uint32_t)value];
}

static void inherit(struct participant *self, struct dp_queue_seat *seat)
{
    if (!dp_queue_seat_adopt(self->world->queue, seat, self->dead, self->owner))
        abort();
    for (uint32_t at = 0; at < seat->count; at++) {
        _Atomic uint8_t *mark = mark_of(self->world, seat->values[at]);
        if (dp_load_relaxed(mark) == 0)
            dp_fetch_add_relaxed(mark, 1);
    }
    dp_queue_done(seat);
}

static void use(struct world *world, struct dp_queue_seat *seat, uint64_t next[PRODUCERS])
{
    for (uint32_t at = 0; at < seat->count; at++) {
        uint64_t value = seat->values[at];
        dp_fetch_add_relaxed(mark_of(world, value), 1);
        uint64_t lane = (value >> 32) - 1;
        if ((uint32_t)value < next[lane])
            dp_fetch_add_relaxed(&world->out_of_order, 1);
        next[lane] = (uint32_t)value + 1;
    }
}

static void consume(struct participant *self)
{
    struct world *world = self->world;
    struct dp_queue_seat *seat = &world->queue->seats[self->index];
    uint64_t next[PRODUCERS] = {0};
    inherit(self, seat);
    while (!dp_load_relaxed(&world->consumers_end)) {
        uint32_t count = 1 + (uint32_t)(check_random(&self->random) % 16);
        if (dp_queue_take(world->queue, seat, count) == 0)
            sched_yield();
        use(world, seat, next);
        dp_queue_done(seat);
    }
}

static void take_rest(struct world *world)
{
    struct dp_queue_seat *seat = dp_queue_seat_open(world->queue, 2);
    uint64_t next[PRODUCERS] = {0};
    while (dp_queue_take(world->queue, seat, 64) != 0) {
        use(world, seat, next);
        dp_queue_done(seat);
    }
    dp_queue_seat_close(seat);
}

static void check_marks(struct world *world)
{
    uint64_t lost = 0;
    uint64_t doubled = 0;
    uint64_t sum = 0;
    for (uint32_t lane = 0; lane < PRODUCERS; lane++) {
        uint64_t tail = dp_load_relaxed(&dp_queue_lane_at(world->queue, lane)->tail);
        for (uint64_t value = 0; value < VALUES_MAX; value++) {
            uint8_t mark = dp_load_relaxed(&world->marks[lane][value]);
            lost += mark == 0 && value < tail;
            doubled += mark > (value < tail);
        }
        sum += tail;
    }
    CHECK_THAT(lost == 0 && doubled == 0 && dp_load_relaxed(&world->out_of_order) == 0,
        "seed %" PRIu64 ": %" PRIu64 " lost, %" PRIu64 " doubled, %u out of order", run_seed, lost,
        doubled, dp_load_relaxed(&world->out_of_order));
    CHECK(sum != 0);
    printf("     seed %" PRIu64 ": %" PRIu64 " values\n", run_seed, sum);
}

/* ---- processes ---- */

static void start_process(struct participant *one)
{
    one->pid = fork();
    if (one->pid != 0)
        return;
    one->owner = (uint64_t)getpid();
    if (one->index < PRODUCERS)
        produce(one);
    else {
        one->index -= PRODUCERS;
        consume(one);
    }
    _exit(0);
}

static _Atomic uint64_t *owner_of(const struct participant *one)
{
    struct dp_queue *queue = one->world->queue;
    return one->index < PRODUCERS ? &dp_queue_lane_at(queue, one->index)->owner
                                  : &queue->seats[one->index - PRODUCERS].owner;
}

static void replace_process(struct participant *one)
{
    kill(one->pid, SIGKILL);
    waitpid(one->pid, NULL, 0);
    /* The one killed, or its predecessor when it had not even inherited yet. */
    one->dead = dp_load_relaxed(owner_of(one));
    one->random++;
    start_process(one);
}

static void await(const struct participant *one)
{
    int status = 0;
    waitpid(one->pid, &status, 0);
    CHECK_EQUAL(status, 0);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void pause_for(uint64_t us)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

/* Until the time is up: one of them killed and replaced, or stopped for a moment. */
static uint32_t harass(struct participant *all, uint32_t count, uint64_t *random)
{
    uint32_t kills = 0;
    for (double end = now() + HARASS_SECONDS; now() < end;) {
        struct participant *one = &all[check_random(random) % count];
        if (check_random(random) % 2 == 0) {
            replace_process(one);
            kills++;
        } else {
            kill(one->pid, SIGSTOP);
            pause_for(check_random(random) % 2000);
            kill(one->pid, SIGCONT);
        }
        pause_for(check_random(random) % 3000);
    }
    return kills;
}

static void test_processes_that_are_killed_and_stopped_lose_and_double_nothing(void)
{
    struct world *world = open_world();
    struct participant all[PRODUCERS + CONSUMERS];
    uint64_t random = run_seed;
    for (uint32_t index = 0; index < PRODUCERS + CONSUMERS; index++) {
        all[index] = (struct participant){
            .world = world, .index = index, .dead = 1, .random = run_seed * 100 + index};
        start_process(&all[index]);
    }
    printf("     %u kills\n", harass(all, PRODUCERS + CONSUMERS, &random));
    dp_store_relaxed(&world->producers_end, 1);
    for (uint32_t index = 0; index < PRODUCERS; index++)
        await(&all[index]);
    dp_store_relaxed(&world->consumers_end, 1);
    for (uint32_t index = PRODUCERS; index < PRODUCERS + CONSUMERS; index++)
        await(&all[index]);
    take_rest(world);
    check_marks(world);
    close_world(world);
}

/* ---- threads ---- */

static void *produce_in_thread(void *one)
{
    produce(one);
    return NULL;
}

static void *consume_in_thread(void *one)
{
    consume(one);
    return NULL;
}

static void test_threads_lose_and_double_nothing(void)
{
    struct world *world = open_world();
    struct participant all[PRODUCERS + CONSUMERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    for (uint32_t index = 0; index < PRODUCERS + CONSUMERS; index++) {
        bool produces = index < PRODUCERS;
        all[index] = (struct participant){.world = world,
            .index = produces ? index : index - PRODUCERS,
            .dead = 1,
            .owner = 10 + index,
            .random = run_seed * 100 + index};
        pthread_create(
            &threads[index], NULL, produces ? produce_in_thread : consume_in_thread, &all[index]);
    }
    pause_for(300000);
    dp_store_relaxed(&world->producers_end, 1);
    for (uint32_t index = 0; index < PRODUCERS; index++)
        pthread_join(threads[index], NULL);
    dp_store_relaxed(&world->consumers_end, 1);
    for (uint32_t index = PRODUCERS; index < PRODUCERS + CONSUMERS; index++)
        pthread_join(threads[index], NULL);
    take_rest(world);
    check_marks(world);
    close_world(world);
}

int main(int count, char **words)
{
    if (count > 1)
        run_seed = strtoull(words[1], NULL, 0);
    RUN_TESTS(TEST(test_processes_that_are_killed_and_stopped_lose_and_double_nothing),
        TEST(test_threads_lose_and_double_nothing));
}
