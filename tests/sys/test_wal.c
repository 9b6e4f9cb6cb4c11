#include <signal.h>
#include <sys/wait.h>

#include "wal_bench.h"

static void test_a_journal_rolls_over_and_closes(void)
{
    const char *directory = directory_of("rolls");
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), 0);
    append(3 * ROOM + 5);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    struct found found = read_back(directory);
    CHECK_EQUAL(found.records, 3 * ROOM + 5);
    CHECK_EQUAL(found.segments, 4);
    CHECK_EQUAL(found.verdict, DP_JOURNAL_CLOSED);
}

static void test_an_empty_journal_closes(void)
{
    const char *directory = directory_of("empty");
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), 0);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(read_back(directory).verdict, DP_JOURNAL_CLOSED);
}

static void test_space_is_really_allocated(void)
{
    struct stat file;
    char path[200];
    snprintf(path, sizeof(path), "%s/journal-000000.tpj", directory_of("allocated"));
    CHECK_EQUAL(open_with(directory_of("allocated"), DP_JOURNAL_MEMORY), 0);
    CHECK_EQUAL(stat(path, &file), 0);
    CHECK(file.st_size == SIZE && file.st_blocks * 512 >= SIZE);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

/* Whoever took the segments' own files away left evidence all the same. */
static void test_a_sealed_journal_is_never_written_beside(void)
{
    const char *directory = directory_of("sealed");
    char path[200];
    snprintf(path, sizeof(path), "%s/journal-000000.tps", directory);
    CHECK_EQUAL(mkdir(directory, 0755), 0);
    fclose(fopen(path, "w"));
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), -EEXIST);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, 0), -ENOENT);
    CHECK_THAT(strstr(err.text, "its last segment cannot be opened") != NULL, "%s", err.text);
}

static void test_a_journal_is_never_overwritten(void)
{
    const char *directory = directory_of("evidence");
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), 0);
    append(1);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), -EEXIST);
    char expected[300];
    snprintf(expected, sizeof(expected),
        "journal: %s: holds a journal (journal-000000.tpj); name another "
        "directory, a journal is never overwritten",
        directory);
    CHECK_TEXT(err.text, expected);
    CHECK_EQUAL(read_back(directory).records, 1);
}

/* The child reports each append through a pipe, so the parent knows how many returned before the
 * kill. */
static uint64_t run_until_killed(const char *directory, uint64_t seed)
{
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        if (open_with(directory, DP_JOURNAL_MEMORY) != 0)
            _exit(1);
        for (;;) {
            append(1);
            if (write(ends[1], "x", 1) != 1)
                _exit(1);
        }
    }
    close(ends[1]);
    uint64_t random = seed;
    uint64_t wanted = 1 + check_random(&random) % (4 * ROOM);
    uint64_t returned = 0;
    char bytes[512];
    for (ssize_t more; (more = read(ends[0], bytes, sizeof(bytes))) > 0;) {
        returned += (uint64_t)more;
        if (returned >= wanted)
            kill(child, SIGKILL);
    }
    CHECK_THAT(returned >= wanted, "the writer gave up after %" PRIu64 " records", returned);
    waitpid(child, NULL, 0);
    close(ends[0]);
    return returned;
}

static void test_a_killed_writer_leaves_a_valid_open_journal(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        char name[32];
        snprintf(name, sizeof(name), "killed-%" PRIu64, seed);
        const char *directory = directory_of(name);
        uint64_t returned = run_until_killed(directory, seed);
        struct found found = read_back(directory);
        /* One append may have returned without the parent having been told. */
        CHECK_THAT(found.records == returned || found.records == returned + 1,
            "seed %" PRIu64 ": %" PRIu64 " records, %" PRIu64 " appends returned", seed,
            found.records, returned);
        CHECK_THAT(
            found.verdict == DP_JOURNAL_NEVER_WRITTEN || found.verdict == DP_JOURNAL_UNFINISHED,
            "seed %" PRIu64 ": %s", seed, dp_journal_verdict_name(found.verdict));
    }
}

static void refuse(const char *directory, uint64_t segment_size, int expected, const char *words)
{
    struct dp_wal_config config = {.segment_size = segment_size, .appliance = "test"};
    int status = dp_wal_open(&wal, directory, &config, &err);
    CHECK_THAT(status == expected && strstr(err.text, words) != NULL, "%d: %s", status, err.text);
}

static void test_a_directory_that_cannot_hold_a_journal_is_refused(void)
{
    char file[100];
    snprintf(file, sizeof(file), "%s", directory_of("file"));
    fclose(fopen(file, "w"));
    refuse(file, SIZE, -ENOTDIR, "a file has that name; name a directory");
    refuse(directory_of("no/such/parent"), SIZE, -ENOENT, "its parent directory does not exist");
    refuse("/proc/journal", SIZE, -ENOENT, "journal: /proc/journal: ");
    refuse("", SIZE, -EINVAL, "directory");
    refuse(directory_of("size"), SIZE + 1, -EINVAL,
        "journal.segment_size: 65537; it must be a multiple");
    refuse(directory_of("size"), 4096, -EINVAL, "journal.segment_size: 4096");
    refuse(directory_of("size"), 0, -EINVAL, "journal.segment_size: 0");
    CHECK(access(directory_of("size"), F_OK) != 0);
}

static void test_a_full_disk_is_a_message_and_leaves_nothing_behind(void)
{
    uint64_t size = (uint64_t)1 << 42;
    char expected[200];
    const char *directory = directory_of("full");
    snprintf(expected, sizeof(expected),
        "journal: %s: no space for a segment of %" PRIu64 " bytes (", directory, size);
    struct dp_wal_config config = {.segment_size = size, .appliance = "test"};
    CHECK(dp_wal_open(&wal, directory, &config, &err) < 0);
    CHECK_THAT(strncmp(err.text, expected, strlen(expected)) == 0, "%s", err.text);
    CHECK_THAT(strstr(err.text, " free); free some space or set journal.segment_size") != NULL,
        "%s", err.text);
    CHECK_EQUAL(
        open_with(directory, DP_JOURNAL_MEMORY), 0); /* no half-made segment stands in the way */
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

static void test_a_roll_that_fails_leaves_the_old_segment_whole(void)
{
    const char *directory = directory_of("stuck");
    char next[200];
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), 0);
    snprintf(next, sizeof(next), "%s/journal-000002.tpj", directory);
    CHECK_EQUAL(mkdir(next, 0755), 0);
    append(2 * ROOM);
    CHECK(!dp_wal_next(&wal));
    CHECK_THAT(strstr(wal.err.text, "a segment cannot be made there: File exists") != NULL, "%s",
        wal.err.text);
    CHECK_EQUAL(rmdir(next), 0);
    while (
        !append_one(0)) /* the obstacle is gone: the journal goes on when the keeper has seen it */
        usleep(100);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    struct found found = read_back(directory);
    CHECK(
        found.records == 2 * ROOM + 1 && found.segments == 3 && found.verdict == DP_JOURNAL_CLOSED);
}

static void test_a_second_writer_is_kept_out(void)
{
    static struct dp_wal other;
    const struct dp_wal_config config = {.segment_size = SIZE, .appliance = "test"};
    const char *directory = directory_of("locked");
    CHECK_EQUAL(open_with(directory, DP_JOURNAL_MEMORY), 0);
    CHECK_EQUAL(dp_wal_open(&other, directory, &config, &err), -EBUSY);
    CHECK_THAT(strstr(err.text, "another process is writing it") != NULL, "%s", err.text);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

/* As a user who may do nothing: root may do everything. */
static void test_a_directory_that_may_not_be_written_is_said_so(void)
{
    enum { NOBODY = 65534 };
    const char *directory = directory_of("forbidden");
    CHECK_EQUAL(mkdir(directory, 0555), 0);
    CHECK_EQUAL(chmod(scratch, 0755), 0);
    bool was_root = geteuid() == 0;
    CHECK(!was_root || seteuid(NOBODY) == 0);
    refuse(directory, SIZE, -EACCES, "a segment cannot be made there: Permission denied");
    refuse(directory_of("forbidden/below"), SIZE, -EACCES, "cannot be made: Permission denied");
    CHECK(!was_root || seteuid(0) == 0);
    CHECK_EQUAL(chmod(directory_of("forbidden"), 0755), 0);
}

static void test_a_replica_is_refused(void)
{
    CHECK_EQUAL(open_with(directory_of("replica"), DP_JOURNAL_REPLICA), -EINVAL);
    CHECK_TEXT(
        err.text, "journal.durability: a replica; there is no standby yet, use memory or fsync");
}

static void test_records_become_durable_where_orders_wait(void)
{
    CHECK_EQUAL(open_with(directory_of("durable"), DP_JOURNAL_FSYNC), 0);
    for (uint32_t round = 0; round < 3; round++) {
        append(ROOM - 7);
        uint64_t wanted = dp_load_relaxed(&wal.segment.sequence_next) - 1;
        while (dp_wal_durable(&wal) < wanted)
            usleep(100);
        CHECK_EQUAL(dp_wal_durable(&wal), wanted);
    }
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    struct found found = read_back(directory_of("durable"));
    CHECK(found.verdict == DP_JOURNAL_CLOSED && found.records == 3 * (ROOM - 7));
}

int main(void)
{
    if (!make_scratch())
        return 1;
    RUN_TESTS(TEST(test_a_journal_rolls_over_and_closes), TEST(test_an_empty_journal_closes),
        TEST(test_space_is_really_allocated), TEST(test_a_journal_is_never_overwritten),
        TEST(test_a_sealed_journal_is_never_written_beside),
        TEST(test_a_killed_writer_leaves_a_valid_open_journal),
        TEST(test_a_directory_that_cannot_hold_a_journal_is_refused),
        TEST(test_a_full_disk_is_a_message_and_leaves_nothing_behind),
        TEST(test_a_roll_that_fails_leaves_the_old_segment_whole),
        TEST(test_a_second_writer_is_kept_out),
        TEST(test_a_directory_that_may_not_be_written_is_said_so), TEST(test_a_replica_is_refused),
        TEST(test_records_become_durable_where_orders_wait));
}
