/*
 * The checker itself: which results of small programs it sees, against what C11 allows.
 *
 * Each program's threads put what they read into `seen`, one bit each; all results together make a
 * set, again as bits. Names and forms are the usual ones of the literature on
 * memory models.
 */
#include <stdio.h>

#include "machine.h"

#define ALL 0xffffu
#define BUT(result) (ALL & ~(1u << (result)))

static _Atomic uint64_t x, y, z;
static uint64_t plain;
static uint32_t seen[ACTORS_MAX]; /* by actor */
static uint32_t results;

static void see(uint32_t bit, uint64_t value)
{
    seen[machine.self] |= (uint32_t)(value & 1) << bit;
}

static void setup(void)
{
    memset((void *)&x, 0, sizeof(x));
    memset((void *)&y, 0, sizeof(y));
    memset((void *)&z, 0, sizeof(z));
    plain = 0;
    memset(seen, 0, sizeof(seen));
}

static void collect(void)
{
    uint32_t result = 0;
    for (uint32_t actor = 0; actor < ACTORS_MAX; actor++)
        result |= seen[actor];
    results |= 1u << result;
}

/* ---- message passing: 1 then 0 is the flag without the message ---- */

static void pass_relaxed(void)
{
    dp_store_relaxed(&x, 1);
    dp_store_relaxed(&y, 1);
}

static void pass_release(void)
{
    dp_store_relaxed(&x, 1);
    dp_store_release(&y, 1);
}

static void pass_fence(void)
{
    dp_store_relaxed(&x, 1);
    dp_fence_release();
    dp_store_relaxed(&y, 1);
}

static void pass_broken(void)
{
    dp_store_relaxed(&x, 1);
    dp_store_release(&y, 2);
    dp_store_relaxed(&y, 1); /* not part of a release sequence since C++20 */
}

static void take_relaxed(void)
{
    see(0, dp_load_relaxed(&y));
    see(1, dp_load_relaxed(&x));
}

static void take_acquire(void)
{
    see(0, dp_load_acquire(&y));
    see(1, dp_load_relaxed(&x));
}

static void take_fence(void)
{
    see(0, dp_load_relaxed(&y));
    dp_fence_acquire();
    see(1, dp_load_relaxed(&x));
}

static void take_same_twice(void)
{
    see(0, dp_load_relaxed(&x));
    see(1, dp_load_relaxed(&x));
}

static void pass_to_change(void)
{
    dp_store_relaxed(&x, 1);
    dp_store_release(&y, 2);
}

static void change_between(void)
{
    uint64_t expected = 2;
    dp_cas_relaxed(&y, &expected, 1);
}

/* ---- store buffering: 0 and 0 ---- */

static void buffer_x(void)
{
    dp_store_release(&x, 1);
    see(0, dp_load_acquire(&y));
}

static void buffer_y(void)
{
    dp_store_release(&y, 1);
    see(1, dp_load_acquire(&x));
}

static void fenced_x(void)
{
    dp_store_relaxed(&x, 1);
    dp_fence_seq_cst();
    see(0, dp_load_relaxed(&y));
}

static void fenced_y(void)
{
    dp_store_relaxed(&y, 1);
    dp_fence_seq_cst();
    see(1, dp_load_relaxed(&x));
}

/* ---- two writers of two words: which value is the last ---- */

static void both_ways_x(void)
{
    dp_store_relaxed(&x, 1);
    dp_store_relaxed(&y, 2);
}

static void both_ways_y(void)
{
    dp_store_relaxed(&y, 1);
    dp_store_relaxed(&x, 2);
}

static void collect_last(void)
{
    see(0, dp_load_relaxed(&x));
    see(1, dp_load_relaxed(&y));
    collect();
}

/* ---- independent readers of independent writers ---- */

static void write_x(void)
{
    dp_store_release(&x, 1);
}

static void write_y(void)
{
    dp_store_release(&y, 1);
}

static void read_xy(void)
{
    see(0, dp_load_acquire(&x));
    see(1, dp_load_acquire(&y));
}

static void read_yx(void)
{
    see(2, dp_load_acquire(&y));
    see(3, dp_load_acquire(&x));
}

static void read_xy_fenced(void)
{
    see(0, dp_load_acquire(&x));
    dp_fence_seq_cst();
    see(1, dp_load_acquire(&y));
}

static void read_yx_fenced(void)
{
    see(2, dp_load_acquire(&y));
    dp_fence_seq_cst();
    see(3, dp_load_acquire(&x));
}

/* ---- changes ---- */

static void count_up(void)
{
    see(prove_self(), dp_fetch_add_relaxed(&z, 1));
}

static void swap_first(void)
{
    uint64_t expected = 0;
    see(prove_self(), dp_cas_relaxed(&z, &expected, 1));
}

/* ---- load buffering: 1 and 1, which C11 allows and this checker does not see ---- */

static void late_y(void)
{
    see(0, dp_load_relaxed(&x));
    dp_store_relaxed(&y, 1);
}

static void late_x(void)
{
    see(1, dp_load_relaxed(&y));
    dp_store_relaxed(&x, 1);
}

/* ---- plain memory ---- */

static void pass_plain(void)
{
    plain = 1;
    dp_store_release(&y, 1);
}

static void pass_plain_relaxed(void)
{
    plain = 1;
    dp_store_relaxed(&y, 1);
}

static void take_plain(void)
{
    if (dp_load_acquire(&y) == 1)
        see(0, plain);
}

#define PROGRAM(text, ...) \
    { \
        .name = text, .setup = setup, .finally = collect, .threads = { __VA_ARGS__ } \
    }

/* An empty set: the run must fail. */
static const struct litmus {
    struct prove_case scenario;
    uint32_t allowed;
} programs[] = {
    {PROGRAM("MP relaxed", pass_relaxed, take_relaxed), ALL & 0xf},
    {PROGRAM("MP release, relaxed", pass_release, take_relaxed), ALL & 0xf},
    {PROGRAM("MP relaxed, acquire", pass_relaxed, take_acquire), ALL & 0xf},
    {PROGRAM("MP release, acquire", pass_release, take_acquire), BUT(1) & 0xf},
    {PROGRAM("MP fences", pass_fence, take_fence), BUT(1) & 0xf},
    {PROGRAM("MP release, fence", pass_release, take_fence), BUT(1) & 0xf},
    {PROGRAM("MP broken sequence", pass_broken, take_acquire), ALL & 0xf},
    {PROGRAM("MP through a change", pass_to_change, change_between, take_acquire), BUT(1) & 0xf},
    {PROGRAM("CoRR", write_x, take_same_twice), BUT(1) & 0xf},
    {PROGRAM("SB release, acquire", buffer_x, buffer_y), ALL & 0xf},
    {PROGRAM("SB fences", fenced_x, fenced_y), BUT(0) & 0xf},
    {{.name = "2+2W",
         .setup = setup,
         .finally = collect_last,
         .threads = {both_ways_x, both_ways_y}},
        ALL & 0xf},
    {PROGRAM("IRIW", write_x, write_y, read_xy, read_yx), ALL},
    {PROGRAM("IRIW fences", write_x, write_y, read_xy_fenced, read_yx_fenced), BUT(5)},
    {PROGRAM("two additions", count_up, count_up), 1u << 1 | 1u << 2},
    {PROGRAM("two swaps", swap_first, swap_first), 1u << 1 | 1u << 2},
    {PROGRAM("LB (not seen)", late_y, late_x), BUT(3) & 0xf},
    {PROGRAM("plain, ordered", pass_plain, take_plain), 1u << 0 | 1u << 1},
    {PROGRAM("plain, not ordered", pass_plain_relaxed, take_plain), 0},
};

int main(void)
{
    int error_count = 0;
    for (size_t at = 0; at < sizeof(programs) / sizeof(programs[0]); at++) {
        const struct litmus *one = &programs[at];
        struct tally tally;
        results = 0;
        machine.scenario = &one->scenario;
        bool holds = explore_all(UINT64_MAX, &tally);
        bool is_right = one->allowed == 0 ? !holds : holds && results == one->allowed;
        printf("%s %s: results %#x, allowed %#x, %llu runs\n", is_right ? "ok  " : "FAIL",
            one->scenario.name, results, one->allowed, (unsigned long long)tally.run_count);
        error_count += !is_right;
    }
    return error_count == 0 ? 0 : 1;
}
