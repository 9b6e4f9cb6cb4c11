#include "dp_cpu.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER "/sys/devices/system/cpu"
#define BIND 2        /* MPOL_BIND of linux/mempolicy.h, which is not installed everywhere */
#define NODES_MAX 64u /* bits of the one word of nodes that we pass */
#define PAGES_AT_ONCE 512u

/* The cores that the thread may use, as the kernel prints lists. */
static void list_text(const cpu_set_t *set, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t cpu = 0; cpu < CPU_SETSIZE && used + 16 < size; cpu++) {
        if (!CPU_ISSET(cpu, set))
            continue;
        size_t last = cpu;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
            last++;
        used += (size_t)snprintf(text + used, size - used, used == 0 ? "%zu" : ",%zu", cpu);
        if (last != cpu)
            used += (size_t)snprintf(text + used, size - used, "-%zu", last);
        cpu = last;
    }
}

int dp_cpu_pin(uint32_t cpu, struct dp_err *err)
{
    cpu_set_t before;
    cpu_set_t one;
    char may[256];
    CPU_ZERO(&one);
    if (cpu < CPU_SETSIZE)
        CPU_SET(cpu, &one);
    if (sched_getaffinity(0, sizeof(before), &before) != 0)
        return dp_err_set(err, errno, "cpu: %u: %s", cpu, strerror(errno));
    list_text(&before, may, sizeof(may));
    if (sched_setaffinity(0, sizeof(one), &one) != 0)
        return dp_err_set(err, errno, "cpu: %u: cannot run there: %s; this process may use %s", cpu,
            strerror(errno), may);
    cpu_set_t after;
    CPU_ZERO(&after);
    if (sched_getaffinity(0, sizeof(after), &after) != 0 || !CPU_EQUAL(&after, &one)) {
        list_text(&after, may, sizeof(may));
        return dp_err_set(
            err, EBUSY, "cpu: %u: asked for and not given: the kernel says %s", cpu, may);
    }
    return 0;
}

bool dp_cpu_list_has(const char *list, uint32_t cpu)
{
    while (*list >= '0' && *list <= '9') {
        char *end;
        unsigned long first = strtoul(list, &end, 10);
        unsigned long last = first;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (cpu >= first && cpu <= last)
            return true;
        list = *end == ',' ? end + 1 : "";
    }
    return false;
}

static bool file_has(const char *folder, const char *name, uint32_t cpu)
{
    char path[300];
    char list[1024] = "";
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is_read = fgets(list, sizeof(list), file) != NULL;
    fclose(file);
    return is_read && dp_cpu_list_has(list, cpu);
}

struct dp_cpu_isolation dp_cpu_isolation(uint32_t cpu, const char *folder)
{
    folder = folder == NULL ? FOLDER : folder;
    return (struct dp_cpu_isolation){
        .isolated = file_has(folder, "isolated", cpu),
        .nohz_full = file_has(folder, "nohz_full", cpu),
    };
}

void dp_cpu_step_aside(void)
{
    cpu_set_t mine;
    cpu_set_t others;
    if (sched_getaffinity(0, sizeof(mine), &mine) != 0 || CPU_COUNT(&mine) != 1)
        return;
    CPU_ZERO(&others);
    for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF) && cpu < CPU_SETSIZE; cpu++)
        if (!CPU_ISSET((size_t)cpu, &mine) && !file_has(FOLDER, "isolated", (uint32_t)cpu))
            CPU_SET((size_t)cpu, &others);
    /* Refused where no other core is ours to use. */
    (void)sched_setaffinity(0, sizeof(others), &others);
}

/* VmLck of proc(5), in bytes. */
static uint64_t locked(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL && sscanf(line, "VmLck: %llu", &kib) != 1)
        ;
    fclose(file);
    return kib << 10;
}

int dp_cpu_lock_memory(uint64_t *locked_bytes, struct dp_err *err)
{
    /* On fault: pools are generous and cost nothing until they are touched. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        return dp_err_set(err, errno,
            "cpu: memory cannot be locked: %s; allow more (ulimit -l, LimitMEMLOCK=, CAP_IPC_LOCK)",
            strerror(errno));
    *locked_bytes = locked();
    if (*locked_bytes == 0)
        return dp_err_set(err, EBUSY, "cpu: memory was to be locked and the kernel says none is");
    return 0;
}

int dp_cpu_unlock_memory(struct dp_err *err)
{
    if (munlockall() != 0)
        return dp_err_set(err, errno, "cpu: memory cannot be unlocked: %s", strerror(errno));
    return 0;
}

uint32_t dp_cpu_node(void)
{
    unsigned cpu = 0;
    unsigned node = 0;
    return syscall(SYS_getcpu, &cpu, &node, NULL) == 0 ? node : 0;
}

bool dp_cpu_place(void *memory, size_t size, uint32_t node, struct dp_err *err)
{
    unsigned long nodes = node < NODES_MAX ? 1ul << node : 0;
    if (syscall(SYS_mbind, memory, size, BIND, &nodes, NODES_MAX + 1, 0) == 0)
        return true;
    dp_err_set(err, errno,
        "cpu: memory cannot be placed on node %u: %s; it will be where it is touched first", node,
        strerror(errno));
    return false;
}

int64_t dp_cpu_pages_on(void *memory, size_t size, uint32_t node)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    int64_t count = 0;
    for (size_t at = 0; at < size;) {
        void *pages[PAGES_AT_ONCE];
        int status[PAGES_AT_ONCE];
        unsigned long asked = 0;
        for (; asked < PAGES_AT_ONCE && at < size; asked++, at += page_size)
            pages[asked] = (uint8_t *)memory + at;
        if (syscall(SYS_move_pages, 0, asked, pages, NULL, status, 0) != 0)
            return -1;
        for (unsigned long page = 0; page < asked; page++)
            count += status[page] == (int)node;
    }
    return count;
}
