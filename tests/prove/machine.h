/*
 * machine - what the parts of the checker share: one run of one case. See prove.h and
 * docs/proofs.md for what it is about.
 *
 *   main.c      which cases, which weakened orderings, what is printed
 *   explore.c   which choices: all of them, depth first, or drawn at random
 *   threads.c   coroutines: who goes on
 *   memory.c    what an atomic operation may see: views, after C11 without load buffering
 *   plain.c     data races between plain accesses
 *
 * An actor is a thread of the case (1 ...) or actor 0, which runs setup() and finally().
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "dp_atomic.h"
#undef memcpy
#undef memset
#undef abort

#define ACTORS_MAX (1 + PROVE_THREADS_MAX)
#define LOCATIONS_MAX 192u

/* What an actor knows: of each location, the oldest message that it may still read (0: any), and
 * of each actor, how far that one's plain accesses are ordered before it. */
struct view {
    uint16_t seen[LOCATIONS_MAX];
    uint32_t clock[ACTORS_MAX];
};

enum outcome { RUN_RUNNING, RUN_DONE, RUN_PRUNED, RUN_FAILED };

struct actor {
    struct view current;
    struct view acquirable; /* of the messages read relaxed: joins `current` at an acquire fence */
    struct view released;   /* `current` at the last release fence: goes out with relaxed stores */
    uint64_t history;       /* hash of what its steps have read */
    uint32_t event_count;
    bool has_begun;
    bool has_ended;
    bool is_dead;
    void *stack_pointer;
};

struct machine {
    const struct prove_case *scenario;
    struct actor actors[ACTORS_MAX];
    uint32_t actor_count;
    uint32_t self; /* who runs */
    enum outcome outcome;
    uint32_t preemption_count;
    uint32_t stale_count;
    uint32_t death_count;
    bool is_quiet; /* in always(): memory is read as it is, and nothing is recorded */
    bool is_traced;
    const struct prove_site *weak_site; /* whose ordering lacks weak_part in this run */
    uint32_t weak_part;
    struct prove_site *sites; /* one for each line that threads have come to */
    uint64_t run_number;      /* never 0 in a run */
    char failure[512];
};

extern struct machine machine;

static inline struct actor *machine_self(void)
{
    return &machine.actors[machine.self];
}

/* Mixes a word into a hash (the finalizer of splitmix64). */
static inline uint64_t machine_mix(uint64_t hash, uint64_t word)
{
    hash ^= word + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebull;
    return hash ^ hash >> 31;
}

/* ---- memory.c ---- */
void memory_reset(void);
/* Adds to what an actor knows all that another one knows. */
void memory_join(struct view *into, const struct view *from);
/* Hash of all stores so far and their order in each location. */
uint64_t memory_hash(void);

/* ---- plain.c ---- */
enum access { PLAIN_READ, PLAIN_WRITE, ATOMIC_READ, ATOMIC_WRITE, ACCESS_COUNT };
void plain_access(uintptr_t address, size_t size, enum access access);

/* ---- threads.c ---- */
/* One run from setup() to the end of finally(), or to where it was cut. */
void threads_run(void);
/* Before each step of a thread: decides who goes on; returns when it is the caller's turn. */
void threads_step(void);
/* Leaves the run at once. */
_Noreturn void threads_leave(enum outcome outcome);
bool threads_owns_stack(uintptr_t address);
void threads_trace(const struct prove_site *site, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- explore.c ---- */
/* A choice among count > 0. */
uint32_t explore_choose(uint32_t count);
/* False when a run has been in this state already, and everything that follows is known. */
bool explore_is_new(uint64_t state);

struct tally {
    uint64_t run_count;
    uint64_t state_count;
    bool is_complete; /* false: stopped at runs_max */
};

#define EXPLORE_SCHEDULE_MAX 4096

/* All runs of the case, or as many as asked for. False when one failed: machine.failure says how,
 * explore_schedule() which. */
bool explore_all(uint64_t runs_max, struct tally *tally);
bool explore_random(uint64_t seed, uint64_t run_count, uint64_t *failing_seed);
bool explore_repeat(const char *schedule);
void explore_schedule(char text[EXPLORE_SCHEDULE_MAX]);

#endif
