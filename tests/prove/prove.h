/*
 * prove - tries the interleavings of a few threads that run the real C code.
 *
 *     static void setup(void) { ... }              shared state, made anew before each run
 *     static void producer(void) { ... }           calls the module as the product does
 *     static void all_arrived(void) { PROVE(...); }
 *     static const struct prove_case cases[] = {
 *         {.name = "...", .setup = setup, .threads = {producer, consumer}, .finally = all_arrived},
 *     };
 *     int main(int count, char **words) { return prove_main(count, words, cases, ...); }
 *
 * The program is compiled with tests/prove/dp_atomic.h in place of core/dp_atomic.h and includes
 * the module's .c file, so that every atomic operation is a call into this checker. The threads are
 * coroutines; before each operation the checker decides who goes on, and at each load which of the
 * stores that C11 allows to be seen is seen. What is explored, and what is not: docs/proofs.md.
 * Plain memory is watched as well (the compiler calls __tsan_read and __tsan_write): two accesses
 * that no release and acquire put in order are a data race, and fail the run.
 *
 * A failure prints the run step by step and the words that repeat it. prove_main() then weakens
 * every release, acquire and fence that the runs went through, one at a time, and asks for a
 * failure of each: an ordering that nothing depends on is itself an error, unless `spared` names
 * it.
 */
#ifndef PROVE_H
#define PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROVE_THREADS_MAX 4

struct prove_case {
    const char *name;
    void (*setup)(void);
    void (*threads[PROVE_THREADS_MAX])(void);
    void (*always)(void);  /* after each step of any thread; sees the newest values; may be NULL */
    void (*finally)(void); /* when all threads have ended; may be NULL */
    /* Bounds, 0 for none: how often a thread is interrupted between two of its steps; how often a
     * load sees another value than the newest. */
    uint32_t preemptions_max;
    uint32_t stale_max;
    uint32_t steps_max;   /* more steps of one thread fail the run; 0: PROVE_STEPS_MAX */
    uint32_t mortal;      /* a bit for each thread that may stop for ever before any step */
    bool is_long;         /* not with --quick */
    uint32_t random_runs; /* draws that many runs at random instead of trying all; 0: tries all */
};

#define PROVE_STEPS_MAX 400u

/* Orderings that no case can show to be needed, and the reason to keep each. Without a function,
 * the object is a file: all that stands in it is weakened by another program. */
struct prove_spared {
    const char *function;
    const char *object;
    const char *why;
};

/* Exit status of the program: 0, or 1 when a case failed or a weakened ordering went unnoticed. */
int prove_main(int argument_count, char **arguments, const struct prove_case *cases,
    size_t case_count, const struct prove_spared *spared, size_t spared_count);

/* ---- inside a run ---- */

/* Fails the run when the claim does not hold. */
#define PROVE(claim) \
    do { \
        if (!(claim)) \
            prove_fail("%s:%d: not true: %s", __FILE__, __LINE__, #claim); \
    } while (0)
#define PROVE_EQUAL(actual, expected) \
    do { \
        long long prove_actual = (long long)(actual), prove_expected = (long long)(expected); \
        if (prove_actual != prove_expected) \
            prove_fail("%s:%d: %s is %lld; expected %s = %lld", __FILE__, __LINE__, #actual, \
                prove_actual, #expected, prove_expected); \
    } while (0)

__attribute__((format(printf, 1, 2))) _Noreturn void prove_fail(const char *format, ...);
/* Which thread of the case runs here: 0, 1, ... */
uint32_t prove_self(void);
/* Steps that this thread has taken. To bound those of a call. */
uint32_t prove_steps(void);
/* A step of its own: lets the others run and sees nothing. */
void prove_pause(void);
/* Whether a thread died, as the kernel would tell: after it, all that the dead one did is seen. */
bool prove_is_dead(uint32_t thread);
/* One of 0 ... count - 1: every one is tried. */
uint32_t prove_pick(uint32_t count);

#endif
