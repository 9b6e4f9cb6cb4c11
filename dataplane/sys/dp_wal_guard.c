#include "dp_wal_guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#define PAGE 4096u

struct slot {
    _Atomic uintptr_t start; /* 0: free */
    _Atomic uint64_t size;
    _Atomic(_Atomic bool *) lost;
};

static struct slot slots[DP_WAL_GUARD_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t watched_count;
static struct sigaction before; /* ours is in its place while watched_count is not 0 */

/* ---- the signal ---- */

/* True when memory is there now. */
static bool replace(uintptr_t start, uint64_t size, uintptr_t address)
{
    uintptr_t page = address / PAGE * PAGE;
    return mmap((void *)page, start + size - page, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool is_mended(uintptr_t address)
{
    for (uint32_t index = 0; index < DP_WAL_GUARD_MAX; index++) {
        uintptr_t start = dp_load_acquire(&slots[index].start);
        uint64_t size = dp_load_acquire(&slots[index].size);
        _Atomic bool *lost = dp_load_acquire(&slots[index].lost);
        if (start == 0 || address - start >= size || dp_load_relaxed(&slots[index].start) != start)
            continue;
        dp_store_release(lost, true);
        return replace(start, size, address);
    }
    return false;
}

/* The same store, tried again, finds the one who had the signal before; sent by somebody it comes
 * once, and so is sent again. */
static void pass_on(const siginfo_t *info)
{
    sigaction(SIGBUS, &before, NULL);
    if (info->si_code <= 0)
        raise(SIGBUS);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    int code = errno;
    if (info->si_code <= 0 || !is_mended((uintptr_t)info->si_addr))
        pass_on(info);
    errno = code;
}

static void take_signal(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}

static void give_signal_back(void)
{
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction == on_fault)
        sigaction(SIGBUS, &before, NULL);
}

/* ---- who is watched ---- */

static struct slot *find(uintptr_t start)
{
    for (uint32_t index = 0; index < DP_WAL_GUARD_MAX; index++)
        if (dp_load_relaxed(&slots[index].start) == start)
            return &slots[index];
    return NULL;
}

int dp_wal_guard_watch(uint8_t *memory, uint64_t size, _Atomic bool *lost)
{
    pthread_mutex_lock(&lock);
    struct slot *slot = find(0);
    if (slot != NULL) {
        if (watched_count++ == 0)
            take_signal();
        dp_store_relaxed(&slot->size, size);
        dp_store_relaxed(&slot->lost, lost);
        dp_store_release(&slot->start, (uintptr_t)memory);
    }
    pthread_mutex_unlock(&lock);
    return slot != NULL ? 0 : -EMFILE;
}

void dp_wal_guard_unwatch(const uint8_t *memory)
{
    pthread_mutex_lock(&lock);
    struct slot *slot = find((uintptr_t)memory);
    if (slot != NULL) {
        dp_store_relaxed(&slot->start, 0);
        if (--watched_count == 0)
            give_signal_back();
    }
    pthread_mutex_unlock(&lock);
}
