#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dp_wal.h"

#define SIZE DP_WAL_SEGMENT_SIZE_MIN
#define ROOM ((SIZE - DP_JOURNAL_HEADER_SIZE) / sizeof(struct dp_journal_record) - 1)

static struct dp_err err;
static struct dp_wal wal;
static char scratch[] = "/tmp/test-wal-XXXXXX";

/* What a reader that walks all files of a journal finds. */
struct found {
    uint64_t records; /* end records not counted */
    uint32_t segments;
    enum dp_journal_verdict verdict; /* of the last segment */
};

static const char *directory_of(const char *name)
{
    static char path[100];
    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    return path;
}

static int open_at(const char *directory)
{
    struct dp_wal_config config = {
        .segment_size = SIZE,
        .generation = 3,
        .created_ns = 4,
        .appliance = "test",
        .cl_ord_id_prefix = "TP",
    };
    return dp_wal_open(&wal, directory, &config, &err);
}

static void append(uint64_t count)
{
    for (uint64_t number = 0; number < count; number++) {
        struct dp_event event = {
            .kind = DP_EVENT_NEW, .user_ref_num = (uint32_t)number, .time_ns = 9};
        if (!dp_journal_append(&wal.segment, &event)) {
            CHECK_THAT(dp_wal_next(&wal), "%s", wal.err.text);
            CHECK(dp_journal_append(&wal.segment, &event));
        }
    }
}

static void walk_segment(const uint8_t *memory, struct found *found, uint32_t *chain)
{
    CHECK_EQUAL(dp_journal_header_check(memory, SIZE, &err), 0);
    const struct dp_journal_header *header = (const void *)memory;
    CHECK_EQUAL(header->segment_index, found->segments);
    CHECK_EQUAL(header->chain_previous, *chain);
    struct dp_journal_walk walk;
    const struct dp_journal_record *record = NULL;
    dp_journal_walk_init(&walk, memory, SIZE);
    while ((found->verdict = dp_journal_next(&walk, &record)) == DP_JOURNAL_OK)
        found->records++;
    *chain = walk.chain;
}

static void read_segment(int fd, struct found *found, uint32_t *chain)
{
    /* A file of no size: killed between making it and allocating it. */
    struct stat file;
    CHECK_EQUAL(fstat(fd, &file), 0);
    uint64_t size = (uint64_t)file.st_size;
    uint8_t *memory = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    if (dp_journal_is_unused(memory, size))
        found->verdict = DP_JOURNAL_NEVER_WRITTEN;
    else
        walk_segment(memory, found, chain);
    if (memory != NULL)
        munmap(memory, size);
}

static struct found read_back(const char *directory)
{
    struct found found = {.verdict = DP_JOURNAL_CORRUPT};
    uint32_t chain = 0;
    for (;; found.segments++) {
        char path[200];
        snprintf(path, sizeof(path), "%s/journal-%06u.tpj", directory, found.segments);
        int fd = open(path, O_RDONLY);
        if (fd < 0)
            return found;
        read_segment(fd, &found, &chain);
        close(fd);
    }
}

static void test_a_journal_rolls_over_and_closes(void)
{
    const char *directory = directory_of("rolls");
    CHECK_EQUAL(open_at(directory), 0);
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
    CHECK_EQUAL(open_at(directory), 0);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(read_back(directory).verdict, DP_JOURNAL_CLOSED);
}

static void test_space_is_really_allocated(void)
{
    struct stat file;
    char path[200];
    snprintf(path, sizeof(path), "%s/journal-000000.tpj", directory_of("allocated"));
    CHECK_EQUAL(open_at(directory_of("allocated")), 0);
    CHECK_EQUAL(stat(path, &file), 0);
    CHECK(file.st_size == SIZE && file.st_blocks * 512 >= SIZE);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

static void test_a_journal_is_never_overwritten(void)
{
    const char *directory = directory_of("evidence");
    CHECK_EQUAL(open_at(directory), 0);
    append(1);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(open_at(directory), -EEXIST);
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
        if (open_at(directory) != 0)
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
    CHECK_EQUAL(open_at(directory), 0); /* no half-made segment stands in the way */
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

static void test_a_roll_that_fails_leaves_the_old_segment_whole(void)
{
    const char *directory = directory_of("stuck");
    char next[200];
    CHECK_EQUAL(open_at(directory), 0);
    append(ROOM);
    snprintf(next, sizeof(next), "%s/journal-000001.tpj", directory);
    CHECK_EQUAL(mkdir(next, 0755), 0);
    CHECK(!dp_wal_next(&wal));
    CHECK_THAT(strstr(wal.err.text, "a segment cannot be made there: File exists") != NULL, "%s",
        wal.err.text);
    CHECK_EQUAL(rmdir(next), 0);
    append(1); /* the obstacle is gone: the journal goes on */
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    struct found found = read_back(directory);
    CHECK(found.records == ROOM + 1 && found.segments == 2 && found.verdict == DP_JOURNAL_CLOSED);
}

static void remove_scratch(void)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", scratch);
}

int main(void)
{
    if (mkdtemp(scratch) == NULL)
        return 1;
    atexit(remove_scratch);
    RUN_TESTS(TEST(test_a_journal_rolls_over_and_closes), TEST(test_an_empty_journal_closes),
        TEST(test_space_is_really_allocated), TEST(test_a_journal_is_never_overwritten),
        TEST(test_a_killed_writer_leaves_a_valid_open_journal),
        TEST(test_a_directory_that_cannot_hold_a_journal_is_refused),
        TEST(test_a_full_disk_is_a_message_and_leaves_nothing_behind),
        TEST(test_a_roll_that_fails_leaves_the_old_segment_whole));
}
