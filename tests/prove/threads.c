/*
 * The threads of a case as coroutines with stacks of their own. Exactly one runs; before each of
 * its steps it asks who goes on. Actor 0 runs setup() before the threads and finally() after them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "machine.h"

#define STACK_SIZE 65536

struct machine machine;

static _Alignas(64) unsigned char stacks[ACTORS_MAX][STACK_SIZE];
static void *outside; /* the stack pointer of threads_run() */

/* Saves the registers that a call must keep, and goes on where `to` was saved. */
void prove_switch(void **from, void *to);
__asm__(".text\n.globl prove_switch\n.type prove_switch, @function\nprove_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n.size prove_switch, .-prove_switch\n");

bool threads_owns_stack(uintptr_t address)
{
    return address - (uintptr_t)stacks[machine.self] < STACK_SIZE;
}

_Noreturn void threads_leave(enum outcome outcome)
{
    void *unused;
    machine.outcome = outcome;
    prove_switch(&unused, outside);
    __builtin_unreachable();
}

static void switch_to(uint32_t actor)
{
    uint32_t from = machine.self;
    if (actor == from)
        return;
    machine.self = actor;
    prove_switch(&machine.actors[from].stack_pointer, machine.actors[actor].stack_pointer);
}

/* ---- who goes on ---- */

static bool can_run(uint32_t actor)
{
    return !machine.actors[actor].has_ended && !machine.actors[actor].is_dead;
}

static uint64_t state_hash(void)
{
    uint64_t hash = machine_mix(memory_hash(), machine.death_count);
    for (uint32_t actor = 1; actor < machine.actor_count; actor++) {
        const struct actor *one = &machine.actors[actor];
        hash = machine_mix(hash, one->history + one->event_count + ((uint64_t)one->is_dead << 32));
    }
    /* What a bound leaves open belongs to the state. */
    if (machine.scenario->stale_max != 0)
        hash = machine_mix(hash, machine.stale_count);
    if (machine.scenario->preemptions_max != 0)
        hash = machine_mix(hash, (uint64_t)machine.preemption_count << 8 | machine.self);
    return hash;
}

/* Threads that can go on, the running one first; then the deaths that may happen now, as
 * ACTORS_MAX + actor. */
static uint32_t list_moves(uint32_t moves[2 * ACTORS_MAX])
{
    uint32_t count = 0;
    if (can_run(machine.self) && machine.self != 0)
        moves[count++] = machine.self;
    bool is_held = count == 1 && machine.scenario->preemptions_max != 0 &&
        machine.preemption_count >= machine.scenario->preemptions_max;
    for (uint32_t actor = 1; actor < machine.actor_count && !is_held; actor++)
        if (actor != machine.self && can_run(actor))
            moves[count++] = actor;
    for (uint32_t actor = 1; actor < machine.actor_count && machine.death_count == 0; actor++)
        if (can_run(actor) && machine.scenario->mortal & 1u << (actor - 1))
            moves[count++] = ACTORS_MAX + actor;
    return count;
}

static void die(uint32_t actor)
{
    machine.actors[actor].is_dead = true;
    machine.death_count = 1;
    if (machine.is_traced)
        fprintf(stderr, "  thread %u dies\n", actor - 1);
}

static void decide(void)
{
    uint32_t moves[2 * ACTORS_MAX];
    if (!explore_is_new(state_hash()))
        threads_leave(RUN_PRUNED);
    for (;;) {
        uint32_t count = list_moves(moves);
        if (count == 0) {
            switch_to(0); /* all have ended */
            return;
        }
        uint32_t move = moves[explore_choose(count)];
        if (move < ACTORS_MAX) {
            machine.preemption_count +=
                machine.self != 0 && can_run(machine.self) && move != machine.self;
            switch_to(move);
            return;
        }
        die(move - ACTORS_MAX);
    }
}

void threads_step(void)
{
    uint32_t steps_max = machine.scenario->steps_max;
    if (machine.self == 0)
        return;
    if (prove_steps() >= (steps_max == 0 ? PROVE_STEPS_MAX : steps_max))
        prove_fail("thread %u: more than %u steps", machine.self - 1, prove_steps());
    /* It was chosen to begin, which is to take its first step. */
    if (machine_self()->has_begun)
        decide();
    machine_self()->has_begun = true;
}

/* ---- a run ---- */

static void join_threads(void)
{
    for (uint32_t actor = 1; actor < machine.actor_count; actor++)
        memory_join(&machine.actors[0].current, &machine.actors[actor].current);
}

/* Everything that setup() did is known to all: memory starts with what it holds now. */
static void start_threads(void)
{
    memory_reset();
    memset(&machine.actors[0].current, 0, sizeof(machine.actors[0].current));
    memset(&machine.actors[0].acquirable, 0, sizeof(machine.actors[0].acquirable));
    memset(&machine.actors[0].released, 0, sizeof(machine.actors[0].released));
    for (uint32_t actor = 1; actor < machine.actor_count; actor++) {
        machine.actors[actor].current = machine.actors[0].current;
        machine.actors[actor].current.clock[actor] = 1;
    }
}

static void actor_main(void)
{
    if (machine.self == 0) {
        machine.scenario->setup();
        start_threads();
        decide();
        join_threads();
        if (machine.scenario->finally != NULL)
            machine.scenario->finally();
        threads_leave(RUN_DONE);
    }
    machine.scenario->threads[machine.self - 1]();
    machine_self()->has_ended = true;
    decide();
    __builtin_unreachable();
}

static void prepare(struct actor *actor, unsigned char *stack)
{
    memset(actor, 0, sizeof(*actor));
    void **top = (void **)(void *)(stack + STACK_SIZE);
    *--top = NULL;                           /* where actor_main() would return to */
    *--top = (void *)(uintptr_t)&actor_main; /* where the first switch goes */
    for (int saved = 0; saved < 6; saved++)
        *--top = NULL;
    actor->stack_pointer = top;
}

void threads_run(void)
{
    machine.actor_count = 1;
    while (machine.actor_count < ACTORS_MAX &&
        machine.scenario->threads[machine.actor_count - 1] != NULL)
        machine.actor_count++;
    for (uint32_t actor = 0; actor < machine.actor_count; actor++)
        prepare(&machine.actors[actor], stacks[actor]);
    memory_reset();
    machine.self = 0;
    machine.outcome = RUN_RUNNING;
    machine.preemption_count = 0;
    machine.stale_count = 0;
    machine.death_count = 0;
    machine.is_quiet = false;
    machine.run_number++;
    prove_switch(&outside, machine.actors[0].stack_pointer);
}

void threads_trace(const struct prove_site *site, const char *format, ...)
{
    if (!machine.is_traced || machine.self == 0)
        return;
    const char *file = strrchr(site->file, '/');
    fprintf(stderr, "  thread %u  %s:%d %s: %s %s ", machine.self - 1,
        file == NULL ? site->file : file + 1, site->line, site->function, site->operation,
        site->object);
    va_list words;
    va_start(words, format);
    vfprintf(stderr, format, words);
    va_end(words);
    fputc('\n', stderr);
}

/* ---- what a case may call ---- */

_Noreturn void prove_fail(const char *format, ...)
{
    va_list words;
    va_start(words, format);
    vsnprintf(machine.failure, sizeof(machine.failure), format, words);
    va_end(words);
    threads_leave(RUN_FAILED);
}

uint32_t prove_self(void)
{
    return machine.self - 1;
}

uint32_t prove_steps(void)
{
    return machine_self()->event_count;
}

/* A step that reads `seen` from outside memory. */
static void outside_step(uint64_t seen)
{
    machine_self()->event_count++;
    machine_self()->history = machine_mix(machine_self()->history, seen);
}

void prove_pause(void)
{
    threads_step();
    outside_step(0);
}

bool prove_is_dead(uint32_t thread)
{
    threads_step();
    bool is_dead = machine.actors[thread + 1].is_dead;
    if (is_dead)
        memory_join(&machine_self()->current, &machine.actors[thread + 1].current);
    outside_step(is_dead);
    return is_dead;
}

uint32_t prove_pick(uint32_t count)
{
    uint32_t choice = explore_choose(count);
    outside_step(choice);
    return choice;
}
