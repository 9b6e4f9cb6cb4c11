/*
 * The file under a segment is cut short, so that every store behind the cut is answered with
 * SIGBUS, as by a file system that has shut itself down. Nobody dies of it, nothing counts as on
 * disk.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "dp_wal_guard.h"
#include "wal_bench.h"

#define RECORDS_A_PAGE (4096 / sizeof(struct dp_journal_record))

static void cut(const char *directory, off_t size)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/journal-000000.tpj", directory);
    CHECK_EQUAL(truncate(path, size), 0);
}

static bool is_tainted(const char *directory)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/tainted", directory);
    return access(path, F_OK) == 0;
}

/* Two pages of records, the file ends there, and the writer goes on. */
static void lose(const char *directory, uint8_t durability)
{
    CHECK_EQUAL(open_with(directory, durability), 0);
    append(2 * RECORDS_A_PAGE);
    while (durability == DP_JOURNAL_FSYNC && dp_wal_durable(&wal) < 2 * RECORDS_A_PAGE)
        usleep(100);
    CHECK(!dp_wal_lost(&wal));
    cut(directory, DP_JOURNAL_HEADER_SIZE + 2 * 4096);
    const struct dp_event event = {.kind = DP_EVENT_NEW, .user_ref_num = 5, .time_ns = 9};
    for (uint32_t count = 0; count < 2 * RECORDS_A_PAGE; count++)
        if (dp_journal_has_room(&wal.segment))
            dp_journal_append(&wal.segment, &event);
    CHECK(dp_wal_lost(&wal));
}

static void check_lost_is_a_failed_flush(uint8_t durability, const char *name)
{
    const char *directory = directory_of(name);
    lose(directory, durability);
    while (!dp_wal_failed(&wal))
        usleep(100);
    CHECK(!append_one(1));
    CHECK_THAT(strstr(dp_wal_trouble(&wal), "cannot be flushed to disk; no new orders") != NULL,
        "%s", dp_wal_trouble(&wal));
    CHECK(dp_wal_durable(&wal) <= 2 * RECORDS_A_PAGE);
    CHECK_EQUAL(dp_wal_close(&wal, &err), -EIO);
    CHECK(is_tainted(directory));
    CHECK(open_as(directory, durability, true, 2 * RECORDS_A_PAGE) < 0);
}

static void test_where_orders_wait_for_the_disk_none_goes_on_waiting(void)
{
    check_lost_is_a_failed_flush(DP_JOURNAL_FSYNC, "fsync");
}

static void test_where_nobody_waits_it_is_found_at_once(void)
{
    check_lost_is_a_failed_flush(DP_JOURNAL_MEMORY, "memory");
}

/* Which also says that records before the fault are where they were. */
static void test_what_was_stored_before_is_in_the_file(void)
{
    lose(directory_of("before"), DP_JOURNAL_MEMORY);
    CHECK(dp_wal_close(&wal, &err) < 0);
    cut(directory_of("before"), SIZE);
    struct found found = read_back(directory_of("before"));
    CHECK_EQUAL(found.records, 2 * RECORDS_A_PAGE);
    CHECK_EQUAL(found.verdict, DP_JOURNAL_NEVER_WRITTEN);
}

/* ---- whom it leaves alone ---- */

static sigjmp_buf back;

static void jump_back(int number)
{
    siglongjmp(back, number);
}

/* A page that no store reaches. */
static volatile uint8_t *page_without_file(void)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/page", scratch);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    close(fd);
    return memory;
}

static void test_a_fault_elsewhere_is_for_whoever_had_the_signal(void)
{
    volatile uint8_t *page = page_without_file();
    struct sigaction mine = {.sa_handler = jump_back};
    CHECK_EQUAL(sigaction(SIGBUS, &mine, NULL), 0);
    CHECK_EQUAL(open_with(directory_of("elsewhere"), DP_JOURNAL_MEMORY), 0);
    int number = sigsetjmp(back, 1);
    if (number == 0)
        page[0] = 1;
    CHECK_EQUAL(number, SIGBUS);
    CHECK(!dp_wal_lost(&wal));
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    signal(SIGBUS, SIG_DFL);
}

/* How a child ends that has a journal open. */
static int signal_that_ends(bool by_a_store)
{
    pid_t child = fork();
    if (child == 0) {
        char name[32];
        snprintf(name, sizeof(name), "ends-%d", by_a_store);
        if (open_with(directory_of(name), DP_JOURNAL_MEMORY) < 0)
            _exit(1);
        if (by_a_store)
            page_without_file()[0] = 1;
        else
            raise(SIGBUS);
        _exit(2);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -status;
}

static void test_without_one_it_ends_the_process_as_ever(void)
{
    CHECK_EQUAL(signal_that_ends(true), SIGBUS);
    CHECK_EQUAL(signal_that_ends(false), SIGBUS);
}

static void test_the_signal_is_given_back(void)
{
    struct sigaction now;
    CHECK_EQUAL(open_with(directory_of("back"), DP_JOURNAL_MEMORY), 0);
    CHECK_EQUAL(sigaction(SIGBUS, NULL, &now), 0);
    CHECK(now.sa_handler != SIG_DFL);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(sigaction(SIGBUS, NULL, &now), 0);
    CHECK(now.sa_handler == SIG_DFL);
}

static void test_there_are_slots_for_so_many(void)
{
    static uint8_t memory[DP_WAL_GUARD_MAX + 1];
    _Atomic bool lost = false;
    for (uint32_t index = 0; index < DP_WAL_GUARD_MAX; index++)
        CHECK_EQUAL(dp_wal_guard_watch(&memory[index], 1, &lost), 0);
    CHECK_EQUAL(dp_wal_guard_watch(&memory[DP_WAL_GUARD_MAX], 1, &lost), -EMFILE);
    dp_wal_guard_unwatch(&memory[7]);
    CHECK_EQUAL(dp_wal_guard_watch(&memory[DP_WAL_GUARD_MAX], 1, &lost), 0);
    for (uint32_t index = 0; index <= DP_WAL_GUARD_MAX; index++)
        dp_wal_guard_unwatch(&memory[index]);
}

int main(void)
{
    if (!make_scratch())
        return 1;
    signal(SIGBUS, SIG_DFL); /* a sanitizer has it from the start */
    RUN_TESTS(TEST(test_where_orders_wait_for_the_disk_none_goes_on_waiting),
        TEST(test_where_nobody_waits_it_is_found_at_once),
        TEST(test_what_was_stored_before_is_in_the_file),
        TEST(test_a_fault_elsewhere_is_for_whoever_had_the_signal),
        TEST(test_without_one_it_ends_the_process_as_ever), TEST(test_the_signal_is_given_back),
        TEST(test_there_are_slots_for_so_many));
}
