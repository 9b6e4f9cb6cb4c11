/*
 * The disk fails at call N, for N = 1, 2, 3 ... until a run ends clean. The functions of the C
 * library that the journal calls are defined here in front of it, and count.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <time.h>

#include "wal_bench.h"

#define EVERY UINT32_MAX

enum what { FAIL_EIO, FAIL_ENOSPC, FAIL_EINTR, SHORT_WRITE };

static struct {
    _Atomic uint32_t calls;   /* so far */
    _Atomic uint32_t fail_at; /* 0: never; EVERY */
    _Atomic enum what what;
    _Atomic bool is_slow;      /* a flush takes as long as this is true */
    _Atomic bool is_flushing;  /* one does */
    _Atomic uint32_t failed;   /* flushes that were told to fail */
    _Atomic bool is_full;      /* nothing else fails */
    _Atomic uint32_t refusals; /* of room, meanwhile */
    _Atomic bool is_held;      /* no room is given or refused as long as this is true */
    _Atomic bool is_waiting;   /* somebody asks for room meanwhile */
} disk;

/* Whether this call is the one; EINTR comes once and is no failure. */
static bool is_due(void)
{
    uint32_t call = dp_fetch_add_relaxed(&disk.calls, 1) + 1;
    return disk.fail_at == EVERY || call == disk.fail_at;
}

static int code_of(enum what what)
{
    return what == FAIL_ENOSPC ? ENOSPC : what == FAIL_EINTR ? EINTR : EIO;
}

#define REAL(name) (*(__typeof__(&(name)) *)(void *)&(void *){dlsym(RTLD_NEXT, #name)})

int fsync(int fd)
{
    if (!is_due() || disk.what == SHORT_WRITE || disk.what == FAIL_EINTR)
        return REAL(fsync)(fd);
    errno = code_of(disk.what);
    return -1;
}

int msync(void *memory, size_t size, int flags)
{
    dp_store_release(&disk.is_flushing, true);
    while (dp_load_acquire(&disk.is_slow))
        usleep(100);
    dp_store_release(&disk.is_flushing, false);
    if (!is_due() || disk.what == SHORT_WRITE)
        return REAL(msync)(memory, size, flags);
    dp_fetch_add_relaxed(&disk.failed, disk.what != FAIL_EINTR);
    errno = code_of(disk.what);
    return -1;
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    dp_store_release(&disk.is_waiting, true);
    while (dp_load_acquire(&disk.is_held))
        usleep(100);
    dp_store_release(&disk.is_waiting, false);
    if (dp_load_acquire(&disk.is_full)) {
        dp_fetch_add_relaxed(&disk.refusals, 1);
        return ENOSPC;
    }
    if (!is_due() || disk.what == SHORT_WRITE)
        return REAL(posix_fallocate)(fd, offset, size);
    return code_of(disk.what);
}

int openat(int fd, const char *name, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    bool may_fail = disk.what == FAIL_EIO || disk.what == FAIL_ENOSPC;
    /* Where everything fails, the mark of the failure is wanted all the same. */
    if (!may_fail || disk.fail_at == EVERY || !is_due())
        return REAL(openat)(fd, name, flags, mode);
    errno = code_of(disk.what);
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    if (!is_due())
        return REAL(pwrite)(fd, bytes, size, offset);
    if (disk.what == SHORT_WRITE)
        return REAL(pwrite)(fd, bytes, size / 3 + 1, offset);
    errno = code_of(disk.what);
    return -1;
}

int unlinkat(int fd, const char *name, int flags)
{
    if (!is_due() || disk.what == SHORT_WRITE || disk.what == FAIL_EINTR)
        return REAL(unlinkat)(fd, name, flags);
    errno = code_of(disk.what);
    return -1;
}

/* ---- one run ---- */

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Appends, three records a step, until the journal takes no more; waits now and then for the disk.
 */
static void work(void)
{
    for (uint32_t number = 0; number < 3 * ROOM; number++) {
        if (!append_one(number))
            return;
        uint64_t last = dp_load_relaxed(&wal.segment.sequence_next) - 1;
        while (number % 97 == 0 && dp_wal_durable(&wal) < last && !dp_wal_failed(&wal))
            usleep(20);
    }
}

static void check_failure_is_final(const char *directory)
{
    char path[200];
    for (uint32_t turn = 0; turn < 2000 && !dp_wal_failed(&wal); turn++)
        usleep(500); /* the disk has said it to the keeper, and the keeper not yet to us */
    CHECK(dp_wal_failed(&wal));
    uint64_t durable = dp_wal_durable(&wal);
    CHECK(!append_one(1));
    CHECK(wal.err.code == EIO || wal.err.code == ENOSPC);
    CHECK_THAT(strstr(wal.err.text, "cannot be flushed to disk; no new orders") != NULL, "%s",
        wal.err.text);
    usleep(2000);
    CHECK_EQUAL(dp_wal_durable(&wal), durable);
    snprintf(path, sizeof(path), "%s/tainted", directory);
    CHECK_EQUAL(access(path, F_OK), 0);
}

/* True when the run met no failure at all. */
static bool run(const char *directory)
{
    disk.calls = disk.failed = 0;
    if (open_with(directory, DP_JOURNAL_FSYNC) < 0) {
        CHECK_THAT(strncmp(err.text, "journal: ", 9) == 0, "%s", err.text);
        return false;
    }
    work();
    uint64_t durable = dp_wal_durable(&wal);
    bool flush_failed = dp_load_relaxed(&disk.failed) > 0;
    if (flush_failed)
        check_failure_is_final(directory);
    int status = dp_wal_close(&wal, &err);
    CHECK_THAT(!flush_failed || status < 0, "a failed flush was forgotten at the end");
    struct found found = read_back(directory);
    CHECK_THAT(found.sequence >= durable, "%" PRIu64 " records of %" PRIu64 " durable",
        found.sequence, durable);
    return status == 0 && disk.calls < disk.fail_at;
}

static void fail_everywhere(enum what what, const char *words)
{
    disk.what = what;
    for (disk.fail_at = 1;; disk.fail_at++) {
        char name[32];
        snprintf(name, sizeof(name), "%s-%u", words, disk.fail_at);
        if (run(directory_of(name)))
            break;
        CHECK_THAT(disk.fail_at < 5000, "no run ends clean");
    }
    disk.fail_at = 0;
    CHECK(disk.calls > 10);
}

static void test_every_call_fails_with_an_input_output_error(void)
{
    fail_everywhere(FAIL_EIO, "eio");
}

static void test_every_call_finds_the_disk_full(void)
{
    fail_everywhere(FAIL_ENOSPC, "enospc");
}

static void test_every_call_is_interrupted(void)
{
    disk.what = FAIL_EINTR;
    for (disk.fail_at = 1; disk.fail_at < 40; disk.fail_at++) {
        char name[32];
        snprintf(name, sizeof(name), "eintr-%u", disk.fail_at);
        CHECK_EQUAL(open_with(directory_of(name), DP_JOURNAL_FSYNC), 0);
        work();
        CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    }
    disk.fail_at = 0;
}

static void test_short_writes_are_gone_on_with(void)
{
    disk.what = SHORT_WRITE;
    for (disk.fail_at = 1; disk.fail_at < 12; disk.fail_at++) {
        char name[32];
        snprintf(name, sizeof(name), "short-%u", disk.fail_at);
        disk.calls = 0;
        CHECK_EQUAL(open_with(directory_of(name), DP_JOURNAL_FSYNC), 0);
        append(10);
        CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
        CHECK_EQUAL(read_back(directory_of(name)).records, 10);
    }
    disk.fail_at = 0;
}

/* How long the journal takes records once the disk has failed to flush one. */
static uint64_t failed_flush_us(uint32_t attempt)
{
    char name[32];
    snprintf(name, sizeof(name), "stop-%u", attempt);
    CHECK_EQUAL(open_with(directory_of(name), DP_JOURNAL_FSYNC), 0);
    append(10);
    while (dp_wal_durable(&wal) < 10)
        usleep(50);
    disk.failed = 0;
    disk.what = FAIL_EIO;
    disk.fail_at = EVERY;
    append(1);
    while (dp_load_relaxed(&disk.failed) == 0)
        usleep(50);
    uint64_t start_us = now_us();
    while (dp_journal_has_room(&wal.segment))
        continue;
    uint64_t taken_us = now_us() - start_us;
    disk.fail_at = 0;
    CHECK(dp_wal_close(&wal, &err) < 0);
    return taken_us;
}

/* On a machine that lets our threads run; of some attempts one finds it so. */
static void test_after_a_failed_flush_orders_stop_within_ten_milliseconds(void)
{
    uint64_t least_us = UINT64_MAX;
    for (uint32_t attempt = 0; attempt < 20 && least_us >= 10000; attempt++) {
        uint64_t taken_us = failed_flush_us(attempt);
        least_us = taken_us < least_us ? taken_us : least_us;
    }
    CHECK_THAT(least_us < 10000, "it took %" PRIu64 " us", least_us);
}

/* The operator's line is another one only when the reason is. */
static void check_a_reason_is_worded_once(void)
{
    wal.keeper.refused_err.text[0] = 'J';
    dp_store_release(&disk.is_held, false);
    uint32_t calls = dp_load_relaxed(&disk.refusals);
    while (dp_load_relaxed(&disk.refusals) < calls + 3)
        CHECK(!append_one(1));
    CHECK_EQUAL(dp_wal_trouble(&wal)[0], 'J');
}

/* A disk that is full may take its time to say so again: nobody waits for it, and with room there
 * again the journal goes on. */
static void test_on_a_full_disk_records_are_refused_without_waiting(void)
{
    CHECK_EQUAL(open_with(directory_of("full"), DP_JOURNAL_MEMORY), 0);
    dp_store_release(&disk.is_full, true);
    uint32_t number = 0;
    while (append_one(number))
        number++;
    dp_store_release(&disk.is_held, true);
    while (!dp_load_acquire(&disk.is_waiting))
        CHECK(!append_one(number));
    for (uint32_t again = 0; again < 100; again++)
        CHECK(!append_one(number));
    CHECK(strstr(wal.err.text, "free some space") != NULL);
    check_a_reason_is_worded_once();
    dp_store_release(&disk.is_full, false);
    while (!append_one(number))
        usleep(100);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    CHECK_EQUAL(read_back(directory_of("full")).records, number + 1);
}

/* What happened and found no room is missing for good: with room there again nothing follows it,
 * no file is taken, and the reason is still said. */
static void test_behind_a_lost_record_nothing_is_appended(void)
{
    CHECK_EQUAL(open_with(directory_of("lost"), DP_JOURNAL_MEMORY), 0);
    dp_store_release(&disk.is_full, true);
    uint32_t number = 0;
    while (append_one(number))
        number++;
    dp_store_relaxed(&wal.segment.tainted, true); /* as the order path does it */
    dp_store_release(&disk.is_full, false);
    while (dp_load_acquire(&wal.keeper.next_state) != DP_WAL_NEXT_READY)
        usleep(100);
    CHECK(!append_one(number));
    CHECK(strstr(dp_wal_trouble(&wal), "free some space") != NULL);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
    struct found found = read_back(directory_of("lost"));
    CHECK_EQUAL(found.records, number);
    CHECK_EQUAL(found.segments, (number + ROOM - 1) / ROOM);
}

static void test_a_slow_flush_holds_orders_and_not_the_writer(void)
{
    CHECK_EQUAL(open_with(directory_of("slow"), DP_JOURNAL_FSYNC), 0);
    dp_store_release(&disk.is_slow, true);
    append(1);
    while (!dp_load_acquire(&disk.is_flushing))
        usleep(100);
    append(ROOM / 2); /* comes back, although the flush of the one before does not */
    CHECK(dp_wal_durable(&wal) <= 1);
    dp_store_release(&disk.is_slow, false);
    while (dp_wal_durable(&wal) < 1 + ROOM / 2)
        usleep(1000);
    CHECK(!dp_wal_failed(&wal));
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

/* Where no order waits for the disk, its second thread asks it all the same, records or none. */
static void test_a_broken_disk_is_found_where_nobody_waits_for_it(void)
{
    CHECK_EQUAL(open_with(directory_of("idle"), DP_JOURNAL_MEMORY), 0);
    append(3);
    disk.what = FAIL_EIO;
    disk.fail_at = EVERY;
    while (!dp_wal_failed(&wal))
        usleep(1000);
    CHECK(!append_one(3));
    CHECK(dp_wal_trouble(&wal) != NULL);
    CHECK(strstr(dp_wal_trouble(&wal), "cannot be flushed to disk; no new orders") != NULL);
    disk.fail_at = 0;
    CHECK(dp_wal_close(&wal, &err) < 0);
    CHECK_EQUAL(read_back(directory_of("idle")).records, 3);
}

/* What nobody waits for is on disk soon, but for the page that the writer is at. */
static void test_the_disk_follows_where_nobody_waits_for_it(void)
{
    const uint64_t a_page = 4096 / sizeof(struct dp_journal_record);
    CHECK_EQUAL(open_with(directory_of("follows"), DP_JOURNAL_MEMORY), 0);
    CHECK(dp_wal_trouble(&wal) == NULL);
    append(2 * (uint32_t)a_page + 5);
    while (dp_wal_durable(&wal) == 0)
        usleep(1000);
    CHECK_EQUAL(dp_wal_durable(&wal), 2 * a_page);
    CHECK_EQUAL(dp_wal_close(&wal, &err), 0);
}

int main(void)
{
    if (!make_scratch())
        return 1;
    RUN_TESTS(TEST(test_every_call_fails_with_an_input_output_error),
        TEST(test_every_call_finds_the_disk_full), TEST(test_every_call_is_interrupted),
        TEST(test_short_writes_are_gone_on_with),
        TEST(test_after_a_failed_flush_orders_stop_within_ten_milliseconds),
        TEST(test_on_a_full_disk_records_are_refused_without_waiting),
        TEST(test_behind_a_lost_record_nothing_is_appended),
        TEST(test_a_slow_flush_holds_orders_and_not_the_writer),
        TEST(test_a_broken_disk_is_found_where_nobody_waits_for_it),
        TEST(test_the_disk_follows_where_nobody_waits_for_it));
}
