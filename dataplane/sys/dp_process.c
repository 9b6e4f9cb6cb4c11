#include "dp_process.h"

#include <fcntl.h>
#include <unistd.h>

#define PID_BITS 24 /* pid_max is at most 2^22 */

/* The process's state letter and start from /proc/PID/stat (proc(5): fields 3 and 22). The name
 * before them may hold anything, so they are counted from the last bracket. */
static bool read_stat(pid_t pid, char *state, unsigned long long *start)
{
    char path[32];
    char text[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size <= 0)
        return false;
    text[size] = '\0';
    const char *rest = strrchr(text, ')');
    return rest != NULL &&
        sscanf(rest,
            ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
            state, start) == 2;
}

uint64_t dp_process_id_of(pid_t pid)
{
    char state;
    unsigned long long start;
    if (pid <= 0 || !read_stat(pid, &state, &start))
        return 0;
    return (uint64_t)start << PID_BITS | (uint64_t)pid;
}

uint64_t dp_process_id(void)
{
    return dp_process_id_of(getpid());
}

bool dp_process_has_ended(uint64_t id)
{
    char state;
    unsigned long long start;
    pid_t pid = dp_process_pid(id);
    if (!read_stat(pid, &state, &start))
        return true;
    return ((uint64_t)start << PID_BITS | (uint64_t)pid) != id || state == 'Z' || state == 'X';
}
