/*
 * Desks: what submitters hand in arrives once, whole and in order, whoever dies where.
 *
 *     test_desk [SEED | all]     all: a process is killed at each of its instructions, not at some
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dp_desk_layout.h"
#include "queue_bench.h"
#include "step.h"

#define WORKERS 3u
#define KILLS 100u
#define STRATEGY 2

static const struct dp_desks_config plain = {.desk_count = 3, .waiting_count = 7};
static struct dp_err err;

static bool nobody_has_ended(uint64_t process)
{
    (void)process;
    return false;
}

static struct dp_desks *open_desks(const struct dp_desks_config *config)
{
    struct dp_desks *desks = shared_memory(dp_desks_size(config));
    CHECK_EQUAL(dp_desks_init(desks, config, &err), 0);
    dp_desks_allow(desks, STRATEGY);
    dp_desks_allow(desks, STRATEGY + 1);
    return desks;
}

static void close_desks(struct dp_desks *desks)
{
    CHECK_EQUAL(dp_desks_leaked(desks), 0);
    munmap(desks, dp_desks_size(&desks->config));
}

static int open_one(struct dp_desk *desk, struct dp_desks *desks, uint64_t process)
{
    return dp_desk_open(desk, desks, STRATEGY, process, nobody_has_ended, &err);
}

static uint32_t post(struct dp_desk *desk, uint64_t first_tag, uint32_t count)
{
    struct dp_desk_request requests[DP_DESK_POST_MAX] = {0};
    for (uint32_t at = 0; at < count; at++)
        requests[at] =
            (struct dp_desk_request){.tag = first_tag + at, .qty = ~(first_tag + at), .verb = 1};
    return dp_desk_post(desk, requests, count);
}

/* Takes one batch and returns its size; each request must be whole, and follow the one before. */
static uint32_t take(struct dp_desks *desks, uint64_t *tag_next)
{
    struct dp_desk_request requests[DP_QUEUE_TAKE_MAX];
    uint32_t count = dp_desks_take(desks, requests, DP_QUEUE_TAKE_MAX);
    for (uint32_t at = 0; at < count; at++) {
        CHECK_EQUAL(requests[at].tag, *tag_next);
        CHECK_EQUAL(requests[at].qty, ~*tag_next);
        CHECK_EQUAL(requests[at].strategy_index, STRATEGY);
        dp_desks_answer(desks, &requests[at], 7, (uint32_t)*tag_next);
        (*tag_next)++;
    }
    return count;
}

/* ---- one submitter ---- */

static void test_what_is_out_of_range_says_why(void)
{
    static const struct {
        struct dp_desks_config config;
        const char *text;
    } rows[] = {
        {{0, 7}, "desks: desk_count: 0; give at least 1, at most 32"},
        {{33, 7}, "desks: desk_count: 33; give at least 1, at most 32"},
        {{3, 0}, "desks: waiting_count: 0; give at least 1, at most 1023"},
        {{3, 1024}, "desks: waiting_count: 1024; give at least 1, at most 1023"},
    };
    struct dp_desks *desks = open_desks(&plain);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        CHECK_EQUAL(dp_desks_init(desks, &rows[row].config, &err), -EINVAL);
        CHECK_TEXT(err.text, rows[row].text);
    }
    close_desks(desks);
}

static void test_requests_arrive_in_order_and_answers_come_back(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk desk;
    struct dp_desk_answer answer;
    uint64_t next = 1;
    CHECK_EQUAL(open_one(&desk, desks, 11), 0);
    for (uint64_t tag = 1; tag < 1000; tag += 3) {
        CHECK_EQUAL(post(&desk, tag, 3), 3);
        CHECK_EQUAL(take(desks, &next), 3);
        for (uint64_t at = tag; at < tag + 3; at++) {
            CHECK(dp_desk_read(&desk, &answer));
            CHECK(answer.tag == at && answer.user_ref_num == at && answer.reason == 7);
            CHECK(!answer.is_event);
        }
        CHECK(!dp_desk_read(&desk, &answer));
    }
    CHECK_EQUAL(take(desks, &next), 0);
    close_desks(desks);
}

static void test_a_full_desk_takes_fewer_and_loses_none(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk desk;
    struct dp_desk other;
    uint64_t next = 1;
    CHECK_EQUAL(open_one(&desk, desks, 11), 0);
    CHECK_EQUAL(open_one(&other, desks, 12), 0);
    for (int round = 0; round < 100; round++) {
        uint64_t first = next;
        CHECK_EQUAL(post(&desk, first, 5), 5);
        CHECK_EQUAL(post(&desk, first + 5, 5), 2);
        CHECK_EQUAL(post(&desk, first + 7, 5), 0);
        CHECK_EQUAL(take(desks, &next), 7);
        CHECK_EQUAL(next, first + 7);
        CHECK_EQUAL(post(&other, next, 7), 7); /* the full one was in nobody's way */
        CHECK_EQUAL(take(desks, &next), 7);
        next = first + 7;
    }
    CHECK_EQUAL(dp_desk_missed(&desk), 0);
    CHECK_EQUAL(dp_pool_shared_out(dp_desks_pool(desks)), 0); /* nor held by those who post */
    close_desks(desks);
}

static void test_one_that_does_not_read_is_told_how_much_it_missed(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk deaf;
    struct dp_desk desk;
    struct dp_desk_answer answer;
    struct dp_event event = {.strategy_index = STRATEGY, .kind = DP_EVENT_FILLED};
    CHECK_EQUAL(open_one(&deaf, desks, 11), 0);
    CHECK_EQUAL(open_one(&desk, desks, 12), 0);
    for (uint32_t count = 0; count < DP_DESK_ANSWERS + 5; count++) {
        event.user_ref_num = count;
        dp_desks_tell(desks, &event);
        CHECK(dp_desk_read(&desk, &answer));
        CHECK(answer.is_event && answer.event.user_ref_num == count);
    }
    CHECK_EQUAL(dp_desk_missed(&deaf), 5);
    CHECK_EQUAL(dp_desk_missed(&desk), 0);
    for (uint32_t count = 0; count < DP_DESK_ANSWERS; count++)
        CHECK(dp_desk_read(&deaf, &answer) && answer.event.user_ref_num == count);
    CHECK(!dp_desk_read(&deaf, &answer));
    close_desks(desks);
}

static void test_each_desk_hears_of_its_strategy_alone(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk ours[2];
    struct dp_desk other;
    struct dp_desk_answer answer;
    const struct dp_event event = {.strategy_index = STRATEGY, .kind = DP_EVENT_ACCEPTED};
    CHECK_EQUAL(open_one(&ours[0], desks, 11), 0);
    CHECK_EQUAL(dp_desk_open(&other, desks, STRATEGY + 1, 12, nobody_has_ended, &err), 0);
    CHECK_EQUAL(open_one(&ours[1], desks, 13), 0);
    dp_desks_tell(desks, &event);
    CHECK(dp_desk_read(&ours[0], &answer) && dp_desk_read(&ours[1], &answer));
    CHECK(!dp_desk_read(&other, &answer));
    close_desks(desks);
}

/* ---- open and leave ---- */

static void test_desks_are_few_and_come_back(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk desk[4];
    struct dp_desk_answer answer;
    uint64_t next = 1;
    for (uint32_t index = 0; index < 3; index++)
        CHECK_EQUAL(open_one(&desk[index], desks, 11 + index), 0);
    CHECK_EQUAL(open_one(&desk[3], desks, 14), -EAGAIN);
    CHECK_TEXT(err.text, "desk: all 3 are taken; raise desk.submitters");

    CHECK_EQUAL(post(&desk[1], 1, 2), 2);
    dp_desk_leave(&desk[1]);
    CHECK_EQUAL(open_one(&desk[3], desks, 14), -EAGAIN);
    dp_desks_settle(desks); /* what it posted comes first */
    CHECK_EQUAL(open_one(&desk[3], desks, 14), -EAGAIN);
    CHECK_EQUAL(take(desks, &next), 2);
    dp_desks_settle(desks);
    CHECK_EQUAL(open_one(&desk[3], desks, 14), 0);
    CHECK(!dp_desk_read(&desk[3], &answer)); /* answers to the one before are not ours */
    dp_desk_leave(&desk[1]);                 /* late, once more: no longer its to leave */
    dp_desks_settle(desks);
    CHECK_EQUAL(open_one(&desk[1], desks, 15), -EAGAIN);
    CHECK_EQUAL(post(&desk[3], 3, 2), 2);
    CHECK_EQUAL(take(desks, &next), 2);
    CHECK(dp_desk_read(&desk[3], &answer) && answer.tag == 3);
    close_desks(desks);
}

static void test_who_may_not_is_told_why(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk desk;
    struct dp_desk_answer answer;
    CHECK_EQUAL(dp_desk_open(&desk, desks, 0, 11, nobody_has_ended, &err), -EACCES);
    CHECK_TEXT(
        err.text, "desk: strategy 0 takes no orders from other processes; give it kind: desk");
    CHECK_EQUAL(dp_desk_open(&desk, desks, 64, 11, nobody_has_ended, &err), -EACCES);
    CHECK_EQUAL(open_one(&desk, desks, 11), 0);
    CHECK_EQUAL(post(&desk, 1, 2), 2);
    dp_desks_close(desks, 9);
    CHECK(dp_desk_is_over(&desk));
    CHECK_EQUAL(post(&desk, 3, 1), 0);
    CHECK(dp_desk_read(&desk, &answer) && answer.tag == 1 && answer.reason == 9);
    CHECK(dp_desk_read(&desk, &answer) && answer.tag == 2 && answer.reason == 9);
    CHECK_EQUAL(open_one(&desk, desks, 12), -EPIPE);
    close_desks(desks);
}

/* A process that writes where it should not: the engine goes on. */
static void test_handles_of_nothing_are_passed_over(void)
{
    struct dp_desks *desks = open_desks(&plain);
    struct dp_desk desk;
    const uint64_t wrong[] = {1, UINT64_MAX, 0xffffff};
    uint64_t next = 1;
    CHECK_EQUAL(open_one(&desk, desks, 11), 0);
    CHECK_EQUAL(dp_queue_push(desk.lane, wrong, 3), 3);
    CHECK_EQUAL(post(&desk, 1, 2), 2);
    CHECK_EQUAL(take(desks, &next), 2);
    close_desks(desks);
}

/* ---- death ---- */

static uint64_t run_seed = 1;
static bool every_step;

static bool everybody_has_ended(uint64_t process)
{
    return process == 77;
}

static void child_posts(void *context)
{
    struct dp_desks *desks = context;
    struct dp_desk desk;
    struct dp_desk_answer answer;
    if (open_one(&desk, desks, 77) != 0)
        return;
    post(&desk, 1, 3);
    dp_desk_read(&desk, &answer);
    dp_desk_leave(&desk);
}

static uint32_t take_all(struct dp_desks *desks)
{
    uint64_t next = 1;
    while (take(desks, &next) != 0)
        ;
    dp_desks_settle(desks);
    return (uint32_t)(next - 1);
}

/* The one desk and all records must be there for the next one. */
static void check_the_next_one(struct dp_desks *desks, uint64_t steps)
{
    struct dp_desk desk;
    if (dp_desk_open(&desk, desks, STRATEGY, 78, everybody_has_ended, &err) != 0) {
        dp_desks_settle(desks);
        CHECK_THAT(dp_desk_open(&desk, desks, STRATEGY, 78, everybody_has_ended, &err) == 0,
            "killed after %" PRIu64 " steps: %s", steps, err.text);
    }
    CHECK_EQUAL(post(&desk, 1, 7), 7);
    CHECK_EQUAL(take_all(desks), 7);
    dp_desk_leave(&desk);
    dp_desks_settle(desks);
    CHECK_EQUAL(dp_desks_leaked(desks), 0);
}

static bool is_whole_when_killed_after(uint64_t steps)
{
    static const struct dp_desks_config one = {.desk_count = 1, .waiting_count = 7};
    struct dp_desks *desks = open_desks(&one);
    pid_t child = step_start(child_posts, desks);
    bool ended = step_on(child, steps);
    step_kill(child);
    uint32_t arrived = take_all(desks);
    CHECK_THAT(arrived == 0 || arrived == 3, "killed after %" PRIu64 " steps: %u", steps, arrived);
    CHECK(!ended || arrived == 3);
    check_the_next_one(desks, steps);
    close_desks(desks);
    return !ended;
}

static void test_killed_at_every_instruction_all_or_none_arrives(void)
{
    struct dp_desks *desks = open_desks(&plain);
    uint64_t length = step_length(child_posts, desks);
    uint64_t stride = every_step ? 1 : 1 + length / 200;
    munmap(desks, dp_desks_size(&plain));
    for (uint64_t steps = run_seed % stride; is_whole_when_killed_after(steps);)
        steps += stride;
}

struct scene {
    struct dp_desks *desks;
    _Atomic uint64_t sent[WORKERS + KILLS]; /* by life: posted, and seen to be */
    _Atomic uint32_t end;
};

static struct scene *scene;
static _Atomic uint32_t *dead; /* by life */

static bool life_has_ended(uint64_t process)
{
    return dp_load_relaxed(&dead[process - 1]) != 0;
}

/* One life: posts numbers from 1 on in batches until it is killed or told to end. */
static void live(uint32_t life, uint64_t random)
{
    struct dp_desk desk;
    struct dp_desk_answer answer;
    uint64_t tag = 1;
    while (dp_desk_open(&desk, scene->desks, STRATEGY, life + 1, life_has_ended, &err) != 0)
        sched_yield();
    while (!dp_load_relaxed(&scene->end)) {
        tag += post(&desk, tag, 1 + (uint32_t)(check_random(&random) % 8));
        dp_store_relaxed(&scene->sent[life], tag - 1);
        while (dp_desk_read(&desk, &answer))
            ;
    }
    dp_desk_leave(&desk);
}

static pid_t start(uint32_t life, uint64_t random)
{
    pid_t child = fork();
    if (child == 0) {
        live(life, random + life);
        _exit(0);
    }
    return child;
}

/* The engine's turn: each life's numbers come in order, none twice, none left out. The owner of a
 * desk changes only when its lane is empty, so numbers begin again at 1 there. */
static void serve(uint64_t next[DP_DESKS_MAX], uint64_t *taken)
{
    struct dp_desk_request requests[DP_QUEUE_TAKE_MAX];
    uint32_t count;
    for (int turn = 0; turn < 50 && (count = dp_desks_take(scene->desks, requests, 16)) != 0;
         turn++)
        for (uint32_t at = 0; at < count; at++) {
            uint64_t *expected = &next[requests[at].desk_index];
            CHECK(requests[at].tag == *expected || requests[at].tag == 1);
            CHECK_EQUAL(requests[at].qty, ~requests[at].tag);
            *expected = requests[at].tag + 1;
            dp_desks_answer(scene->desks, &requests[at], 0, 1);
            ++*taken;
        }
    dp_desks_settle(scene->desks);
}

static uint64_t harass(uint64_t seed, uint64_t *taken)
{
    pid_t workers[WORKERS];
    uint32_t lives[WORKERS];
    uint64_t next[DP_DESKS_MAX] = {1, 1, 1};
    uint32_t life_next = 0;
    uint64_t random = seed;
    for (uint32_t index = 0; index < WORKERS; index++)
        workers[index] = start(lives[index] = life_next++, seed);
    while (life_next < WORKERS + KILLS) {
        uint32_t index = (uint32_t)(check_random(&random) % WORKERS);
        for (uint64_t turns = check_random(&random) % 200; turns > 0; turns--)
            serve(next, taken);
        kill(workers[index], SIGKILL);
        waitpid(workers[index], NULL, 0);
        dp_store_relaxed(&dead[lives[index]], 1);
        workers[index] = start(lives[index] = life_next++, seed);
    }
    dp_store_relaxed(&scene->end, 1);
    for (uint32_t index = 0; index < WORKERS; index++)
        while (waitpid(workers[index], NULL, WNOHANG) == 0)
            serve(next, taken); /* one may still wait for a desk */
    serve(next, taken);
    uint64_t sent = 0;
    for (uint32_t life = 0; life < WORKERS + KILLS; life++)
        sent += dp_load_relaxed(&scene->sent[life]);
    return sent;
}

static void test_processes_that_are_killed_lose_and_double_nothing(void)
{
    struct dp_desk desk;
    uint64_t taken = 0;
    scene = shared_memory(sizeof(*scene));
    dead = shared_memory((WORKERS + KILLS) * sizeof(*dead));
    scene->desks = open_desks(&plain);
    printf("     seed %" PRIu64 "\n", run_seed);
    uint64_t sent = harass(run_seed, &taken);
    /* A life that was killed between a post and its note of it sent up to 7 more. */
    CHECK_THAT(taken >= sent && taken <= sent + KILLS * plain.waiting_count,
        "%" PRIu64 " taken, %" PRIu64 " sent", taken, sent);
    /* Whoever died last is found by the next one. */
    while (dp_desk_open(&desk, scene->desks, STRATEGY, 1000, life_has_ended, &err) != 0)
        dp_desks_settle(scene->desks);
    dp_desk_leave(&desk);
    dp_desks_settle(scene->desks);
    close_desks(scene->desks);
}

int main(int argc, char **argv)
{
    every_step = argc > 1 && strcmp(argv[1], "all") == 0;
    if (argc > 1 && !every_step)
        run_seed = strtoull(argv[1], NULL, 10);
    RUN_TESTS(TEST(test_what_is_out_of_range_says_why),
        TEST(test_requests_arrive_in_order_and_answers_come_back),
        TEST(test_a_full_desk_takes_fewer_and_loses_none),
        TEST(test_one_that_does_not_read_is_told_how_much_it_missed),
        TEST(test_each_desk_hears_of_its_strategy_alone), TEST(test_desks_are_few_and_come_back),
        TEST(test_who_may_not_is_told_why), TEST(test_handles_of_nothing_are_passed_over),
        TEST(test_killed_at_every_instruction_all_or_none_arrives),
        TEST(test_processes_that_are_killed_lose_and_double_nothing));
}
