/*
 * A writer that dies by SIGKILL at any instruction of a roll, and in any system call of going on
 * behind the dead one before it, again and again: what it had recorded is there, and the next one
 * goes on.
 *
 *     test_wal_death [SEED]       other instructions than with another seed
 */
#include "step.h"
#include "wal_bench.h"

#define PLACES 20 /* of a roll, spread over it; the seed says from which on */

static uint64_t seed;
static const char *directory;
static uint8_t durability;
static uint64_t recorded; /* that recovery has read */

/* ---- what dies ---- */

/* The first append behind a full segment. */
static void roll(void *unused)
{
    (void)unused;
    if (open_with(directory, durability) < 0)
        _exit(1);
    append(ROOM);
    while (dp_load_acquire(&wal.keeper.next_state) != DP_WAL_NEXT_READY)
        usleep(100);
    __asm__ volatile("int3");
    append_one(7);
}

static void go_on(void *unused)
{
    (void)unused;
    __asm__ volatile("int3");
    if (open_as(directory, durability, true, recorded) < 0)
        _exit(1);
}

/* ---- death ---- */

/* A child in front of its second int3, which the call itself says: the part that is stepped. */
static pid_t start(void (*call)(void *))
{
    pid_t child = step_start(call, NULL);
    int status = 0;
    CHECK_EQUAL(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_THAT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "status %x", (unsigned)status);
    return child;
}

typedef bool step_function(pid_t child, uint64_t count);

static uint64_t length_of(void (*call)(void *), step_function *step)
{
    pid_t child = start(call);
    uint64_t count = 0;
    while (!step(child, 1))
        count++;
    return count;
}

/* False: it had ended before. */
static bool die_at(void (*call)(void *), step_function *step, uint64_t place)
{
    pid_t child = start(call);
    bool ended = step(child, place);
    if (!ended)
        step_kill(child);
    return !ended;
}

/* ---- what is left ---- */

static void check_goes_on(uint64_t least)
{
    struct found found = read_back(directory);
    CHECK_THAT(found.records >= least && found.records <= least + 1,
        "%" PRIu64 " records, %" PRIu64 " were there", found.records, least);
    CHECK(found.verdict == DP_JOURNAL_NEVER_WRITTEN || found.verdict == DP_JOURNAL_UNFINISHED ||
        found.verdict == DP_JOURNAL_CLOSED);
    CHECK_THAT(open_as(directory, durability, true, found.sequence) == 0, "%s", err.text);
    append(3);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(read_back(directory).records, found.records + 3);
    CHECK_EQUAL(read_back(directory).verdict, DP_JOURNAL_CLOSED);
}

static void die_in_a_roll(uint64_t place)
{
    char name[40];
    snprintf(name, sizeof(name), "roll-%d-%" PRIu64, durability, place);
    directory = directory_of(name);
    if (die_at(roll, step_on, place))
        check_goes_on(ROOM);
}

static void test_a_roll_that_dies_at_any_instruction_loses_nothing(void)
{
    for (durability = DP_JOURNAL_MEMORY; durability <= DP_JOURNAL_FSYNC; durability++) {
        directory = directory_of(durability == DP_JOURNAL_FSYNC ? "roll-f" : "roll-m");
        uint64_t length = length_of(roll, step_on);
        uint64_t stride = length / PLACES + 1;
        CHECK(length > 500);
        for (uint64_t place = seed % stride; place < length; place += stride)
            die_in_a_roll(place);
    }
}

/* One death behind another in the same journal, none of which got further than to open it. */
static void die_again_and_again(void)
{
    CHECK_EQUAL(open_with(directory, durability), 0);
    append(10);
    dp_wal_keeper_stop(&wal.keeper); /* not closed: as by a death */
    dp_wal_file_close(&wal.file);
    dp_wal_directory_close(&wal.directory);
    recorded = read_back(directory).sequence;
    uint64_t length = length_of(go_on, step_on_calls);
    CHECK(length > 20);
    for (uint64_t place = 0; place < length; place++) {
        recorded = read_back(directory).sequence;
        die_at(go_on, step_on_calls, place);
        CHECK_EQUAL(read_back(directory).records, 10);
    }
    check_goes_on(10);
}

static void test_recoveries_that_die_one_behind_another_lose_nothing(void)
{
    for (durability = DP_JOURNAL_MEMORY; durability <= DP_JOURNAL_FSYNC; durability++) {
        directory = directory_of(durability == DP_JOURNAL_FSYNC ? "again-f" : "again-m");
        die_again_and_again();
    }
}

int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    if (!make_scratch())
        return 1;
    RUN_TESTS(TEST(test_a_roll_that_dies_at_any_instruction_loses_nothing),
        TEST(test_recoveries_that_die_one_behind_another_lose_nothing));
}
