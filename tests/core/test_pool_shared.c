/* dp_pool_shared against an array of who has what; and among processes that are killed. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "dp_pool_shared.h"
#include "queue_bench.h"
#include "step.h"

#define WORKERS 3u
#define SEATS 4u
#define RECORDS 300u
#define KILLS 100u

static struct dp_pool_shared *open_pool(uint32_t records, uint32_t seats)
{
    struct dp_pool_shared *pool = shared_memory(dp_pool_shared_size(records, seats));
    CHECK_EQUAL(dp_pool_shared_init(pool, records, seats, NULL), 0);
    return pool;
}

static void close_pool(struct dp_pool_shared *pool)
{
    munmap(pool, dp_pool_shared_size(pool->record_count, pool->seat_count));
}

static void test_a_pool_out_of_range_says_why(void)
{
    static const struct {
        uint32_t records, seats;
        const char *text;
    } rows[] = {
        {0, 1, "pool: record_count: 0; give at least 1, at most 16777216"},
        {16777217, 1, "pool: record_count: 16777217; give at least 1, at most 16777216"},
        {1, 0, "pool: seat_count: 0; give at least 1, at most 250"},
        {1, 251, "pool: seat_count: 251; give at least 1, at most 250"},
    };
    struct dp_pool_shared *pool = open_pool(1, 1);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct dp_err err = {0};
        CHECK_EQUAL(dp_pool_shared_init(pool, rows[row].records, rows[row].seats, &err), -EINVAL);
        CHECK_TEXT(err.text, rows[row].text);
    }
    close_pool(pool);
}

static void test_an_exhausted_pool_says_so_and_recovers(void)
{
    struct dp_pool_shared *pool = open_pool(65, 2);
    struct dp_pool_seat *seat = dp_pool_seat_open(pool, 1);
    uint64_t handle = 0;
    for (uint32_t count = 0; count < 65; count++) {
        handle = dp_pool_shared_take(pool, seat);
        CHECK_EQUAL(dp_pool_index(handle), count); /* neighbours first */
    }
    CHECK_EQUAL(dp_pool_shared_take(pool, seat), 0);
    CHECK_EQUAL(dp_pool_shared_out(pool), 65);
    CHECK(dp_pool_shared_give(pool, seat, handle));
    CHECK_EQUAL(dp_pool_shared_out(pool), 64);
    CHECK_EQUAL(dp_pool_index(dp_pool_shared_take(pool, seat)), 64);
    close_pool(pool);
}

static void test_a_stale_handle_is_known_and_changes_nothing(void)
{
    struct dp_pool_shared *pool = open_pool(1, 2);
    struct dp_pool_seat *seat = dp_pool_seat_open(pool, 1);
    uint64_t old = dp_pool_shared_take(pool, seat);
    CHECK(old != 0 && dp_pool_shared_has(pool, old));
    CHECK(dp_pool_shared_give(pool, seat, old));
    CHECK(!dp_pool_shared_has(pool, old) && !dp_pool_shared_give(pool, seat, old));
    uint64_t new = dp_pool_shared_take(pool, seat);
    CHECK(new != old &&dp_pool_index(new) == dp_pool_index(old));
    CHECK(!dp_pool_shared_give(pool, seat, old) && !dp_pool_shared_hold(pool, seat, old));
    CHECK(dp_pool_shared_has(pool, new));
    CHECK(!dp_pool_shared_has(pool, 0) && !dp_pool_shared_give(pool, seat, 0));
    CHECK(!dp_pool_shared_has(pool, new | 5)); /* no such record */
    close_pool(pool);
}

static void test_what_one_seat_caches_comes_back_when_it_closes(void)
{
    struct dp_pool_shared *pool = open_pool(64, 2);
    struct dp_pool_seat *first = dp_pool_seat_open(pool, 1);
    struct dp_pool_seat *second = dp_pool_seat_open(pool, 2);
    CHECK(dp_pool_seat_open(pool, 3) == NULL);
    uint64_t handle = dp_pool_shared_take(pool, first);
    CHECK_EQUAL(dp_pool_shared_take(pool, second), 0); /* the others are the first one's cache */
    dp_pool_seat_close(pool, first);
    CHECK(dp_pool_shared_has(pool, handle));
    for (uint32_t count = 0; count < 63; count++)
        CHECK(dp_pool_shared_take(pool, second) != 0);
    CHECK_EQUAL(dp_pool_shared_take(pool, second), 0);
    close_pool(pool);
}

static void walk(uint64_t seed)
{
    struct dp_pool_shared *pool = open_pool(RECORDS, SEATS);
    struct dp_pool_seat *seats[SEATS];
    uint64_t out[RECORDS] = {0};
    uint32_t out_count = 0;
    uint64_t state = seed;
    for (uint32_t seat = 0; seat < SEATS; seat++)
        seats[seat] = dp_pool_seat_open(pool, 1);
    for (int step = 0; step < 20000; step++) {
        struct dp_pool_seat *seat = seats[check_random(&state) % SEATS];
        uint32_t index = (uint32_t)(check_random(&state) % RECORDS);
        if (out[index] != 0) {
            CHECK(dp_pool_shared_give(pool, seat, out[index]));
            out[index] = 0;
            out_count--;
            continue;
        }
        uint64_t handle = dp_pool_shared_take(pool, seat);
        CHECK_THAT(handle != 0 || out_count + 64 * SEATS > RECORDS,
            "seed %" PRIu64 ", step %d: none of %u free", seed, step, RECORDS - out_count);
        if (handle == 0)
            continue;
        CHECK_THAT(out[dp_pool_index(handle)] == 0, "seed %" PRIu64 ", step %d", seed, step);
        out[dp_pool_index(handle)] = handle;
        out_count++;
    }
    CHECK_EQUAL(dp_pool_shared_out(pool), out_count);
    close_pool(pool);
}

static void test_no_record_is_out_twice(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        walk(seed);
}

/* ---- death ---- */

struct scene {
    struct dp_pool_shared *pool;
    struct dp_pool_seat *childs;
    struct dp_pool_seat *ours;
    uint64_t handle; /* of ours, for the child to give */
};

/* Takes two from its cache, gives one of them and one of another's block. */
static void child_works(void *context)
{
    struct scene *scene = context;
    uint64_t first = dp_pool_shared_take(scene->pool, scene->childs);
    dp_pool_shared_take(scene->pool, scene->childs);
    dp_pool_shared_give(scene->pool, scene->childs, scene->handle);
    dp_pool_shared_give(scene->pool, scene->childs, first);
}

static void open_scene(struct scene *scene)
{
    scene->pool = open_pool(128, 2);
    scene->ours = dp_pool_seat_open(scene->pool, 1);
    scene->childs = dp_pool_seat_open(scene->pool, 2);
    scene->handle = dp_pool_shared_take(scene->pool, scene->ours);
    dp_pool_shared_hold(scene->pool, scene->childs, scene->handle);
}

/* What it held is listed; with that given back, all records are there again, each once. */
static bool is_whole_when_killed_after(uint64_t steps)
{
    struct scene scene;
    open_scene(&scene);
    pid_t child = step_start(child_works, &scene);
    bool ended = step_on(child, steps);
    step_kill(child);

    CHECK(!dp_pool_seat_recover(scene.pool, scene.childs, 7, 3));
    CHECK(dp_pool_seat_recover(scene.pool, scene.childs, 2, 3));
    uint32_t index = 0;
    uint64_t handle;
    while ((handle = dp_pool_held(scene.pool, scene.childs, &index)) != 0)
        CHECK(dp_pool_shared_give(scene.pool, scene.childs, handle));
    dp_pool_seat_close(scene.pool, scene.childs);
    CHECK_EQUAL(dp_pool_shared_out(scene.pool), 0);
    uint32_t count = 0;
    while (dp_pool_shared_take(scene.pool, scene.ours) != 0)
        count++;
    CHECK_THAT(count == 128, "killed after %" PRIu64 " steps: %u records", steps, count);
    close_pool(scene.pool);
    return !ended;
}

static void test_killed_at_every_instruction_it_loses_nothing(void)
{
    struct scene scene;
    open_scene(&scene);
    uint64_t stride = step_stride(step_length(child_works, &scene));
    close_pool(scene.pool);
    for (uint64_t steps = 0; is_whole_when_killed_after(steps);)
        steps += stride;
}

/* Workers take records and push their handles into a queue, or take handles from it and give the
 * records back. */
struct shared {
    struct dp_pool_shared *pool;
    struct dp_queue *queue;
    _Atomic uint32_t end;
    _Atomic uint32_t bad;
    uint64_t content[RECORDS]; /* the handle of who has the record */
};

struct worker {
    struct shared *shared;
    struct dp_pool_seat *pool_seat;
    struct dp_queue_seat *queue_seat;
    struct dp_queue_lane *lane;
    uint64_t random;
};

static void use(struct worker *self, uint64_t handle)
{
    uint64_t *content = &self->shared->content[dp_pool_index(handle)];
    *content = handle;
    if (check_random(&self->random) % 16 == 0)
        sched_yield();
    if (*content != handle)
        dp_fetch_add_relaxed(&self->shared->bad, 1);
}

static void send_one(struct worker *self)
{
    uint64_t handle = dp_pool_shared_take(self->shared->pool, self->pool_seat);
    if (handle == 0)
        return;
    use(self, handle);
    if (dp_queue_push(self->lane, &handle, 1) == 0)
        dp_pool_shared_give(self->shared->pool, self->pool_seat, handle);
}

static void receive_some(struct worker *self)
{
    dp_queue_take(self->shared->queue, self->queue_seat, 4);
    for (uint32_t at = 0; at < self->queue_seat->count; at++) {
        uint64_t handle = self->queue_seat->values[at];
        if (!dp_pool_shared_hold(self->shared->pool, self->pool_seat, handle))
            dp_fetch_add_relaxed(&self->shared->bad, 1);
        use(self, handle);
        if (!dp_pool_shared_give(self->shared->pool, self->pool_seat, handle))
            dp_fetch_add_relaxed(&self->shared->bad, 1);
    }
    dp_queue_done(self->queue_seat);
}

static void work(struct shared *shared, uint64_t random)
{
    uint64_t owner = (uint64_t)getpid();
    struct worker self = {
        .shared = shared,
        .pool_seat = dp_pool_seat_open(shared->pool, owner),
        .queue_seat = dp_queue_seat_open(shared->queue, owner),
        .lane = dp_queue_lane_open(shared->queue, owner),
        .random = random,
    };
    while (!dp_load_relaxed(&shared->end)) {
        if (check_random(&self.random) % 2 == 0)
            send_one(&self);
        else
            receive_some(&self);
    }
    dp_pool_seat_close(shared->pool, self.pool_seat);
}

static pid_t start(struct shared *shared, uint64_t random)
{
    pid_t child = fork();
    if (child == 0) {
        work(shared, random);
        _exit(0);
    }
    return child;
}

/* In a lane, or in the hands of a consumer that has not said yet that it holds the record. */
static bool is_on_its_way(const struct shared *shared, uint64_t handle)
{
    for (uint32_t index = 0; index < shared->queue->config.lane_count; index++) {
        struct dp_queue_lane *lane = dp_queue_lane_at(shared->queue, index);
        uint64_t tail = dp_load_relaxed(&lane->tail);
        for (uint64_t count = dp_load_relaxed(&lane->head) >> 8; count <= tail; count++)
            if (dp_load_relaxed(&lane->slots[count & lane->slot_mask]) == handle)
                return true;
    }
    for (uint32_t index = 0; index < shared->queue->config.seat_count; index++) {
        const struct dp_queue_seat *seat = &shared->queue->seats[index];
        for (uint32_t at = 0; at < seat->count; at++)
            if (seat->values[at] == handle)
                return true;
    }
    return false;
}

/* What a dead consumer held, and may have given back already. */
static void bury_in_queue(struct shared *shared, struct dp_pool_seat *seat, uint64_t dead)
{
    for (uint32_t index = 0; index < shared->queue->config.lane_count; index++) {
        struct dp_queue_lane *lane = dp_queue_lane_at(shared->queue, index);
        if (dp_queue_lane_adopt(lane, dead, 1))
            dp_queue_lane_close(lane);
    }
    for (uint32_t index = 0; index < shared->queue->config.seat_count; index++) {
        struct dp_queue_seat *held = &shared->queue->seats[index];
        if (!dp_queue_seat_adopt(shared->queue, held, dead, 1))
            continue;
        for (uint32_t at = 0; at < held->count; at++)
            dp_pool_shared_give(shared->pool, seat, held->values[at]);
        dp_queue_done(held);
        dp_queue_seat_close(held);
    }
}

/* All others stand still meanwhile, so that a record on its way is seen there. */
static void bury(struct shared *shared, uint64_t dead)
{
    for (uint32_t index = 0; index < shared->pool->seat_count; index++) {
        struct dp_pool_seat *seat = dp_pool_seat_at(shared->pool, index);
        if (!dp_pool_seat_recover(shared->pool, seat, dead, 1))
            continue;
        bury_in_queue(shared, seat, dead);
        uint32_t at = 0;
        uint64_t handle;
        while ((handle = dp_pool_held(shared->pool, seat, &at)) != 0)
            if (!is_on_its_way(shared, handle))
                CHECK(dp_pool_shared_give(shared->pool, seat, handle));
        dp_pool_seat_close(shared->pool, seat);
    }
}

static void stop(const pid_t *workers, uint32_t but)
{
    for (uint32_t index = 0; index < WORKERS; index++) {
        if (index == but)
            continue;
        kill(workers[index], SIGSTOP);
        waitpid(workers[index], NULL, WUNTRACED);
    }
}

static void go_on(const pid_t *workers, uint32_t but)
{
    for (uint32_t index = 0; index < WORKERS; index++)
        if (index != but)
            kill(workers[index], SIGCONT);
}

static void harass(struct shared *shared, uint64_t seed)
{
    pid_t workers[WORKERS];
    uint64_t random = seed;
    for (uint32_t index = 0; index < WORKERS; index++)
        workers[index] = start(shared, seed + index);
    for (uint32_t kills = 0; kills < KILLS; kills++) {
        nanosleep(&(struct timespec){.tv_nsec = (long)(check_random(&random) % 4000000)}, NULL);
        uint32_t index = (uint32_t)(check_random(&random) % WORKERS);
        kill(workers[index], SIGKILL);
        waitpid(workers[index], NULL, 0);
        stop(workers, index);
        bury(shared, (uint64_t)workers[index]);
        go_on(workers, index);
        workers[index] = start(shared, random);
    }
    dp_store_relaxed(&shared->end, 1);
    for (uint32_t index = 0; index < WORKERS; index++)
        waitpid(workers[index], NULL, 0);
}

static void give_all_that_wait(struct shared *shared)
{
    struct dp_pool_seat *pool_seat = dp_pool_seat_open(shared->pool, 1);
    struct dp_queue_seat *queue_seat = dp_queue_seat_open(shared->queue, 1);
    while (dp_queue_take(shared->queue, queue_seat, 64) != 0) {
        for (uint32_t at = 0; at < queue_seat->count; at++)
            CHECK(dp_pool_shared_give(shared->pool, pool_seat, queue_seat->values[at]));
        dp_queue_done(queue_seat);
    }
    dp_pool_seat_close(shared->pool, pool_seat);
}

static uint64_t run_seed = 1;

static void test_processes_that_are_killed_lose_and_double_nothing(void)
{
    struct shared *shared = shared_memory(sizeof(*shared));
    shared->pool = open_pool(RECORDS, WORKERS + 1);
    shared->queue = open_queue(WORKERS, WORKERS + 1, 64);
    printf("     seed %" PRIu64 "\n", run_seed);
    harass(shared, run_seed);
    give_all_that_wait(shared);
    CHECK_EQUAL(dp_load_relaxed(&shared->bad), 0);
    CHECK_EQUAL(dp_pool_shared_out(shared->pool), 0);
    struct dp_pool_seat *seat = dp_pool_seat_open(shared->pool, 1);
    uint32_t count = 0;
    while (dp_pool_shared_take(shared->pool, seat) != 0)
        count++;
    CHECK_EQUAL(count, RECORDS);
    close_pool(shared->pool);
    close_queue(shared->queue);
    munmap(shared, sizeof(*shared));
}

int main(int count, char **words)
{
    if (count > 1)
        run_seed = strtoull(words[1], NULL, 0);
    RUN_TESTS(TEST(test_a_pool_out_of_range_says_why),
        TEST(test_an_exhausted_pool_says_so_and_recovers),
        TEST(test_a_stale_handle_is_known_and_changes_nothing),
        TEST(test_what_one_seat_caches_comes_back_when_it_closes),
        TEST(test_no_record_is_out_twice), TEST(test_killed_at_every_instruction_it_loses_nothing),
        TEST(test_processes_that_are_killed_lose_and_double_nothing));
}
