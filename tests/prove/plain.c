/*
 * Data races. The compiler reports every plain access (-fsanitize=thread, whose library is not
 * linked); for each byte the latest access of every actor is kept, and one that is not ordered
 * before the next fails the run. Coroutines never tear or delay a plain access, so an order that is
 * missing would not show by its values.
 */
#include "machine.h"

#define GRANULES 4096u /* of eight bytes; a power of two */

struct byte {
    uint32_t clock[ACCESS_COUNT][ACTORS_MAX]; /* 0: never */
};

struct granule {
    uintptr_t key;
    uint64_t run_number;
    struct byte bytes[8];
};

static struct granule granules[GRANULES];

/* Two accesses of these kinds must be ordered: one writes, and not both are atomic. */
static const bool conflicts[ACCESS_COUNT][ACCESS_COUNT] = {
    [PLAIN_READ] = {[PLAIN_WRITE] = true, [ATOMIC_WRITE] = true},
    [PLAIN_WRITE] =
        {[PLAIN_READ] = true, [PLAIN_WRITE] = true, [ATOMIC_READ] = true, [ATOMIC_WRITE] = true},
    [ATOMIC_READ] = {[PLAIN_WRITE] = true},
    [ATOMIC_WRITE] = {[PLAIN_READ] = true, [PLAIN_WRITE] = true},
};

static struct granule *granule_of(uintptr_t key)
{
    uint32_t at = (uint32_t)machine_mix(0, key) & (GRANULES - 1);
    for (uint32_t tries = 0; tries < GRANULES; tries++, at = (at + 1) & (GRANULES - 1)) {
        struct granule *granule = &granules[at];
        if (granule->run_number != machine.run_number) {
            memset(granule, 0, sizeof(*granule));
            granule->run_number = machine.run_number;
            granule->key = key;
        }
        if (granule->key == key)
            return granule;
    }
    prove_fail("checker: more than %u words of plain memory", GRANULES);
}

static void check_byte(struct byte *byte, uintptr_t address, enum access access)
{
    const struct view *view = &machine_self()->current;
    for (uint32_t kind = 0; kind < ACCESS_COUNT; kind++)
        for (uint32_t actor = 0; conflicts[access][kind] && actor < machine.actor_count; actor++)
            if (byte->clock[kind][actor] > view->clock[actor] && actor != machine.self)
                prove_fail("data race: thread %u and thread %u at %#zx, not ordered", actor - 1,
                    machine.self - 1, (size_t)address);
    byte->clock[access][machine.self] = view->clock[machine.self];
}

void plain_access(uintptr_t address, size_t size, enum access access)
{
    /* Nobody else runs beside setup() and finally(). */
    if (machine.is_quiet || machine.self == 0 || threads_owns_stack(address))
        return;
    while (size > 0) {
        struct granule *granule = granule_of(address >> 3);
        for (; size > 0 && address >> 3 == granule->key; address++, size--)
            check_byte(&granule->bytes[address & 7], address, access);
    }
}

void *prove_memcpy(void *to, const void *from, size_t size)
{
    plain_access((uintptr_t)from, size, PLAIN_READ);
    plain_access((uintptr_t)to, size, PLAIN_WRITE);
    return memmove(to, from, size);
}

void *prove_memset(void *to, int value, size_t size)
{
    plain_access((uintptr_t)to, size, PLAIN_WRITE);
    return memset(to, value, size);
}

/* ---- what the compiler calls ---- */

#define WATCH(name, size, access) \
    void __tsan_##name(void *address); \
    void __tsan_##name(void *address) \
    { \
        plain_access((uintptr_t)address, size, access); \
    }

WATCH(read1, 1, PLAIN_READ)
WATCH(read2, 2, PLAIN_READ)
WATCH(read4, 4, PLAIN_READ)
WATCH(read8, 8, PLAIN_READ)
WATCH(read16, 16, PLAIN_READ)
WATCH(write1, 1, PLAIN_WRITE)
WATCH(write2, 2, PLAIN_WRITE)
WATCH(write4, 4, PLAIN_WRITE)
WATCH(write8, 8, PLAIN_WRITE)
WATCH(write16, 16, PLAIN_WRITE)
WATCH(unaligned_read2, 2, PLAIN_READ)
WATCH(unaligned_read4, 4, PLAIN_READ)
WATCH(unaligned_read8, 8, PLAIN_READ)
WATCH(unaligned_read16, 16, PLAIN_READ)
WATCH(unaligned_write2, 2, PLAIN_WRITE)
WATCH(unaligned_write4, 4, PLAIN_WRITE)
WATCH(unaligned_write8, 8, PLAIN_WRITE)
WATCH(unaligned_write16, 16, PLAIN_WRITE)
WATCH(func_entry, 0, PLAIN_READ)

void __tsan_read_range(void *address, size_t size);
void __tsan_read_range(void *address, size_t size)
{
    plain_access((uintptr_t)address, size, PLAIN_READ);
}

void __tsan_write_range(void *address, size_t size);
void __tsan_write_range(void *address, size_t size)
{
    plain_access((uintptr_t)address, size, PLAIN_WRITE);
}

void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    return prove_memcpy(to, from, size);
}

void *__tsan_memset(void *to, int value, size_t size);
void *__tsan_memset(void *to, int value, size_t size)
{
    return prove_memset(to, value, size);
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}
