/*
 * dp_skiplist_multi under threads that are paused, and processes that are stopped and killed, at
 * random moments. Histories of short rounds are checked for linearizability, price by price;
 * longer runs by what must add up. An argument is the seed; it is printed.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "dp_skiplist_multi_layout.h"

#define CAPACITY 1000u
#define ASKS 1u
#define THREADS 4u
#define OPS 6u /* of a thread in a round */
#define ROUNDS 1500u
#define PRICES 2u

static uint64_t seed = 1;

/* ---- histories ---- */

enum kind { INSERT, CHANGE, REMOVE, FIND, KINDS };

struct op {
    enum kind kind;
    int64_t price;
    bool worked;
    uint64_t qty; /* given to insert; removed or found */
    uint64_t begin, end;
};

struct history {
    struct dp_skiplist_multi *multi;
    struct dp_epoch *epoch;
    struct op ops[THREADS][OPS];
    pthread_barrier_t gate;
};

static struct history history;
static _Atomic uint64_t moment; /* relaxed, so that it orders nothing for the thread sanitizer */

static uint64_t now(void)
{
    return atomic_fetch_add_explicit(&moment, 1, memory_order_relaxed);
}

static void run_op(struct dp_skiplist_multi_writer *writer, struct op *op)
{
    struct dp_skiplist_multi_level level = {0};
    enum dp_skiplist_multi_result result = DP_SKIPLIST_MULTI_OK;
    op->begin = now();
    switch (op->kind) {
    case INSERT: result = dp_skiplist_multi_insert(writer, ASKS, op->price, op->qty, 1); break;
    case CHANGE: result = dp_skiplist_multi_change(writer, ASKS, op->price, 1, 0); break;
    case REMOVE:
        result = dp_skiplist_multi_remove(writer, ASKS, op->price, &level);
        op->qty = level.qty;
        break;
    default:
        op->worked = dp_skiplist_multi_find(writer->multi, ASKS, op->price, &level);
        op->qty = level.qty;
    }
    op->end = now();
    if (op->kind != FIND)
        op->worked = result == DP_SKIPLIST_MULTI_OK;
}

/* Any op that nothing left undone had ended before, whose result is right in this state, then the
 * rest. qty -1: no level. */
static bool can_go_on(struct op *const *ops, uint32_t count, uint64_t done, int64_t qty)
{
    uint64_t first_end = UINT64_MAX;
    if (done == (1ull << count) - 1)
        return true;
    for (uint32_t at = 0; at < count; at++)
        if (!(done >> at & 1) && ops[at]->end < first_end)
            first_end = ops[at]->end;
    for (uint32_t at = 0; at < count; at++) {
        const struct op *op = ops[at];
        bool is_there = qty >= 0;
        if (done >> at & 1 || op->begin > first_end)
            continue;
        bool is_right = op->kind == INSERT ? op->worked != is_there : op->worked == is_there;
        if (is_right && is_there && (op->kind == REMOVE || op->kind == FIND))
            is_right = op->qty == (uint64_t)qty;
        int64_t next = !op->worked ? qty
            : op->kind == INSERT   ? (int64_t)op->qty
            : op->kind == CHANGE   ? qty + 1
            : op->kind == REMOVE   ? -1
                                   : qty;
        if (is_right && can_go_on(ops, count, done | 1ull << at, next))
            return true;
    }
    return false;
}

static void check_history(uint32_t round)
{
    for (int64_t price = 1; price <= (int64_t)PRICES; price++) {
        struct op *ops[THREADS * OPS];
        uint32_t count = 0;
        for (uint32_t thread = 0; thread < THREADS; thread++)
            for (uint32_t at = 0; at < OPS; at++)
                if (history.ops[thread][at].price == price)
                    ops[count++] = &history.ops[thread][at];
        CHECK_THAT(can_go_on(ops, count, 0, -1),
            "seed %" PRIu64 ": round %u, price %" PRId64 ": no order explains %u results", seed,
            round, price, count);
    }
}

static void pause_at_random(int signal_number)
{
    (void)signal_number;
    struct timespec wait = {.tv_nsec = 20000};
    nanosleep(&wait, NULL);
}

static void *run_thread(void *argument)
{
    uint32_t self = (uint32_t)(uintptr_t)argument;
    uint64_t random = seed * 64 + self * 2 + 1;
    struct dp_skiplist_multi_writer writer;
    CHECK(dp_skiplist_multi_join(&writer, history.multi, history.epoch, self + 1));
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t at = 0; at < OPS; at++)
            history.ops[self][at] = (struct op){
                .kind = check_random(&random) % KINDS,
                .price = 1 + (int64_t)(check_random(&random) % PRICES),
                .qty = check_random(&random) % 1000,
            };
        pthread_barrier_wait(&history.gate);
        for (uint32_t at = 0; at < OPS; at++)
            run_op(&writer, &history.ops[self][at]);
        pthread_barrier_wait(&history.gate);
        pthread_barrier_wait(&history.gate); /* the history is checked, the list emptied */
    }
    while (!dp_skiplist_multi_leave(&writer))
        sched_yield();
    return NULL;
}

static void *zeroed(size_t size)
{
    size = dp_round_up(size, DP_CACHE_LINE);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

static void open_list(struct dp_skiplist_multi **multi, struct dp_epoch **epoch, uint32_t slots)
{
    struct dp_err err;
    *multi = zeroed(dp_skiplist_multi_size(2, CAPACITY));
    *epoch = zeroed(dp_epoch_size(slots));
    dp_epoch_init(*epoch, slots);
    CHECK_EQUAL(dp_skiplist_multi_init(*multi, 2, CAPACITY, &err), 0);
}

static void close_list(struct dp_skiplist_multi *multi, struct dp_epoch *epoch, uint32_t slots)
{
    for (uint32_t number = 1; number <= CAPACITY; number++) {
        uint32_t claim = dp_load_relaxed(&dp_skiplist_multi_record(multi, number)->claim);
        CHECK_THAT(
            claim == 0, "seed %" PRIu64 ": record %u is left with claim %#x", seed, number, claim);
    }
    munmap(multi, dp_skiplist_multi_size(2, CAPACITY));
    munmap(epoch, dp_epoch_size(slots));
}

static void test_every_history_has_an_order(void)
{
    pthread_t threads[THREADS];
    struct dp_skiplist_multi_writer sweeper;
    struct dp_skiplist_multi_level last;
    uint64_t random = seed;
    open_list(&history.multi, &history.epoch, THREADS + 1);
    CHECK(dp_skiplist_multi_join(&sweeper, history.multi, history.epoch, 99));
    signal(SIGUSR1, pause_at_random);
    pthread_barrier_init(&history.gate, NULL, THREADS + 1);
    for (uintptr_t self = 0; self < THREADS; self++)
        pthread_create(&threads[self], NULL, run_thread, (void *)self);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&history.gate);
        pthread_kill(threads[check_random(&random) % THREADS], SIGUSR1);
        pthread_barrier_wait(&history.gate);
        check_history(round);
        for (int64_t price = 1; price <= (int64_t)PRICES; price++)
            dp_skiplist_multi_remove(&sweeper, ASKS, price, &last);
        pthread_barrier_wait(&history.gate);
    }
    for (uint32_t self = 0; self < THREADS; self++)
        pthread_join(threads[self], NULL);
    CHECK(dp_skiplist_multi_leave(&sweeper));
    pthread_barrier_destroy(&history.gate);
    close_list(history.multi, history.epoch, THREADS + 1);
}

/* ---- processes that die ---- */

#define PROCESSES 3u
#define SLOTS (2 * PROCESSES)
#define DEATHS 40u
#define FIXED 4 /* prices 101 ...: levels that stay, so that changes of them add up */
#define ACCOUNTS (PROCESSES + DEATHS)

/* Of one process: what it has added to the fixed levels for certain, and what it is adding now. */
struct account {
    _Atomic uint64_t added;
    _Atomic uint64_t pending;
};

struct yard {
    struct dp_skiplist_multi *multi;
    struct dp_epoch *epoch;
    struct account *accounts;
    _Atomic uint32_t *is_over;
};

static bool has_ended(void *context, uint64_t owner)
{
    (void)context;
    return kill((pid_t)owner, 0) != 0;
}

static void look_after_the_dead(struct dp_skiplist_multi_writer *writer)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (slot != writer->slot)
            dp_skiplist_multi_recover(writer, slot, has_ended, NULL);
}

static void add_to_fixed(
    struct dp_skiplist_multi_writer *writer, struct account *account, uint64_t *random)
{
    uint64_t qty = 1 + check_random(random) % 100;
    int64_t price = 101 + (int64_t)(check_random(random) % FIXED);
    dp_store_relaxed(&account->pending, qty);
    CHECK_EQUAL(
        dp_skiplist_multi_change(writer, ASKS, price, (int64_t)qty, 0), DP_SKIPLIST_MULTI_OK);
    /* Two stores: one that dies between has added, and says so twice; see `unsure` below. */
    dp_store_relaxed(&account->added, dp_load_relaxed(&account->added) + qty);
    dp_store_relaxed(&account->pending, 0);
}

static void walk_fixed(const struct yard *yard)
{
    struct dp_skiplist_multi_cursor cursor = dp_skiplist_multi_begin(yard->multi, ASKS);
    struct dp_skiplist_multi_level level;
    int64_t last = 0;
    uint32_t fixed = 0;
    while (dp_skiplist_multi_next(&cursor, &level)) {
        CHECK(level.price_nanos > last);
        last = level.price_nanos;
        fixed += last > 100;
    }
    CHECK_EQUAL(fixed, FIXED);
}

static void work(const struct yard *yard, uint32_t number)
{
    struct dp_skiplist_multi_writer writer;
    struct dp_skiplist_multi_level last;
    uint64_t random = seed * 4096 + number * 2 + 1;
    while (!dp_skiplist_multi_join(&writer, yard->multi, yard->epoch, (uint64_t)getpid()))
        sched_yield();
    for (uint32_t step = 0; !dp_load_relaxed(yard->is_over); step++) {
        int64_t price = 1 + (int64_t)(check_random(&random) % 20);
        if (dp_skiplist_multi_insert(&writer, ASKS, price, 5, 1) == DP_SKIPLIST_MULTI_FULL)
            look_after_the_dead(&writer);
        price = 1 + (int64_t)(check_random(&random) % 20);
        dp_skiplist_multi_remove(&writer, ASKS, price, &last);
        add_to_fixed(&writer, &yard->accounts[number], &random);
        if (step % 16 == 0)
            walk_fixed(yard);
        if (step % 256 == 0)
            look_after_the_dead(&writer);
    }
    while (!dp_skiplist_multi_leave(&writer))
        look_after_the_dead(&writer);
    _exit(check_failures == 0 ? 0 : 1);
}

static pid_t start(const struct yard *yard, uint32_t number)
{
    pid_t child = fork();
    if (child == 0)
        work(yard, number);
    return child;
}

static void nap(uint64_t *random, uint64_t nanos_max)
{
    struct timespec wait = {.tv_nsec = (long)(check_random(random) % nanos_max)};
    nanosleep(&wait, NULL);
}

/* Stops one, lets it lie for a while, then kills it and starts another in its place; or kills one
 * out of the middle of its work. */
static void kill_one(const struct yard *yard, pid_t *children, uint32_t *started, uint64_t *random)
{
    uint32_t at = (uint32_t)(check_random(random) % PROCESSES);
    pid_t other = children[(at + 1) % PROCESSES];
    nap(random, 8000000);
    kill(other, SIGSTOP);
    if (check_random(random) & 1) {
        kill(children[at], SIGSTOP);
        nap(random, 4000000);
    }
    kill(children[at], SIGKILL);
    waitpid(children[at], NULL, 0);
    nap(random, 2000000);
    kill(other, SIGCONT);
    children[at] = start(yard, (*started)++);
}

/* What is there lies between what was added for certain and that plus what the dead were at. */
static void check_accounts(const struct yard *yard)
{
    uint64_t added = 0, unsure = 0, there = 0;
    struct dp_skiplist_multi_level level;
    for (uint32_t at = 0; at < ACCOUNTS; at++) {
        added += dp_load_relaxed(&yard->accounts[at].added);
        unsure += dp_load_relaxed(&yard->accounts[at].pending);
    }
    for (int64_t price = 101; price <= 100 + FIXED; price++)
        if (dp_skiplist_multi_find(yard->multi, ASKS, price, &level))
            there += level.qty;
    CHECK_THAT(there >= added - (unsure < added ? unsure : added) && there <= added + unsure,
        "seed %" PRIu64 ": %" PRIu64 " are there, %" PRIu64 " were added, %" PRIu64 " unsure", seed,
        there, added, unsure);
    printf("     %" PRIu64 " added by %u processes, %" PRIu64 " unsure\n", added, ACCOUNTS, unsure);
}

static void sweep(const struct yard *yard)
{
    struct dp_skiplist_multi_writer writer;
    struct dp_skiplist_multi_level last;
    CHECK(dp_skiplist_multi_join(&writer, yard->multi, yard->epoch, (uint64_t)getpid()));
    look_after_the_dead(&writer);
    walk_fixed(yard);
    for (int64_t price = 1; price <= 100 + FIXED; price++)
        dp_skiplist_multi_remove(&writer, ASKS, price, &last);
    CHECK(dp_skiplist_multi_leave(&writer));
}

static void test_processes_die_and_the_list_goes_on(void)
{
    struct yard yard;
    struct dp_skiplist_multi_writer writer;
    pid_t children[PROCESSES];
    uint32_t started = 0;
    uint64_t random = seed * 2 + 1;
    open_list(&yard.multi, &yard.epoch, SLOTS);
    yard.accounts = zeroed(ACCOUNTS * sizeof(struct account));
    yard.is_over = zeroed(sizeof(*yard.is_over));
    CHECK(dp_skiplist_multi_join(&writer, yard.multi, yard.epoch, (uint64_t)getpid()));
    for (int64_t price = 101; price <= 100 + FIXED; price++)
        CHECK_EQUAL(dp_skiplist_multi_insert(&writer, ASKS, price, 0, 0), DP_SKIPLIST_MULTI_OK);
    CHECK(dp_skiplist_multi_leave(&writer));
    fflush(stdout);
    for (uint32_t at = 0; at < PROCESSES; at++)
        children[at] = start(&yard, started++);
    for (uint32_t deaths = 0; deaths < DEATHS; deaths++)
        kill_one(&yard, children, &started, &random);
    dp_store_relaxed(yard.is_over, 1);
    for (uint32_t at = 0; at < PROCESSES; at++) {
        int status = 0;
        waitpid(children[at], &status, 0);
        CHECK_EQUAL(status, 0);
    }
    check_accounts(&yard);
    sweep(&yard);
    close_list(yard.multi, yard.epoch, SLOTS);
    munmap(yard.accounts, ACCOUNTS * sizeof(struct account));
    munmap(yard.is_over, sizeof(*yard.is_over));
}

int main(int count, char **words)
{
    if (count > 1)
        seed = strtoull(words[1], NULL, 0);
    printf("seed %" PRIu64 "\n", seed);
    RUN_TESTS(TEST(test_every_history_has_an_order), TEST(test_processes_die_and_the_list_goes_on));
}
