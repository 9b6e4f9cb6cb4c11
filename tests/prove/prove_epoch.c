/* dp_epoch: nothing is used again while somebody may look at it, also when that one dies. */
#include "prove.h"

#include "dp_epoch.h"

#define SLOTS 3u
#define USED_AGAIN 99u

static alignas(DP_CACHE_LINE) unsigned char memory[512];
static struct dp_epoch *const epoch = (struct dp_epoch *)(void *)memory;
static _Atomic uint32_t current; /* which record is published; 0: none */
static uint32_t records[3];      /* plain: a look at one that is used again is a data race */
static uint32_t notes[SLOTS];    /* plain: of the owner of a slot */
static bool recovered[SLOTS];

static void setup(void)
{
    memset(memory, 0, sizeof(memory));
    memset(notes, 0, sizeof(notes));
    memset(recovered, 0, sizeof(recovered));
    PROVE(dp_epoch_size(SLOTS) <= sizeof(memory));
    dp_epoch_init(epoch, SLOTS);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        PROVE_EQUAL(dp_epoch_join(epoch, slot + 1), slot);
    PROVE_EQUAL(dp_epoch_join(epoch, 77), DP_EPOCH_NONE);
    records[1] = 1;
    dp_store_relaxed(&current, 1);
}

static void look(uint32_t slot)
{
    dp_epoch_enter(epoch, slot);
    uint32_t number = dp_load_acquire(&current);
    if (number != 0)
        PROVE_EQUAL(records[number], number);
    dp_epoch_exit(epoch, slot);
}

static void reader(void)
{
    look(prove_self());
}

/* Takes `current` out, and uses it again when its epoch is past. Returns whether it was. */
static bool replace(uint32_t slot, uint32_t next, uint32_t tries)
{
    dp_epoch_enter(epoch, slot);
    uint32_t old = dp_load_relaxed(&current);
    records[next] = next;
    dp_store_release(&current, next);
    uint64_t tag = dp_epoch_now(epoch);
    dp_epoch_exit(epoch, slot);
    for (uint32_t at = 0; at < tries; at++)
        dp_epoch_advance(epoch);
    bool is_past = dp_epoch_is_past(epoch, tag);
    if (is_past)
        records[old] = USED_AGAIN;
    return is_past;
}

static void writer(void)
{
    replace(prove_self(), 2, 3);
}

static void writer_to_none(void)
{
    replace(prove_self(), 0, 1);
}

static void advancer(void)
{
    dp_epoch_advance(epoch);
    dp_epoch_advance(epoch);
}

static void leaver(void)
{
    look(0);
    notes[0] = 1;
    dp_epoch_leave(epoch, 0);
}

static void follower(void)
{
    uint32_t slot = dp_epoch_join(epoch, 4);
    if (slot == DP_EPOCH_NONE)
        return;
    PROVE_EQUAL(notes[slot], 1);
    notes[slot] = 2;
    look(slot);
}

/* ---- deaths ---- */

static bool is_dead(void *context, uint64_t owner)
{
    (void)context;
    return prove_is_dead((uint32_t)owner - 1);
}

static void recover(uint32_t slot)
{
    if (!dp_epoch_inherit(epoch, slot, prove_self() + 1, is_dead, NULL))
        return;
    PROVE(!recovered[slot]); /* a data race if two do it at a time, a failure if they do it twice */
    recovered[slot] = true;
    dp_epoch_bury(epoch, slot);
}

static void heir(void)
{
    recover(0);
}

static void writing_heir(void)
{
    bool is_past = replace(prove_self(), 2, 3);
    uint32_t laggard = dp_epoch_advance(epoch);
    if (!is_past && laggard != DP_EPOCH_NONE)
        recover(laggard);
}

/* The slot of a buried one belongs to the next who joins, and to nobody else. */
static void joiner(void)
{
    uint32_t slot = dp_epoch_join(epoch, 4);
    if (slot == DP_EPOCH_NONE)
        return;
    PROVE_EQUAL(slot, 0);
    PROVE(recovered[0]);
    look(slot);
    dp_epoch_leave(epoch, slot);
}

static void nobody_is_left_inside(void)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (recovered[slot])
            PROVE_EQUAL(dp_load_relaxed(&epoch->slots[slot].seen), 0);
    PROVE_EQUAL(dp_load_relaxed(&epoch->slots[1].seen), 0);
}

/* Alone, everything gets past. */
static void all_gets_past(void)
{
    nobody_is_left_inside();
    uint64_t tag = dp_epoch_now(epoch);
    for (uint32_t steps = 0; steps < 3; steps++)
        PROVE_EQUAL(dp_epoch_advance(epoch), DP_EPOCH_NONE);
    PROVE(dp_epoch_is_past(epoch, tag));
}

static const struct prove_case cases[] = {
    {.name = "a reader, a writer",
        .setup = setup,
        .threads = {reader, writer},
        .finally = all_gets_past},
    {.name = "a reader, a writer, one more to move on",
        .setup = setup,
        .threads = {reader, writer_to_none, advancer},
        .finally = all_gets_past,
        .is_long = true},
    {.name = "a reader dies, the writer recovers",
        .setup = setup,
        .threads = {reader, writing_heir},
        .mortal = 1,
        .finally = nobody_is_left_inside},
    {.name = "a reader dies, another one recovers",
        .setup = setup,
        .threads = {reader, writer, heir},
        .mortal = 1,
        .finally = nobody_is_left_inside},
    {.name = "a slot is left and joined", .setup = setup, .threads = {leaver, follower}},
    {.name = "two heirs",
        .setup = setup,
        .threads = {reader, heir, heir},
        .mortal = 1,
        .finally = nobody_is_left_inside},
    {.name = "an heir may die too", .setup = setup, .threads = {reader, heir, joiner}, .mortal = 3},
    {.name = "a slot changes hands",
        .setup = setup,
        .threads = {reader, heir, joiner},
        .mortal = 1},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
