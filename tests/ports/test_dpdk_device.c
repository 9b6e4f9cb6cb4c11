/*
 * DPDK's environment, started by a thread with a real-time policy on one core: as with chrt -f.
 */
#include "check.h"
#include "dp_port_dpdk.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#define PRIORITY 1
#define PATIENCE_S 60

static void check_policies(void)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    int helper_count = 0;
    while ((entry = readdir(folder)) != NULL) {
        pid_t thread = atoi(entry->d_name);
        if (thread == 0)
            continue;
        bool is_ours = thread == getpid();
        CHECK_EQUAL(sched_getscheduler(thread), is_ours ? SCHED_FIFO : SCHED_OTHER);
        helper_count += !is_ours;
    }
    closedir(folder);
    CHECK(helper_count > 0);
}

static void test_a_real_time_thread_starts_dpdk_and_stays_real_time(void)
{
    static const char *const devices[] = {"net_ring0", NULL};
    const struct dp_dpdk_environment environment = {
        .name = "test-dpdk-device", .memory_mib = 64, .devices = devices};
    struct dp_err err = {0};
    struct sched_param param = {0};
    alarm(PATIENCE_S); /* one that waits for a thread it keeps from its core would do so for ever */
    CHECK_THAT(dp_dpdk_start(&environment, &err) == 0, "%s", err.text);
    check_policies();
    CHECK_EQUAL(sched_getparam(0, &param), 0);
    CHECK_EQUAL(param.sched_priority, PRIORITY);
    dp_dpdk_stop();
}

int main(void)
{
    const struct sched_param param = {.sched_priority = PRIORITY};
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET((size_t)sched_getcpu(), &core);
    if (sched_setaffinity(0, sizeof(core), &core) < 0 ||
        sched_setscheduler(0, SCHED_FIFO, &param) < 0) {
        printf("skip: needs the right to a real-time policy: %s\n", strerror(errno));
        return 77;
    }
    RUN_TESTS(TEST(test_a_real_time_thread_starts_dpdk_and_stays_real_time));
}
