/* dp_switch and dp_versioned: no decision passes after a kill has returned, none sees half of a
 * change of limits, and none uses old limits once the gate has told. */
#include "prove.h"

#include "dp_switch.c"
#include "dp_versioned.h"

#define WORDS 2u

static _Atomic uint64_t gate;
static dp_switch_mark mark;
static _Atomic uint32_t returned;
static _Atomic uint64_t version;
static _Atomic uint64_t words[2 * WORDS];

static void setup(void)
{
    dp_store_relaxed(&gate, 1);
    dp_store_relaxed(&mark, 0);
    dp_store_relaxed(&returned, 0);
    dp_store_relaxed(&version, 0);
    for (uint32_t index = 0; index < 2 * WORDS; index++)
        dp_store_relaxed(&words[index], 0);
}

static void setup_killed(void)
{
    setup();
    dp_switch_set(&gate, &mark, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON);
}

/* As dp_risk_decide() does it. */
static bool passes(uint64_t *seen)
{
    uint64_t now = dp_load_acquire(&gate);
    if (now == *seen)
        return true;
    if (dp_switch_mode_of(dp_switch_look(&mark)) != DP_SWITCH_CLEAR)
        return false;
    *seen = now;
    return true;
}

static void killer(void)
{
    dp_switch_set(&gate, &mark, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON);
    dp_store_release(&returned, 1);
}

static void decider(void)
{
    uint64_t seen = 0;
    for (int count = 0; count < 3; count++) {
        bool after = dp_load_acquire(&returned) == 1;
        bool passed = passes(&seen);
        PROVE(!(after && passed));
    }
}

/* Meets a mark whose setter may have died before it told. */
static void second_killer(void)
{
    killer();
}

static void stronger(void)
{
    dp_switch_set(&gate, &mark, DP_SWITCH_CANCEL_ALL, DP_SWITCH_BY_PERSON);
}

static void weaker(void)
{
    dp_switch_set(&gate, &mark, DP_SWITCH_REDUCE_ONLY, DP_SWITCH_BY_LOSS);
}

/* Clears what was there before the stronger one came, or nothing. */
static void clearer(void)
{
    uint64_t before = UINT64_C(1) << 16 | DP_SWITCH_BY_PERSON << 8 | DP_SWITCH_REJECT_NEW;
    dp_switch_clear(&gate, &mark, before);
}

static void strongest_holds(void)
{
    PROVE_EQUAL(dp_switch_mode_of(dp_load_relaxed(&mark)), DP_SWITCH_CANCEL_ALL);
}

/* ---- limits ---- */

static void writer(void)
{
    for (uint64_t value = 1; value <= 2; value++) {
        const uint64_t both[WORDS] = {value, value};
        dp_versioned_write(&version, words, WORDS, both);
        dp_switch_tell(&gate);
    }
}

static void reader(void)
{
    uint64_t last = 0;
    for (int count = 0; count < 2; count++) {
        uint64_t both[WORDS];
        uint64_t told = dp_load_acquire(&gate) - 1;
        if (!dp_versioned_read(&version, words, WORDS, both))
            continue;
        PROVE_EQUAL(both[0], both[1]);
        PROVE(both[0] >= told && both[0] >= last);
        last = both[0];
    }
}

static const struct prove_case cases[] = {
    {.name = "a kill and decisions", .setup = setup, .threads = {killer, decider}},
    {.name = "a killer dies, another comes",
        .setup = setup,
        .threads = {stronger, second_killer, decider},
        .mortal = 1},
    {.name = "the strongest mode holds",
        .setup = setup_killed,
        .threads = {stronger, weaker, clearer},
        .finally = strongest_holds},
    {.name = "limits change while they are read", .setup = setup, .threads = {writer, reader}},
    {.name = "who changes limits dies", .setup = setup, .threads = {writer, reader}, .mortal = 1},
};

int main(int count, char **words_given)
{
    return prove_main(count, words_given, cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
