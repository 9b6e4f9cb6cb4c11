/*
 * dp_cpu - where the calling thread runs and where its memory lies: set, then read back.
 *
 * For a thread that spins: one core to itself, its memory locked, and on its own node. What the
 * machine does not give is an error or a fact for the caller to say; nothing is taken for granted
 * because a call did not fail. Control path only. What is set is the calling thread's or, for
 * locked memory, the process's; nothing is kept here.
 */
#ifndef DP_CPU_H
#define DP_CPU_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_CPU_MAX 1024u

/* What keeps others off a core; each a kernel parameter. */
struct dp_cpu_isolation {
    bool isolated;  /* isolcpus=: the scheduler puts nobody else there */
    bool nohz_full; /* nohz_full=: no timer interrupt while one thread runs there */
};

/* The calling thread runs on this core from now on, and the kernel says so too. */
int dp_cpu_pin(uint32_t cpu, struct dp_err *err);
/* For a thread that helps a pinned one and was started by it: it leaves that core, which it has
 * inherited, for all others that are not isolated. Where there are none it stays. */
void dp_cpu_step_aside(void);
/* Reads the two lists of a folder; NULL: /sys/devices/system/cpu. A list that is not there is
 * empty. */
struct dp_cpu_isolation dp_cpu_isolation(uint32_t cpu, const char *folder);
/* Whether a list as the kernel prints it ("0-3,8") has a core. Anything else has none. */
bool dp_cpu_list_has(const char *list, uint32_t cpu);

/* Every page of the process that is there or will be touched stays in memory. Stores how many bytes
 * the kernel says are locked. */
int dp_cpu_lock_memory(uint64_t *locked_bytes, struct dp_err *err);
int dp_cpu_unlock_memory(struct dp_err *err);

/* The memory node of the core that the calling thread runs on. */
uint32_t dp_cpu_node(void);
/* Pages of this memory that are not there yet are to come from that node; whole pages, and only for
 * memory of this process or a shared file. False with one line in err when the kernel has no nodes
 * to choose from or refuses: the memory is then wherever it is touched first. */
bool dp_cpu_place(void *memory, size_t size, uint32_t node, struct dp_err *err);
/* How many of the pages lie on that node; untouched ones lie on none. -1: the kernel does not say.
 */
int64_t dp_cpu_pages_on(void *memory, size_t size, uint32_t node);

#endif
