/* dp_cpu on this machine: what is set is read back from the kernel in another way. */
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dp_cpu.h"

#define SIZE ((size_t)1 << 20)

static void test_a_pinned_thread_runs_there(void)
{
    cpu_set_t before;
    sched_getaffinity(0, sizeof(before), &before);
    struct dp_err err = {0};
    for (uint32_t cpu = 0; cpu < 64; cpu++) {
        if (!CPU_ISSET(cpu, &before))
            continue;
        CHECK_EQUAL(dp_cpu_pin(cpu, &err), 0);
        CHECK_EQUAL(sched_getcpu(), cpu);
    }
    sched_setaffinity(0, sizeof(before), &before);
}

static void test_a_core_that_is_not_there_is_refused_with_those_that_are(void)
{
    cpu_set_t before;
    cpu_set_t after;
    sched_getaffinity(0, sizeof(before), &before);
    uint32_t first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    struct dp_err err = {0};
    char text[128];
    CHECK_EQUAL(dp_cpu_pin(first, &err), 0);
    snprintf(text, sizeof(text),
        "cpu: 1000: cannot run there: Invalid argument; this process may use %u", first);
    CHECK_EQUAL(dp_cpu_pin(1000, &err), -EINVAL);
    CHECK_TEXT(err.text, text);
    CHECK_EQUAL(dp_cpu_pin(5000, &err), -EINVAL);
    sched_getaffinity(0, sizeof(after), &after);
    CHECK(CPU_COUNT(&after) == 1 && CPU_ISSET(first, &after)); /* as it was */
    sched_setaffinity(0, sizeof(before), &before);
}

static void test_a_helper_leaves_the_core_of_a_pinned_thread(void)
{
    cpu_set_t before;
    cpu_set_t after;
    sched_getaffinity(0, sizeof(before), &before);
    if (CPU_COUNT(&before) > 1) {
        dp_cpu_step_aside(); /* pinned nowhere: it stays where it may run */
        sched_getaffinity(0, sizeof(after), &after);
        CHECK(CPU_EQUAL(&after, &before));
    }
    struct dp_err err = {0};
    uint32_t first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CHECK_EQUAL(dp_cpu_pin(first, &err), 0);
    dp_cpu_step_aside();
    sched_getaffinity(0, sizeof(after), &after);
    CHECK(CPU_COUNT(&before) == 1 || !CPU_ISSET(first, &after));
    CHECK(CPU_COUNT(&after) >= 1);
    sched_setaffinity(0, sizeof(before), &before);
}

static void test_lists_of_the_kernel(void)
{
    static const struct {
        const char *list;
        uint32_t cpu;
        bool has;
    } rows[] = {
        {"", 0, false},
        {"\n", 0, false},
        {"0\n", 0, true},
        {"1\n", 0, false},
        {"0-3,8\n", 3, true},
        {"0-3,8\n", 4, false},
        {"0-3,8\n", 8, true},
        {"0-3,8", 80, false},
        {"(null)\n", 0, false},
        {"2-", 2, false},
        {"5-4,9", 9, true},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        CHECK_THAT(dp_cpu_list_has(rows[row].list, rows[row].cpu) == rows[row].has, "'%s', %u",
            rows[row].list, rows[row].cpu);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static void test_isolation_is_what_the_two_lists_say(void)
{
    char folder[] = "/tmp/tickplane-test-cpu-XXXXXX";
    char path[128];
    CHECK(mkdtemp(folder) != NULL);
    CHECK(!dp_cpu_isolation(2, folder).isolated); /* no lists */
    write_file(folder, "isolated", "2-3\n");
    write_file(folder, "nohz_full", "3\n");
    CHECK(dp_cpu_isolation(2, folder).isolated && !dp_cpu_isolation(2, folder).nohz_full);
    CHECK(dp_cpu_isolation(3, folder).isolated && dp_cpu_isolation(3, folder).nohz_full);
    CHECK(!dp_cpu_isolation(1, folder).isolated);
    snprintf(path, sizeof(path), "%s/isolated", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/nohz_full", folder);
    unlink(path);
    rmdir(folder);
}

/* The sanitizers put a mlockall of their own in front that does nothing. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_LOCK false
#else
#define CAN_LOCK true
#endif

/* In a child, so that this program's memory stays as it is. */
static void test_locked_memory_is_in_core_once_touched(void)
{
    if (!CAN_LOCK)
        return;
    pid_t child = fork();
    if (child == 0) {
        uint64_t bytes = 0;
        struct dp_err err = {0};
        if (dp_cpu_lock_memory(&bytes, &err) < 0) {
            printf("     %s\n", err.text);
            exit(errno == EPERM || errno == ENOMEM ? 77 : 1);
        }
        uint8_t *memory =
            mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(memory, 1, SIZE);
        unsigned char in_core = 0;
        bool is_right = bytes != 0 && mincore(memory + SIZE / 2, 1, &in_core) == 0 && in_core & 1;
        is_right &= madvise(memory, SIZE, MADV_DONTNEED) != 0; /* refused: it is locked */
        _exit(is_right && dp_cpu_unlock_memory(&err) == 0 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
}

static void test_placed_memory_lies_on_its_node(void)
{
    struct dp_err err = {0};
    uint32_t node = dp_cpu_node();
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_placed = dp_cpu_place(memory, SIZE, node, &err);
    int64_t before = dp_cpu_pages_on(memory, SIZE, node);
    memset(memory, 1, SIZE);
    if (is_placed && before >= 0) {
        CHECK_EQUAL(before, 0); /* not touched yet */
        CHECK_EQUAL(dp_cpu_pages_on(memory, SIZE, node), SIZE / 4096);
    } else {
        printf("     %s\n", is_placed ? "the kernel does not say where pages are" : err.text);
    }
    munmap(memory, SIZE);
}

static void test_a_node_that_is_not_there_is_refused_in_one_line(void)
{
    struct dp_err err = {0};
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(!dp_cpu_place(memory, SIZE, 63, &err));
    CHECK(strncmp(err.text, "cpu: memory cannot be placed on node 63: ", 41) == 0);
    CHECK(!dp_cpu_place(memory, SIZE, 64, &err));
    munmap(memory, SIZE);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_pinned_thread_runs_there),
        TEST(test_a_core_that_is_not_there_is_refused_with_those_that_are),
        TEST(test_a_helper_leaves_the_core_of_a_pinned_thread), TEST(test_lists_of_the_kernel),
        TEST(test_isolation_is_what_the_two_lists_say),
        TEST(test_locked_memory_is_in_core_once_touched), TEST(test_placed_memory_lies_on_its_node),
        TEST(test_a_node_that_is_not_there_is_refused_in_one_line));
}
