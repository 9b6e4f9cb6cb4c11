/*
 * dp_skiplist_multi when a process is killed or stopped, all along an insertion, a removal, a
 * change (`all`: at every instruction of them). Another one goes on beside the dead or stopped one,
 * an heir recovers, and then the list is whole, the change was made or not, and no record is
 * missing.
 */
#include <sys/mman.h>

#include "check.h"
#include "dp_skiplist_multi_layout.h"
#include "step.h"

#define CAPACITY 6u
#define ASKS 1u
#define CHILD 1u /* owner words */
#define US 2u

/* What both processes see; the writers are private copies in the child. */
struct scene {
    struct dp_skiplist_multi *multi;
    struct dp_epoch *epoch;
    struct dp_skiplist_multi_writer child;
    struct dp_skiplist_multi_writer us;
};

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

static void open_scene(struct scene *scene)
{
    struct dp_err err;
    scene->multi = shared_memory(dp_skiplist_multi_size(2, CAPACITY));
    scene->epoch = shared_memory(dp_epoch_size(3));
    dp_epoch_init(scene->epoch, 3);
    CHECK_EQUAL(dp_skiplist_multi_init(scene->multi, 2, CAPACITY, &err), 0);
    CHECK(dp_skiplist_multi_join(&scene->child, scene->multi, scene->epoch, CHILD));
    CHECK(dp_skiplist_multi_join(&scene->us, scene->multi, scene->epoch, US));
    CHECK_EQUAL(dp_skiplist_multi_insert(&scene->child, ASKS, 10, 100, 1), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_insert(&scene->us, ASKS, 30, 300, 3), DP_SKIPLIST_MULTI_OK);
}

static void close_scene(struct scene *scene)
{
    munmap(scene->multi, dp_skiplist_multi_size(2, CAPACITY));
    munmap(scene->epoch, dp_epoch_size(3));
}

static void child_inserts(void *context)
{
    struct scene *scene = context;
    scene->child.random = 0x3000; /* draws a tower of several heights */
    dp_skiplist_multi_insert(&scene->child, ASKS, 20, 200, 2);
}

static void child_removes(void *context)
{
    struct dp_skiplist_multi_level last;
    struct scene *scene = context;
    dp_skiplist_multi_remove(&scene->child, ASKS, 10, &last);
}

static void child_changes(void *context)
{
    struct scene *scene = context;
    dp_skiplist_multi_change(&scene->child, ASKS, 10, 5, 0);
}

static bool is_child(void *context, uint64_t owner)
{
    (void)context;
    return owner == CHILD;
}

/* ---- what must hold ---- */

/* The list in order; the sum of quantities. */
static uint64_t walk(const struct scene *scene)
{
    struct dp_skiplist_multi_cursor cursor = dp_skiplist_multi_begin(scene->multi, ASKS);
    struct dp_skiplist_multi_level level;
    int64_t last = 0;
    uint64_t sum = 0;
    while (dp_skiplist_multi_next(&cursor, &level)) {
        CHECK(level.price_nanos > last);
        last = level.price_nanos;
        sum += level.qty;
    }
    return sum;
}

/* Beside the dead or stopped one: insert and remove at its prices and at others. */
static void go_on(struct scene *scene)
{
    struct dp_skiplist_multi_level last;
    struct dp_skiplist_multi_writer *us = &scene->us;
    CHECK_EQUAL(dp_skiplist_multi_insert(us, ASKS, 15, 7, 1), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_change(us, ASKS, 30, 1, 0), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_remove(us, ASKS, 15, &last), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(last.qty, 7);
    CHECK_EQUAL(dp_skiplist_multi_change(us, ASKS, 30, -1, 0), DP_SKIPLIST_MULTI_OK);
}

/* Every record is in the list or free again, once all have left. */
static void check_records(struct scene *scene)
{
    uint32_t live = 0, listed = 0;
    struct dp_skiplist_multi_level level;
    struct dp_skiplist_multi_cursor cursor = dp_skiplist_multi_begin(scene->multi, ASKS);
    while (dp_skiplist_multi_next(&cursor, &level))
        listed++;
    CHECK(dp_skiplist_multi_leave(&scene->us));
    for (uint32_t number = 1; number <= CAPACITY; number++) {
        uint32_t claim = dp_load_relaxed(&dp_skiplist_multi_record(scene->multi, number)->claim);
        bool is_live = dp_skiplist_multi_state(claim) == DP_SKIPLIST_MULTI_LIVE;
        CHECK_THAT(is_live || claim == 0, "record %u: claim %#x", number, claim);
        live += is_live;
    }
    CHECK_EQUAL(live, listed);
}

/* Two results are right: the change was made, or not. */
struct outcome {
    void (*call)(void *);
    uint64_t before;
    uint64_t after;
};

static const struct outcome insertion = {child_inserts, 400, 600};
static const struct outcome removal = {child_removes, 400, 300};
static const struct outcome change = {child_changes, 400, 405};

/* False when the child had ended. */
static bool killed_after(const struct outcome *outcome, uint64_t steps, uint64_t *made)
{
    struct scene scene;
    open_scene(&scene);
    pid_t child = step_start(outcome->call, &scene);
    bool ended = step_on(child, steps);
    step_kill(child);

    go_on(&scene);
    CHECK(dp_skiplist_multi_recover(&scene.us, scene.child.slot, is_child, NULL));
    go_on(&scene);
    uint64_t sum = walk(&scene);
    CHECK_THAT(sum == outcome->before || sum == outcome->after,
        "killed after %" PRIu64 " steps: sum %" PRIu64, steps, sum);
    *made += sum == outcome->after;
    check_records(&scene);
    close_scene(&scene);
    return !ended;
}

/* From the command line: every instruction, not only every so many. */
static bool tries_all;

static uint64_t stride_of(uint64_t length)
{
    return tries_all ? 1 : 1 + length / 40;
}

static void kill_all_along(const struct outcome *outcome)
{
    struct scene scene;
    open_scene(&scene);
    uint64_t length = step_length(outcome->call, &scene);
    close_scene(&scene);
    uint64_t made = 0, tried = 1;
    uint64_t stride = stride_of(length);
    for (uint64_t steps = 0; killed_after(outcome, steps, &made); steps += stride)
        tried++;
    CHECK_THAT(made != 0 && made < tried, "%" PRIu64 " made of %" PRIu64, made, tried);
    printf("     %" PRIu64 " places of %" PRIu64 " instructions\n", tried, length);
}

static void test_an_insertion_killed_anywhere_is_made_or_not(void)
{
    kill_all_along(&insertion);
}

static void test_a_removal_killed_anywhere_is_made_or_not(void)
{
    kill_all_along(&removal);
}

static void test_a_change_killed_anywhere_is_made_or_not(void)
{
    kill_all_along(&change);
}

/* The child stands still, then goes on: nobody had to wait, nothing was lost. */
static bool stopped_after(const struct outcome *outcome, uint64_t steps)
{
    struct scene scene;
    open_scene(&scene);
    pid_t child = step_start(outcome->call, &scene);
    bool ended = step_on(child, steps);
    go_on(&scene);
    uint64_t sum = walk(&scene);
    CHECK(sum == outcome->before || sum == outcome->after);
    if (!ended)
        step_finish(child);
    CHECK_EQUAL(walk(&scene), outcome->after);
    CHECK(dp_skiplist_multi_recover(&scene.us, scene.child.slot, is_child, NULL));
    check_records(&scene);
    close_scene(&scene);
    return !ended;
}

static void stop_all_along(const struct outcome *outcome)
{
    struct scene scene;
    open_scene(&scene);
    uint64_t stride = stride_of(step_length(outcome->call, &scene));
    close_scene(&scene);
    for (uint64_t steps = 0; stopped_after(outcome, steps);)
        steps += stride;
}

static void test_one_stopped_anywhere_stops_nobody(void)
{
    stop_all_along(&insertion);
    stop_all_along(&removal);
    stop_all_along(&change);
}

static bool nobody_is_dead(void *context, uint64_t owner)
{
    (void)context;
    (void)owner;
    return false;
}

static void test_the_living_are_not_buried(void)
{
    struct scene scene;
    open_scene(&scene);
    CHECK(!dp_skiplist_multi_recover(&scene.us, scene.child.slot, nobody_is_dead, NULL));
    CHECK(!dp_skiplist_multi_recover(&scene.us, 2, is_child, NULL)); /* nobody's slot */
    close_scene(&scene);
}

int main(int count, char **words)
{
    tries_all = count > 1 && strcmp(words[1], "all") == 0;
    RUN_TESTS(TEST(test_an_insertion_killed_anywhere_is_made_or_not),
        TEST(test_a_removal_killed_anywhere_is_made_or_not),
        TEST(test_a_change_killed_anywhere_is_made_or_not),
        TEST(test_one_stopped_anywhere_stops_nobody), TEST(test_the_living_are_not_buried));
}
