#include <signal.h>
#include <sys/wait.h>

#include "wal_bench.h"

/* Appends records and dies without a word, as a crash would have it. */
static void crash_after(const char *directory, uint64_t count, uint64_t resume_sequence)
{
    pid_t child = fork();
    if (child == 0) {
        if (open_as(directory, DP_JOURNAL_MEMORY, true, resume_sequence) != 0)
            _exit(1);
        append(count);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void test_another_run_goes_on_behind_a_crash(void)
{
    const char *directory = directory_of("crashed");
    uint64_t records = 0;
    uint64_t sequence = 0;
    for (uint32_t run = 0; run < 4; run++) {
        uint64_t count = 10 + run * ROOM;
        crash_after(directory, count, sequence);
        struct found found = read_back(directory);
        records += count;
        CHECK_EQUAL(found.records, records);
        sequence = found.sequence;
    }
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_FSYNC, true, sequence), 0);
    append(5);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    struct found found = read_back(directory);
    CHECK(found.records == records + 5 && found.verdict == DP_JOURNAL_CLOSED);
}

static void test_another_run_goes_on_behind_a_clean_end(void)
{
    const char *directory = directory_of("clean");
    for (uint32_t run = 0; run < 3; run++) {
        uint64_t sequence = run == 0 ? 0 : read_back(directory).sequence;
        CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, sequence), 0);
        append(7);
        CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    }
    struct found found = read_back(directory);
    CHECK(found.records == 21 && found.segments == 3 && found.verdict == DP_JOURNAL_CLOSED);
}

/* Sealed segments may lose their own files, all but the last: nobody who goes on asks for them. */
static void test_another_run_goes_on_behind_segments_that_were_released(void)
{
    const char *directory = directory_of("released");
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, 0), 0);
    append(2 * ROOM + 5);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    uint64_t sequence = read_back(directory).sequence;
    for (uint32_t index = 0; index < 2; index++) {
        char path[200];
        snprintf(path, sizeof(path), "%s/journal-%06u.tpj", directory, index);
        CHECK_EQUAL(unlink(path), 0);
    }
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, false, 0), -EEXIST);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, sequence), 0);
    append(5);
    CHECK_EQUAL(wal.header.segment_index, 3);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

/* Writes into the first segment's bytes. */
static void patch(const char *directory, uint64_t offset, const void *bytes, size_t size)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/journal-000000.tpj", directory);
    int fd = open(path, O_WRONLY);
    CHECK_EQUAL(pwrite(fd, bytes, size, (off_t)offset), (ssize_t)size);
    close(fd);
}

static void test_an_append_that_never_returned_is_wiped_out(void)
{
    const char *directory = directory_of("unfinished");
    crash_after(directory, 4, 0);
    patch(directory, DP_JOURNAL_HEADER_SIZE + 4 * sizeof(struct dp_journal_record), "half", 4);
    CHECK_EQUAL(read_back(directory).verdict, DP_JOURNAL_UNFINISHED);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, 4), 0);
    append(1);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(read_back(directory).records, 5);
}

static void test_what_recovery_did_not_read_is_not_built_upon(void)
{
    const char *directory = directory_of("stale");
    crash_after(directory, 4, 0);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, 3), -ESTALE);
    CHECK_THAT(strstr(err.text, "ends at record 4, recovery read up to 3; recover again") != NULL,
        "%s", err.text);
}

static void test_a_changed_journal_is_not_built_upon(void)
{
    const char *directory = directory_of("corrupt");
    crash_after(directory, 4, 0);
    patch(directory, DP_JOURNAL_HEADER_SIZE + 2 * sizeof(struct dp_journal_record), "x", 1);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, 2), -EBADMSG);
    CHECK_THAT(strstr(err.text, "record 3 is corrupt") != NULL, "%s", err.text);
}

static void test_a_journal_whose_flush_failed_is_not_built_upon(void)
{
    const char *directory = directory_of("tainted");
    crash_after(directory, 4, 0);
    const struct dp_wal_directory opened = {.fd = open(directory, O_RDONLY)};
    dp_wal_taint(&opened, "the disk");
    close(opened.fd);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, 4), -EIO);
    CHECK_THAT(strstr(err.text, "tainted: a flush failed") != NULL, "%s", err.text);
}

/* Three records and a fourth behind a hole, in the first segment of a journal whose orders wait;
 * the last says that records up to `durable` were on disk. */
static void leave_hole(const char *directory, uint64_t durable)
{
    static const uint8_t zeros[sizeof(struct dp_journal_record)];
    pid_t child = fork();
    if (child == 0) {
        if (open_with(directory, DP_JOURNAL_FSYNC) != 0)
            _exit(1);
        append(4);
        wal.segment.durable_sequence = durable;
        append(2);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    patch(directory, DP_JOURNAL_HEADER_SIZE + 3 * sizeof(zeros), zeros, sizeof(zeros));
}

static void test_a_hole_that_no_order_left_on_is_cut_off_and_kept(void)
{
    const char *directory = directory_of("hole");
    char kept[200];
    leave_hole(directory, 3);
    struct found found = read_back(directory);
    CHECK(found.records == 3 && found.verdict == DP_JOURNAL_TORN);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_FSYNC, true, 3), 0);
    append(1);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    found = read_back(directory);
    CHECK(found.records == 4 && found.verdict == DP_JOURNAL_CLOSED);
    snprintf(kept, sizeof(kept), "%s/lost-000000-000.tpj", directory);
    CHECK_EQUAL(access(kept, F_OK), 0);
}

static void test_a_hole_in_what_was_on_disk_is_not_built_upon(void)
{
    const char *directory = directory_of("lied");
    leave_hole(directory, 4);
    CHECK_EQUAL(read_back(directory).verdict, DP_JOURNAL_CORRUPT);
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_FSYNC, true, 3), -EBADMSG);
    CHECK_THAT(strstr(err.text, "record 4 is corrupt") != NULL, "%s", err.text);
}

static void test_a_segment_behind_the_cut_is_set_aside_or_stops_everything(void)
{
    const char *directory = directory_of("behind");
    uint64_t sequence = ROOM + 1; /* the first segment with its end record */
    crash_after(directory, ROOM + 5, 0);
    /* Recovery read the first segment alone, and orders did not wait for the disk. */
    CHECK_EQUAL(open_as(directory, DP_JOURNAL_MEMORY, true, sequence - 20), -EBADMSG);
    CHECK_THAT(
        strstr(err.text, "is missing; see tickplane journal verify") != NULL, "%s", err.text);
}

/* A run that recovers, appends and is killed somewhere, again and again. */
static void run_until_killed(const char *directory, uint64_t sequence, uint32_t delay_us)
{
    pid_t child = fork();
    if (child == 0) {
        if (open_as(directory, DP_JOURNAL_MEMORY, true, sequence) != 0)
            _exit(1);
        for (;;)
            append(1);
    }
    usleep(delay_us);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK_THAT(WIFSIGNALED(status), "the writer gave up: status %d", status);
}

static void test_kills_at_any_moment_leave_a_journal_to_go_on_with(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        char name[32];
        snprintf(name, sizeof(name), "again-%" PRIu64, seed);
        const char *directory = directory_of(name);
        uint64_t random = seed;
        uint64_t before = 0;
        for (uint32_t run = 0; run < 6; run++) {
            bool is_there = access(directory, F_OK) == 0;
            struct found found = is_there ? read_back(directory) : (struct found){0};
            CHECK_THAT(found.records >= before, "seed %" PRIu64 ": records were lost", seed);
            before = found.records;
            run_until_killed(directory, found.sequence, (uint32_t)(check_random(&random) % 20000));
        }
        struct found found = read_back(directory);
        CHECK_THAT(found.verdict == DP_JOURNAL_NEVER_WRITTEN ||
                found.verdict == DP_JOURNAL_UNFINISHED || found.verdict == DP_JOURNAL_CLOSED,
            "seed %" PRIu64 ": %s", seed, dp_journal_verdict_name(found.verdict));
    }
}

int main(void)
{
    if (!make_scratch())
        return 1;
    RUN_TESTS(TEST(test_another_run_goes_on_behind_a_crash),
        TEST(test_another_run_goes_on_behind_a_clean_end),
        TEST(test_another_run_goes_on_behind_segments_that_were_released),
        TEST(test_an_append_that_never_returned_is_wiped_out),
        TEST(test_what_recovery_did_not_read_is_not_built_upon),
        TEST(test_a_changed_journal_is_not_built_upon),
        TEST(test_a_journal_whose_flush_failed_is_not_built_upon),
        TEST(test_a_hole_that_no_order_left_on_is_cut_off_and_kept),
        TEST(test_a_hole_in_what_was_on_disk_is_not_built_upon),
        TEST(test_a_segment_behind_the_cut_is_set_aside_or_stops_everything),
        TEST(test_kills_at_any_moment_leave_a_journal_to_go_on_with));
}
