"""A process that dies by SIGKILL before or behind call N that may change one directory's files.

So that a test can kill what takes too short a time to be hit by a clock: a segment's roll, a
recovery, a checkpoint, a seal. Calls are those of the C library, of all threads; point 2N is before
call N, 2N + 1 behind it.
"""

from __future__ import annotations

import os
from pathlib import Path

from preload import build

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *directory;
static int point = -1;
static _Atomic int passed;

__attribute__((constructor)) static void prepare(void)
{
    directory = getenv("DIE_IN");
    point = atoi(getenv("DIE_AT"));
    unsetenv("LD_PRELOAD"); /* children live */
}

static int is_there(int fd, const char *path)
{
    char link[40], found[PATH_MAX] = "";
    if (directory == NULL || (path != NULL && strstr(path, directory) != NULL))
        return directory != NULL;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return fd >= 0 && readlink(link, found, sizeof(found) - 1) > 0 &&
        strstr(found, directory) != NULL;
}

static void pass(int counts)
{
    if (counts && passed++ == point) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALL(type, name, fd, path, parameters, arguments) \
    type name parameters \
    { \
        int counts = is_there(fd, path); \
        pass(counts); \
        type result = REAL(name) arguments; \
        pass(counts); \
        return result; \
    }
#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest); \
        int counts = (flags & (O_ACCMODE | O_CREAT)) != 0 && is_there(-1, path); \
        pass(counts); \
        int result = REAL(name)(path, flags, mode); \
        pass(counts); \
        return result; \
    }
#define OPENAT(name) \
    int name(int fd, const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest); \
        int counts = (flags & (O_ACCMODE | O_CREAT)) != 0 && is_there(fd, path); \
        pass(counts); \
        int result = REAL(name)(fd, path, flags, mode); \
        pass(counts); \
        return result; \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
CALL(int, fsync, fd, NULL, (int fd), (fd))
CALL(int, msync, -1, directory, (void *place, size_t size, int flags), (place, size, flags))
CALL(ssize_t, write, fd, NULL, (int fd, const void *data, size_t size), (fd, data, size))
CALL(ssize_t, pwrite64, fd, NULL, (int fd, const void *data, size_t size, off64_t at),
    (fd, data, size, at))
CALL(int, posix_fallocate64, fd, NULL, (int fd, off64_t at, off64_t size), (fd, at, size))
CALL(int, rename, -1, from, (const char *from, const char *to), (from, to))
CALL(int, renameat, fd, from, (int fd, const char *from, int other, const char *to),
    (fd, from, other, to))
CALL(int, unlink, -1, path, (const char *path), (path))
CALL(int, unlinkat, fd, path, (int fd, const char *path, int flags), (fd, path, flags))
"""


class DieAt:
    """What to add to the environment of a process for it to die there."""

    def __init__(self, folder: Path) -> None:
        self._library = build(folder, SOURCE)

    def env(self, directory: Path, point: int) -> dict[str, str]:
        """Return the whole environment."""
        return {
            **os.environ,
            "LD_PRELOAD": self._library,
            "DIE_IN": str(directory),
            "DIE_AT": str(point),
        }
