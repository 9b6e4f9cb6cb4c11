/* dp_pool_shared: seats that take and give the records of one block, and die anywhere. */
#include "prove.h"

#include "dp_pool_shared.h"

#define RECORDS_MAX 2u

static alignas(DP_CACHE_LINE) unsigned char memory[8192];
static struct dp_pool_shared *const pool = (struct dp_pool_shared *)(void *)memory;
static struct dp_pool_seat *seats[3];
static uint32_t content[RECORDS_MAX]; /* plain: who has a record has it alone */
static uint64_t handed;               /* a handle that the second seat gives back */

static void set_up(uint32_t record_count)
{
    memset(memory, 0, sizeof(memory));
    PROVE(dp_pool_shared_size(record_count, 3) <= sizeof(memory));
    PROVE_EQUAL(dp_pool_shared_init(pool, record_count, 3, NULL), 0);
    for (uint32_t seat = 0; seat < 3; seat++)
        seats[seat] = dp_pool_seat_open(pool, 1 + seat);
    memset(content, 0, sizeof(content));
    handed = 0;
}

static uint64_t take(uint32_t seat)
{
    uint64_t handle = dp_pool_shared_take(pool, seats[seat]);
    if (handle != 0)
        content[dp_pool_index(handle)]++;
    return handle;
}

static void give(uint32_t seat, uint64_t handle)
{
    if (handle == 0)
        return;
    content[dp_pool_index(handle)]++;
    uint32_t before = prove_steps();
    PROVE(dp_pool_shared_give(pool, seats[seat], handle));
    PROVE(prove_steps() - before <= 4);
}

static void one_record(void)
{
    set_up(1);
}

/* The first seat leases the only block; the second has one of its two records. */
static void one_is_handed(void)
{
    set_up(2);
    handed = take(0);
    PROVE(dp_pool_shared_hold(pool, seats[1], handed));
}

static void first_takes_twice(void)
{
    give(0, take(0));
    give(0, take(0));
}

static void first_keeps_one(void)
{
    uint64_t kept = take(0);
    uint64_t second = take(0);
    give(0, kept);
    give(0, second);
}

static void second_gives(void)
{
    give(1, handed);
}

static void third_takes(void)
{
    give(2, take(2));
}

static void closes(void)
{
    give(0, take(0));
    dp_pool_seat_close(pool, seats[0]);
}

/* Nobody has anything: every record can be taken, and once. */
static void all_are_there(void)
{
    PROVE_EQUAL(dp_pool_shared_out(pool), 0);
    for (uint32_t seat = 0; seat < 3; seat++)
        if (dp_load_relaxed(&seats[seat]->owner) == 1 + seat)
            dp_pool_seat_close(pool, seats[seat]);
    struct dp_pool_seat *seat = dp_pool_seat_open(pool, 9);
    for (uint32_t record = 0; record < pool->record_count; record++)
        PROVE(dp_pool_shared_take(pool, seat) != 0);
    PROVE_EQUAL(dp_pool_shared_take(pool, seat), 0);
}

static void recover(uint32_t seat)
{
    if (!dp_pool_seat_recover(pool, seats[seat], 1 + seat, 21))
        return;
    uint32_t index = 0;
    uint64_t handle;
    while ((handle = dp_pool_held(pool, seats[seat], &index)) != 0)
        PROVE(dp_pool_shared_give(pool, seats[seat], handle));
    dp_pool_seat_close(pool, seats[seat]);
}

static void recovers_the_first(void)
{
    if (prove_is_dead(0))
        recover(0);
}

static void recovers_the_second(void)
{
    if (prove_is_dead(1))
        recover(1);
}

static void nothing_is_lost(void)
{
    for (uint32_t seat = 0; seat < 2; seat++)
        if (prove_is_dead(seat) && dp_load_relaxed(&seats[seat]->owner) == 1 + seat)
            recover(seat);
    all_are_there();
}

static void opens_that_seat(void)
{
    struct dp_pool_seat *seat = dp_pool_seat_open(pool, 11);
    if (seat == NULL)
        return;
    PROVE_EQUAL(seat->index, 0);
    give(0, take(0));
    dp_pool_seat_close(pool, seat);
}

/* A recovery set a bit twice; the record behind it is out, and the second seat gives it back. */
static void one_is_there_twice(void)
{
    set_up(2);
    uint64_t first = take(0);
    uint64_t second = take(0);
    give(1, first);
    give(1, second);
    take(0);
    PROVE(dp_pool_seat_recover(pool, seats[1], 2, 2));
    handed = take(0);
    PROVE_EQUAL(dp_pool_index(handed), 1);
    PROVE(dp_pool_shared_hold(pool, seats[1], handed));
}

static void first_takes(void)
{
    take(0);
}

/* The first one has one or both of the two. */
static void all_but_those(void)
{
    uint32_t index = 0;
    uint64_t handle;
    while ((handle = dp_pool_held(pool, seats[0], &index)) != 0)
        give(0, handle);
    all_are_there();
}

static const struct prove_case cases[] = {
    {.name = "two want the only one",
        .setup = one_record,
        .threads = {first_takes_twice, third_takes},
        .finally = all_are_there},
    {.name = "one leases, one gives, one looks for a block",
        .setup = one_is_handed,
        .threads = {first_keeps_one, second_gives, third_takes},
        .finally = all_are_there},
    {.name = "a block changes hands",
        .setup = one_record,
        .threads = {closes, third_takes},
        .finally = all_are_there},
    {.name = "a lessee dies",
        .setup = one_is_handed,
        .threads = {first_keeps_one, second_gives, recovers_the_first},
        .finally = nothing_is_lost,
        .mortal = 1},
    {.name = "a giver dies",
        .setup = one_is_handed,
        .threads = {first_takes_twice, second_gives, recovers_the_second},
        .finally = nothing_is_lost,
        .mortal = 2},
    {.name = "a seat changes hands",
        .setup = one_record,
        .threads = {closes, opens_that_seat},
        .finally = all_are_there},
    {.name = "a bit was set twice",
        .setup = one_is_there_twice,
        .threads = {first_takes, second_gives},
        .finally = all_but_those},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
