/*
 * Which choices a run takes. Depth first: every run repeats the last one's choices up to the last
 * that has an alternative left, and takes that. A state that was met before is not entered again:
 * a state is, for each thread, what it has read, and the order of the stores in each location,
 * which is all that what follows depends on. The table keeps 64-bit hashes: among ten million
 * states two share one by chance with a probability of 3 in a million.
 */
#include <stdio.h>

#include "machine.h"

#define DEPTH_MAX 4000u
#define STATES_FIRST (1u << 16)
#define DIGITS "0123456789abcdefghijklmnopqrstuvwxyz"

struct choice {
    uint8_t chosen;
    uint8_t count;
};

static struct choice choices[DEPTH_MAX];
static uint32_t choice_count; /* taken in this run */
static uint32_t given_count;  /* of these, given in advance */
static uint64_t random_state; /* 0: not at random */

static uint64_t *states; /* open addressing; 0: free */
static uint64_t states_size;
static uint64_t states_used;

static uint64_t draw(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dull;
}

/* Half of the time the first: going on, and the newest value. */
static uint8_t draw_choice(uint32_t count)
{
    uint64_t bits = draw() >> 16;
    return bits & 1 ? 0 : (uint8_t)((bits >> 1) % count);
}

uint32_t explore_choose(uint32_t count)
{
    if (count == 1)
        return 0;
    if (choice_count == DEPTH_MAX || count >= sizeof(DIGITS))
        prove_fail("checker: more than %u choices in one run", DEPTH_MAX);
    struct choice *choice = &choices[choice_count++];
    if (choice_count > given_count)
        choice->chosen = random_state != 0 ? draw_choice(count) : 0;
    else if (choice->chosen >= count)
        prove_fail("checker: the run does not repeat: choice %u of %u", choice->chosen, count);
    choice->count = (uint8_t)count;
    return choice->chosen;
}

/* ---- states ---- */

static bool insert_state(uint64_t *table, uint64_t size, uint64_t state)
{
    uint64_t at = state & (size - 1);
    for (; table[at] != 0; at = (at + 1) & (size - 1))
        if (table[at] == state)
            return false;
    table[at] = state;
    return true;
}

static void grow_states(void)
{
    uint64_t size = states_size == 0 ? STATES_FIRST : 2 * states_size;
    uint64_t *table = calloc(size, sizeof(*table));
    if (table == NULL) {
        fprintf(stderr, "prove: out of memory with %llu states\n", (unsigned long long)states_used);
        exit(2);
    }
    for (uint64_t at = 0; at < states_size; at++)
        if (states[at] != 0)
            insert_state(table, size, states[at]);
    free(states);
    states = table;
    states_size = size;
}

static void forget_states(void)
{
    free(states);
    states = NULL;
    states_size = 0;
    states_used = 0;
}

bool explore_is_new(uint64_t state)
{
    if (choice_count < given_count || random_state != 0)
        return true;
    if (2 * states_used >= states_size)
        grow_states();
    bool is_new = insert_state(states, states_size, state | (state == 0));
    states_used += is_new;
    return is_new;
}

/* ---- runs ---- */

/* The next run's choices; false when there is none. */
static bool advance(void)
{
    while (choice_count > 0) {
        struct choice *last = &choices[choice_count - 1];
        if (last->chosen + 1u < last->count) {
            last->chosen++;
            given_count = choice_count;
            return true;
        }
        choice_count--;
    }
    return false;
}

static bool run(void)
{
    choice_count = 0;
    threads_run();
    return machine.outcome != RUN_FAILED;
}

bool explore_all(uint64_t runs_max, struct tally *tally)
{
    bool holds = true;
    *tally = (struct tally){0};
    random_state = 0;
    given_count = 0;
    forget_states();
    do {
        holds = run();
        tally->run_count++;
        if (holds && !advance()) {
            tally->is_complete = true;
            break;
        }
    } while (holds && tally->run_count < runs_max);
    tally->state_count = states_used;
    forget_states();
    return holds;
}

bool explore_random(uint64_t seed, uint64_t run_count, uint64_t *failing_seed)
{
    for (uint64_t at = 0; at < run_count; at++) {
        given_count = 0;
        random_state = machine_mix(seed + at, 1) | 1;
        bool holds = run();
        random_state = 0;
        *failing_seed = seed + at;
        if (!holds)
            return false;
    }
    return true;
}

void explore_schedule(char text[EXPLORE_SCHEDULE_MAX])
{
    uint32_t count = choice_count;
    while (count > 0 && choices[count - 1].chosen == 0)
        count--; /* 0 is what a run takes by itself */
    for (uint32_t at = 0; at < count; at++)
        text[at] = DIGITS[choices[at].chosen];
    text[count] = '\0';
}

bool explore_repeat(const char *schedule)
{
    random_state = 0;
    given_count = 0;
    for (; schedule[given_count] != '\0' && given_count < DEPTH_MAX; given_count++) {
        const char *digit = strchr(DIGITS, schedule[given_count]);
        choices[given_count].chosen = digit == NULL ? 0 : (uint8_t)(digit - DIGITS);
    }
    uint32_t given = given_count;
    forget_states();
    /* The rest of the run is new to the table, which is empty. */
    bool holds = run();
    given_count = given;
    forget_states();
    return holds;
}
