/* Order numbers over real files and real deaths: none comes twice, at most a block is skipped. */
#include "dp_id_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { BLOCK = 64, DAY = 20260105, NUMBERS_MAX = 1 << 22, PLACE_SIZE = 512 };

static char scratch[] = "/tmp/tickplane-ids-XXXXXX";
static struct dp_err err;

static struct dp_id_file_config config_of(const char *session)
{
    return (struct dp_id_file_config){.directory = scratch,
        .venue = "XNAS",
        .session = session,
        .day = DAY,
        .first = 1,
        .block = BLOCK};
}

static int open_ids(struct dp_id_file *file, struct dp_id_pool *pool, const char *session)
{
    struct dp_id_file_config config = config_of(session);
    return dp_id_file_open(file, &config, pool, &err);
}

static uint32_t next_of(const struct dp_id_pool *pool)
{
    return dp_load_relaxed(&pool->next);
}

/* Leaves the file as a death would. */
static void abandon(struct dp_id_file *file)
{
    close(file->fd);
}

static void test_a_clean_end_leaves_no_gap(void)
{
    struct dp_id_file file;
    struct dp_id_pool pool;
    CHECK_EQUAL(open_ids(&file, &pool, "clean"), 0);
    CHECK_EQUAL(next_of(&pool), 1);
    for (uint32_t number = 1; number <= 200; number++) {
        CHECK(dp_id_pool_use(&pool, number));
        CHECK_EQUAL(dp_id_file_keep(&file, &err), 0);
    }
    CHECK_EQUAL(dp_id_file_close(&file, &err), 0);
    CHECK_EQUAL(dp_id_file_close(&file, &err), 0);
    CHECK_EQUAL(open_ids(&file, &pool, "clean"), 0);
    CHECK_EQUAL(next_of(&pool), 201);
    dp_id_file_close(&file, &err);
}

static void test_a_death_skips_what_was_reserved(void)
{
    struct dp_id_file file;
    struct dp_id_pool pool;
    CHECK_EQUAL(open_ids(&file, &pool, "death"), 0);
    CHECK(dp_id_pool_use(&pool, 10));
    abandon(&file);
    CHECK_EQUAL(open_ids(&file, &pool, "death"), 0);
    CHECK_EQUAL(next_of(&pool), 1 + BLOCK);
    abandon(&file);
}

static void test_sessions_and_days_count_for_themselves(void)
{
    struct dp_id_file file;
    struct dp_id_pool pool;
    CHECK_EQUAL(open_ids(&file, &pool, "one"), 0);
    CHECK(dp_id_pool_use(&pool, 30));
    dp_id_file_close(&file, &err);
    CHECK_EQUAL(open_ids(&file, &pool, "other"), 0);
    CHECK_EQUAL(next_of(&pool), 1);
    dp_id_file_close(&file, &err);

    struct dp_id_file_config config = config_of("one");
    config.first = 100; /* the venue has seen more */
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), 0);
    CHECK_EQUAL(next_of(&pool), 100);
    dp_id_file_close(&file, &err);
    config.day = DAY + 1;
    config.first = 1;
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), 0);
    CHECK_EQUAL(next_of(&pool), 1);
    dp_id_file_close(&file, &err);
    config.day = DAY;
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), -EINVAL);
    CHECK(strstr(err.text, "holds numbers of 20260106; 20260105 is before that, check") != NULL);
}

static void test_one_process_at_a_time(void)
{
    struct dp_id_file file;
    struct dp_id_file second;
    struct dp_id_pool pool;
    struct dp_id_pool second_pool;
    CHECK_EQUAL(open_ids(&file, &pool, "lock"), 0);
    CHECK_EQUAL(open_ids(&second, &second_pool, "lock"), -EBUSY);
    CHECK(strstr(err.text, "ids-XNAS-lock: another process uses these numbers") != NULL);
    dp_id_file_close(&file, &err);
    CHECK_EQUAL(open_ids(&second, &second_pool, "lock"), 0);
    dp_id_file_close(&second, &err);
}

/* A disk that takes nothing any more: what was reserved may be used up, and no number behind it. */
static void test_a_reservation_that_fails_gives_no_number(void)
{
    struct dp_id_file file;
    struct dp_id_pool pool;
    CHECK_EQUAL(open_ids(&file, &pool, "full"), 0);
    int writable = file.fd;
    file.fd = open(file.path, O_RDONLY);
    CHECK(dp_id_pool_use(&pool, 40));
    CHECK_EQUAL(dp_id_file_keep(&file, &err), -EBADF);
    CHECK(strstr(err.text, "a reservation cannot be written: Bad file descriptor") != NULL);
    CHECK(dp_id_pool_use(&pool, BLOCK));
    CHECK(!dp_id_pool_use(&pool, BLOCK + 1));
    close(file.fd);
    file.fd = writable;
    CHECK_EQUAL(dp_id_file_keep(&file, &err), 0);
    CHECK(dp_id_pool_use(&pool, BLOCK + 1));
    dp_id_file_close(&file, &err);
}

/* ---- damage ---- */

static void damage(const char *session, int place)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/ids-XNAS-%s", scratch, session);
    int fd = open(path, O_WRONLY);
    CHECK(pwrite(fd, "x", 1, place * PLACE_SIZE + 20) == 1);
    close(fd);
}

/* Whichever place cannot be read: it may have been the newest. */
static void test_a_place_that_cannot_be_read_costs_a_block_at_most(void)
{
    for (int place = 0; place < 2; place++) {
        const char *session = place == 0 ? "rot0" : "rot1";
        struct dp_id_file file;
        struct dp_id_pool pool;
        CHECK_EQUAL(open_ids(&file, &pool, session), 0);
        for (uint32_t number = 1; number <= 150; number++) {
            CHECK(dp_id_pool_use(&pool, number));
            CHECK_EQUAL(dp_id_file_keep(&file, &err), 0);
        }
        uint32_t end = dp_load_relaxed(&pool.end);
        abandon(&file);
        damage(session, place);
        CHECK_EQUAL(open_ids(&file, &pool, session), 0);
        CHECK_THAT(next_of(&pool) > 150 && next_of(&pool) <= end + BLOCK, "place %d: goes on at %u",
            place, next_of(&pool));
        abandon(&file);
        CHECK_EQUAL(open_ids(&file, &pool, session), 0); /* healed by the next write */
        abandon(&file);
    }
}

static void test_two_places_that_cannot_be_read_are_refused(void)
{
    struct dp_id_file file;
    struct dp_id_pool pool;
    CHECK_EQUAL(open_ids(&file, &pool, "gone"), 0);
    CHECK(dp_id_pool_use(&pool, 40));
    CHECK_EQUAL(dp_id_file_keep(&file, &err), 0);
    abandon(&file);
    damage("gone", 0);
    damage("gone", 1);
    CHECK_EQUAL(open_ids(&file, &pool, "gone"), -EBADMSG);
    CHECK(strstr(err.text, "neither of its two places can be read; ask the venue") != NULL);
}

static void test_what_cannot_be_is_refused(void)
{
    struct dp_id_file file;
    struct dp_id_pool pool;
    struct dp_id_file_config config = config_of("../x");
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), -EINVAL);
    CHECK_TEXT(err.text, "ids: session: '../x'; give 1 to 31 letters, digits, dots, underscores");
    config = config_of("a");
    config.venue = "";
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), -EINVAL);
    config = config_of("a");
    config.block = 1;
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), -EINVAL);
    CHECK_TEXT(err.text, "ids: block: 1; give 2 to 16777216 numbers");
    config = config_of("a");
    config.first = 0;
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), -EINVAL);
    config = config_of("a");
    config.directory = "/nowhere";
    CHECK_EQUAL(dp_id_file_open(&file, &config, &pool, &err), -ENOENT);
    CHECK_TEXT(err.text, "ids: /nowhere/ids-XNAS-a: cannot be opened: No such file or directory");
}

/* ---- deaths at any instant ---- */

/* What the children did, seen by the parent. */
struct ledger {
    _Atomic uint32_t begin;   /* of the child that runs; 0 until it has opened the file */
    _Atomic uint32_t highest; /* number used so far */
    uint8_t used[NUMBERS_MAX];
};

static void *run_keeper(void *argument)
{
    for (;;)
        if (dp_id_file_keep(argument, &err) < 0)
            _exit(2);
}

/* An order path beside its keeper: numbers as fast as they are reserved. */
static void use_numbers(struct ledger *ledger)
{
    static struct dp_id_file file;
    static struct dp_id_pool pool;
    pthread_t keeper;
    if (open_ids(&file, &pool, "killed") != 0)
        _exit(1);
    dp_store_relaxed(&ledger->begin, next_of(&pool));
    pthread_create(&keeper, NULL, run_keeper, &file);
    for (uint32_t number = next_of(&pool); number < NUMBERS_MAX;) {
        if (!dp_id_pool_use(&pool, number))
            continue;
        ledger->used[number]++;
        dp_store_relaxed(&ledger->highest, number);
        number++;
    }
    _exit(3);
}

static void run_until_killed(struct ledger *ledger, uint32_t delay_us)
{
    dp_store_relaxed(&ledger->begin, 0);
    pid_t child = fork();
    if (child == 0)
        use_numbers(ledger);
    usleep(delay_us);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK_THAT(WIFSIGNALED(status), "the child gave up: status %d", status);
}

static uint64_t first_seed = 20260105;

static void test_kills_at_any_instant_repeat_no_number_and_skip_a_block_at_most(void)
{
    struct ledger *ledger =
        mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t seed = first_seed;
    uint32_t floor = 1; /* no run may begin below */
    uint32_t deaths = 0;
    for (int run = 0; run < 80; run++) {
        run_until_killed(ledger, (uint32_t)(check_random(&seed) % 8000));
        deaths++; /* each may have cost a block; one that had not opened yet, too */
        uint32_t begin = dp_load_relaxed(&ledger->begin);
        uint32_t highest = dp_load_relaxed(&ledger->highest);
        if (begin == 0)
            continue;
        CHECK_THAT(begin >= floor && begin - floor <= deaths * BLOCK,
            "seed %" PRIu64 ", run %d: begins at %u, %u deaths behind %u", first_seed, run, begin,
            deaths, floor);
        floor = highest >= begin ? highest + 1 : begin;
        deaths = 0;
    }
    uint32_t highest = dp_load_relaxed(&ledger->highest);
    for (uint32_t number = 1; number <= highest; number++)
        CHECK_THAT(
            ledger->used[number] <= 1, "number %u was used %u times", number, ledger->used[number]);
    CHECK_THAT(highest > 1000, "only %u numbers were used", highest);
    munmap(ledger, sizeof(*ledger));
}

static void clear_scratch(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    CHECK_EQUAL(system(command), 0);
}

/* A seed as the only argument: make soak. */
int main(int count, char **words)
{
    if (count > 1)
        first_seed = strtoull(words[1], NULL, 0);
    if (mkdtemp(scratch) == NULL)
        return 1;
    atexit(clear_scratch);
    RUN_TESTS(TEST(test_a_clean_end_leaves_no_gap), TEST(test_a_death_skips_what_was_reserved),
        TEST(test_sessions_and_days_count_for_themselves), TEST(test_one_process_at_a_time),
        TEST(test_a_reservation_that_fails_gives_no_number),
        TEST(test_a_place_that_cannot_be_read_costs_a_block_at_most),
        TEST(test_two_places_that_cannot_be_read_are_refused), TEST(test_what_cannot_be_is_refused),
        TEST(test_kills_at_any_instant_repeat_no_number_and_skip_a_block_at_most));
}
