#include "dp_perf.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_counter(uint64_t event)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = event,
        .disabled = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

void dp_perf_open(struct dp_perf *perf)
{
    perf->instructions_fd = open_counter(PERF_COUNT_HW_INSTRUCTIONS);
    perf->branch_misses_fd = open_counter(PERF_COUNT_HW_BRANCH_MISSES);
}

static void start_counter(int fd)
{
    if (fd < 0)
        return;
    ioctl(fd, PERF_EVENT_IOC_RESET, 0);
    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
}

static int64_t stop_counter(int fd)
{
    int64_t count = -1;
    if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) < 0)
        return -1;
    return read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count) ? count : -1;
}

void dp_perf_start(struct dp_perf *perf)
{
    start_counter(perf->instructions_fd);
    start_counter(perf->branch_misses_fd);
}

struct dp_perf_reading dp_perf_stop(struct dp_perf *perf)
{
    return (struct dp_perf_reading){
        stop_counter(perf->instructions_fd), stop_counter(perf->branch_misses_fd)};
}

void dp_perf_close(struct dp_perf *perf)
{
    if (perf->instructions_fd >= 0)
        close(perf->instructions_fd);
    if (perf->branch_misses_fd >= 0)
        close(perf->branch_misses_fd);
}
