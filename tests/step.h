/*
 * step - a call in a child process, stopped after exactly so many of its instructions.
 *
 *     pid_t child = step_start(call, context);
 *     bool ended = step_on(child, 17);     17 instructions further; true: it ended before
 *     step_kill(child);                    SIGKILL, there and then
 *
 * So that a test can kill or stop a participant at every instruction, one after the other. The
 * child is single-stepped with ptrace; where that is forbidden the program exits 77 and says so.
 */
#ifndef STEP_H
#define STEP_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child stands before its first instruction. It exits after the call's last. */
static inline pid_t step_start(void (*call)(void *), void *context)
{
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        __asm__ volatile("int3");
        call(context);
        /* exit_group as a bare instruction: the C library's way there is long to step through. */
        __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        printf("ptrace: %s; allow tracing (kernel.yama.ptrace_scope, CAP_SYS_PTRACE)\n",
            strerror(EPERM));
        exit(77);
    }
    return child;
}

static inline bool step_on(pid_t child, uint64_t count)
{
    for (uint64_t step = 0; step < count; step++) {
        int status = 0;
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
            waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
            return true;
    }
    return false;
}

/* The same, and so many edges of system calls further: into one, out of it, into the next one. */
static inline bool step_on_calls(pid_t child, uint64_t count)
{
    for (uint64_t step = 0; step < count; step++) {
        int status = 0;
        if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
            !WIFSTOPPED(status))
            return true;
    }
    return false;
}

static inline void step_kill(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Lets the child run to its end. */
static inline void step_finish(pid_t child)
{
    ptrace(PTRACE_DETACH, child, NULL, NULL);
    waitpid(child, NULL, 0);
}

/* Instructions until the child ends. */
static inline uint64_t step_length(void (*call)(void *), void *context)
{
    pid_t child = step_start(call, context);
    uint64_t count = 0;
    while (!step_on(child, 1))
        count++;
    return count;
}

/* The distance between two places to try: every instruction, or fewer where the code is much longer
 * than that, as under a sanitizer. */
static inline uint64_t step_stride(uint64_t length)
{
    return length < 300 ? 1 : length / 20;
}

#endif
