/* dp_ring: two slots, one producer, one consumer. */
#include "prove.h"

#include "dp_ring.h"

#define SLOTS 2u
#define ITEMS 3u
#define TRIES 5u

static alignas(DP_CACHE_LINE) unsigned char memory[1024];
static struct dp_ring *const ring = (struct dp_ring *)(void *)memory;
static uint32_t pushed, popped;
static bool is_adopted;

static void setup(void)
{
    struct dp_err err;
    memset(memory, 0, sizeof(memory));
    PROVE_EQUAL(dp_ring_init(ring, SLOTS, 8, &err), 0);
    PROVE(dp_ring_size(SLOTS, 8) <= sizeof(memory));
    pushed = popped = 0;
    is_adopted = false;
}

static void producer(void)
{
    for (uint32_t tries = 0; tries < TRIES && pushed < ITEMS; tries++) {
        struct dp_ring_slot *slot = dp_ring_reserve(ring);
        if (slot == NULL)
            continue;
        slot->size = 1;
        slot->tag = pushed;
        slot->data[0] = (uint8_t)(10 + pushed);
        dp_ring_publish(ring);
        pushed++;
    }
}

static void consumer(void)
{
    for (uint32_t tries = 0; tries < TRIES && popped < ITEMS; tries++) {
        struct dp_ring_slot *slot = dp_ring_peek(ring);
        if (slot == NULL)
            continue;
        PROVE_EQUAL(slot->tag, popped);
        PROVE_EQUAL(slot->data[0], 10 + popped);
        dp_ring_release(ring);
        popped++;
    }
}

/* Nothing is lost and nothing comes twice: what was not taken is still there, in order. */
static void rest_is_there(void)
{
    PROVE(popped <= pushed);
    for (; popped < pushed; popped++) {
        struct dp_ring_slot *slot = dp_ring_peek(ring);
        PROVE(slot != NULL);
        PROVE_EQUAL(slot->tag, popped);
        dp_ring_release(ring);
    }
    PROVE(dp_ring_peek(ring) == NULL);
}

static void fill_ahead(uint32_t ahead)
{
    struct dp_ring_slot *slot = dp_ring_slot_ahead(ring, ahead);
    slot->tag = pushed + ahead;
    slot->data[0] = (uint8_t)(10 + pushed + ahead);
}

static void producer_of_pairs(void)
{
    for (uint32_t tries = 0; tries < TRIES && pushed < ITEMS + 1; tries++) {
        if (!dp_ring_has_room(ring, 2))
            continue;
        fill_ahead(0);
        fill_ahead(1);
        dp_ring_publish_n(ring, 2);
        pushed += 2;
    }
}

/* Counts what the dead one published, two or none of a pair, and goes on behind it with one. */
static void heir(void)
{
    if (!prove_is_dead(0))
        return;
    dp_ring_adopt(ring);
    is_adopted = true;
    pushed = (uint32_t)dp_load_relaxed(&ring->tail);
    PROVE(pushed % 2 == 0);
    if (!dp_ring_has_room(ring, 1))
        return;
    fill_ahead(0);
    dp_ring_publish(ring);
    pushed++;
}

static void heir_at_last(void)
{
    if (prove_is_dead(0) && !is_adopted) {
        dp_ring_adopt(ring);
        pushed = (uint32_t)dp_load_relaxed(&ring->tail);
    }
    rest_is_there();
}

static const struct prove_case cases[] = {
    {.name = "one at a time",
        .setup = setup,
        .threads = {producer, consumer},
        .finally = rest_is_there},
    {.name = "with room asked for",
        .setup = setup,
        .threads = {producer_of_pairs, consumer},
        .finally = rest_is_there},
    {.name = "one end dies",
        .setup = setup,
        .threads = {producer, consumer},
        .finally = heir_at_last,
        .mortal = 3},
    {.name = "an heir",
        .setup = setup,
        .threads = {producer_of_pairs, consumer, heir},
        .finally = heir_at_last,
        .mortal = 1},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
