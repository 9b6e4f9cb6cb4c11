#include "dp_wal_keeper.h"

#include "dp_clock.h"
#include "dp_cpu.h"
#include "dp_shm.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define WINDOW_SIZE (1u << 20) /* kept populated ahead of the writer */
#define PAUSE_WAITS_NS 10000   /* between looks, when orders wait for the disk */
#define PAUSE_NS 2000000       /* at a million orders a second a quarter of the window */
#define LOOK_COUNT 32          /* looks before the first pause */
#define LAG_NS 1000000000      /* what nobody waits for is put on disk that often */
#define PAGE 4096u

/* ---- flushes ---- */

static void fail(struct dp_wal_keeper *keeper, int code)
{
    dp_wal_fail(keeper->directory, code, "the journal cannot be flushed to disk; no new orders",
        &keeper->flush_err);
    /* Release: who sees the failure sees its words, and who is refused by the taint the failure. */
    dp_store_release(&keeper->failed, true);
    dp_store_release(&keeper->segment->tainted, true);
    /* Orders have stopped: what follows may take as long as a broken disk likes. */
    dp_wal_taint(keeper->directory, keeper->flush_err.text);
}

/* Header and records up to that byte; true when they are on disk. */
static bool flush(struct dp_wal_keeper *keeper, uint64_t stop)
{
    if (dp_load_relaxed(&keeper->failed))
        return false;
    int status = dp_wal_file_flush(&keeper->current, keeper->flushed, stop);
    if (status < 0)
        fail(keeper, -status);
    keeper->flushed = stop;
    return status == 0;
}

static uint64_t sequence_first(const struct dp_wal_file *file)
{
    return ((const struct dp_journal_header *)(const void *)file->memory)->sequence_first;
}

/* A store by any of us found that the disk is gone. */
static void look_for_loss(struct dp_wal_keeper *keeper)
{
    if (dp_load_acquire(&keeper->directory->lost) && !dp_load_relaxed(&keeper->failed))
        fail(keeper, EIO);
}

/* Where the current segment ends for a writer that will append `sequence` next. */
static uint64_t bytes_before(const struct dp_wal_keeper *keeper, uint64_t sequence)
{
    uint64_t count = sequence - sequence_first(&keeper->current);
    return DP_JOURNAL_HEADER_SIZE + count * sizeof(struct dp_journal_record);
}

/* A group: everything appended so far, whoever waits for it. */
static bool flush_group(struct dp_wal_keeper *keeper)
{
    /* Acquire pairs with the append: records below it are in memory. */
    uint64_t sequence = dp_load_acquire(&keeper->segment->sequence_next);
    if (sequence - 1 == dp_load_relaxed(&keeper->durable))
        return false;
    if (dp_load_relaxed(&keeper->rolled) != keeper->rolled_seen)
        return true; /* some of them may stand in the next segment: the old one goes first, whole */
    if (flush(keeper, bytes_before(keeper, sequence)))
        dp_store_release(&keeper->durable, sequence - 1);
    return true;
}

/* False when the file system takes nothing at all any more, whether or not there is something to
 * write: a disk that has remounted itself read-only says so here. */
static bool is_writable(struct dp_wal_keeper *keeper)
{
    int status = dp_wal_directory_flush(keeper->directory);
    if (status < 0)
        fail(keeper, -status);
    return status == 0;
}

/* Where nobody waits: pages behind the writer, whole ones, so that no append meets one that was
 * just written to disk. A disk that has failed is found out within a second, and power loss takes
 * little more than that. */
static void flush_behind(struct dp_wal_keeper *keeper)
{
    int64_t now_ns = dp_clock_monotonic_ns();
    if (now_ns - keeper->looked_ns < LAG_NS || dp_load_relaxed(&keeper->failed))
        return;
    keeper->looked_ns = now_ns;
    uint64_t sequence = dp_load_acquire(&keeper->segment->sequence_next);
    if (dp_load_relaxed(&keeper->rolled) != keeper->rolled_seen || !is_writable(keeper))
        return;
    uint64_t stop = bytes_before(keeper, sequence) / PAGE * PAGE;
    if (stop <= keeper->flushed || stop == DP_JOURNAL_HEADER_SIZE)
        return;
    if (flush(keeper, stop))
        dp_store_release(&keeper->durable,
            sequence_first(&keeper->current) - 1 +
                (stop - DP_JOURNAL_HEADER_SIZE) / sizeof(struct dp_journal_record));
}

/* The first write to a page that the kernel has written back meets a fault: meet it here. */
static void populate_ahead(struct dp_wal_keeper *keeper)
{
    uint64_t sequence = dp_load_relaxed(&keeper->segment->sequence_next);
    uint64_t place = bytes_before(keeper, sequence);
    if (place + WINDOW_SIZE / 2 < keeper->populated || keeper->populated >= keeper->current.size)
        return;
    uint64_t start = place > keeper->populated ? place : keeper->populated;
    if (start >= keeper->current.size)
        return;
    uint64_t rest = keeper->current.size - start;
    uint64_t size = rest < WINDOW_SIZE ? rest : WINDOW_SIZE;
    dp_shm_populate(keeper->current.memory + start, size);
    keeper->populated = start + size;
}

/* ---- segments ---- */

static bool finish_old(struct dp_wal_keeper *keeper)
{
    /* Acquire pairs with dp_wal_keeper_give(): the next segment's header is there. */
    uint64_t rolled = dp_load_acquire(&keeper->rolled);
    if (rolled == keeper->rolled_seen)
        return false;
    keeper->rolled_seen = rolled;
    keeper->flushed = 0;
    bool on_disk = flush(keeper, keeper->current.size);
    dp_wal_file_close(&keeper->current);
    keeper->current = keeper->next;
    keeper->flushed = 0;
    keeper->populated = 0;
    if (on_disk)
        dp_store_release(&keeper->durable, sequence_first(&keeper->current) - 1);
    return true;
}

static bool make_next(struct dp_wal_keeper *keeper)
{
    /* Acquire pairs with dp_wal_keeper_give(): a roll before this wish is seen as well. */
    if (dp_load_acquire(&keeper->next_state) != DP_WAL_NEXT_WANTED ||
        dp_load_relaxed(&keeper->rolled) != keeper->rolled_seen)
        return false;
    keeper->header.segment_index = keeper->current.index + 1;
    int status = dp_wal_file_make(
        &keeper->next, keeper->directory, &keeper->header, keeper->waits, &keeper->next_err);
    /* Release: who sees the state sees the file, or the error. */
    dp_store_release(&keeper->next_state, status == 0 ? DP_WAL_NEXT_READY : DP_WAL_NEXT_FAILED);
    return true;
}

static void pause_for(int64_t pause_ns)
{
    struct timespec pause = {.tv_nsec = pause_ns};
    nanosleep(&pause, NULL);
}

static void *keep(void *argument)
{
    struct dp_wal_keeper *keeper = argument;
    prctl(PR_SET_NAME, "journal", 0, 0, 0);
    dp_cpu_step_aside(); /* from the writer's core: each look would cost an order 20 us there */
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    uint32_t idle = 0;
    while (!dp_load_acquire(&keeper->stop)) {
        look_for_loss(keeper);
        bool busy = finish_old(keeper);
        if (keeper->waits)
            busy = flush_group(keeper) || busy;
        else
            flush_behind(keeper);
        busy = make_next(keeper) || busy;
        populate_ahead(keeper);
        idle = busy ? 0 : idle + 1;
        if (idle > LOOK_COUNT)
            pause_for(keeper->waits ? PAUSE_WAITS_NS : PAUSE_NS);
    }
    finish_old(keeper);
    look_for_loss(keeper);
    return NULL;
}

int dp_wal_keeper_start(struct dp_wal_keeper *keeper, const struct dp_wal_file *current,
    const struct dp_journal_header *header, struct dp_err *err)
{
    keeper->current = *current;
    keeper->header = *header;
    keeper->next.fd = -1;
    keeper->looked_ns = dp_clock_monotonic_ns();
    dp_store_relaxed(&keeper->durable, sequence_first(current) - 1);
    /* Signals are for the threads of those who wait for them; a fault is its own thread's. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&keeper->thread, NULL, keep, keeper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return dp_wal_fail(keeper->directory, code, "its thread cannot be started", err);
    keeper->started = true;
    return 0;
}

/* ---- the writer's side ---- */

bool dp_wal_keeper_take(struct dp_wal_keeper *keeper, struct dp_wal_file *file, struct dp_err *err)
{
    DP_ASSERT(keeper->started);
    if (dp_load_acquire(&keeper->failed)) {
        *err = keeper->flush_err;
        return false;
    }
    uint32_t state = dp_load_acquire(&keeper->next_state);
    while (state == DP_WAL_NEXT_WANTED && !keeper->refused) {
        sched_yield();
        state = dp_load_acquire(&keeper->next_state);
    }
    if (state == DP_WAL_NEXT_READY) {
        keeper->refused = false;
        *file = keeper->next;
        return true;
    }
    if (state == DP_WAL_NEXT_FAILED) {
        /* Of the same reason the words stay: how much room is left is another number each time. */
        if (!keeper->refused || keeper->refused_err.code != keeper->next_err.code)
            keeper->refused_err = keeper->next_err;
        keeper->refused = true;
        dp_store_release(&keeper->next_state, DP_WAL_NEXT_WANTED);
    }
    *err = keeper->refused_err;
    return false;
}

void dp_wal_keeper_give(struct dp_wal_keeper *keeper)
{
    dp_store_release(&keeper->rolled, dp_load_relaxed(&keeper->rolled) + 1);
    dp_store_release(&keeper->next_state, DP_WAL_NEXT_WANTED);
}

int dp_wal_keeper_stop(struct dp_wal_keeper *keeper)
{
    if (!keeper->started)
        return 0;
    dp_store_release(&keeper->stop, true);
    pthread_join(keeper->thread, NULL);
    keeper->started = false;
    if (dp_load_relaxed(&keeper->next_state) != DP_WAL_NEXT_READY)
        return 0;
    return dp_wal_file_discard(&keeper->next, keeper->directory);
}
