/*
 * guard - memory that ends where the world ends: a byte read behind it is a SIGSEGV.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t *guard_end;

/* Up to 64 KiB may be placed in front of the unmapped page. */
static inline void guard_map(void)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = 64u << 10;
    uint8_t *pages =
        mmap(NULL, room + page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + room, page_size, PROT_NONE) != 0)
        _exit(1);
    guard_end = pages + room;
}

/* A copy of data whose last byte is the last one readable. */
static inline const uint8_t *guard_place(const void *data, size_t size)
{
    return size == 0 ? guard_end : memcpy(guard_end - size, data, size);
}

#endif
