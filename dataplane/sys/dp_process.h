/*
 * dp_process - who owns something in shared memory, and whether that process has ended.
 *
 * An id is the process's number and the moment it started, in clock ticks since boot, in one word:
 * numbers are used again, both together are not (the start is kept modulo 2^40 ticks, 348 years).
 * Valid among processes that see each other under the same numbers. Any thread.
 */
#ifndef DP_PROCESS_H
#define DP_PROCESS_H

#include <sys/types.h>

#include "dp_base.h"

/* Of this process; never 0. */
uint64_t dp_process_id(void);
/* Of any; 0 when there is none of that number. */
uint64_t dp_process_id_of(pid_t pid);
/* True when that process will never run another instruction: it was ended and is gone, or waits as
 * a zombie for its parent to look. One that is stopped has not ended. */
bool dp_process_has_ended(uint64_t id);

static inline pid_t dp_process_pid(uint64_t id)
{
    return (pid_t)(id & 0xffffff);
}

#endif
