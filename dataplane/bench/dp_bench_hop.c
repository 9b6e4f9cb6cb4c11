#include "dp_bench_hop.h"

#include "dp_bench_team.h"
#include "dp_ring.h"

#define SLOTS 64u
#define SPINS 1024u

/* The line there and the line back; the same one for dp_bench_hop_single(). */
struct bare {
    alignas(2 * DP_CACHE_LINE) _Atomic uint64_t lines[2 * 2 * DP_CACHE_LINE / sizeof(uint64_t)];
    _Atomic uint64_t *there;
    _Atomic uint64_t *back;
    uint64_t *ticks;
    uint64_t turn_count;
};

/* Between two cores nobody waits that long; who shares one lets the other run. */
static inline void let_others(uint32_t *spins)
{
    if (DP_UNLIKELY(++*spins % SPINS == 0))
        dp_bench_team_wait(UINT32_MAX);
}

static inline void await(_Atomic uint64_t *line, uint64_t value)
{
    uint32_t spins = 0;
    while (dp_load_acquire(line) != value)
        let_others(&spins);
}

/* A bout ends: how long it took, and when the next one begins. */
static inline uint64_t note_bout(uint64_t *ticks, uint64_t turn, uint64_t start)
{
    if (turn % DP_BENCH_HOP_TURNS != DP_BENCH_HOP_TURNS - 1)
        return start;
    uint64_t end = dp_tsc();
    ticks[turn / DP_BENCH_HOP_TURNS] = end - start;
    return end;
}

static void start_bare(void *context)
{
    struct bare *bare = context;
    uint64_t start = dp_tsc();
    for (uint64_t turn = 0; turn < bare->turn_count; turn++) {
        dp_store_release(bare->there, 2 * turn + 1);
        await(bare->back, 2 * turn + 2);
        start = note_bout(bare->ticks, turn, start);
    }
}

static void return_bare(void *context)
{
    struct bare *bare = context;
    for (uint64_t turn = 0; turn < bare->turn_count; turn++) {
        await(bare->there, 2 * turn + 1);
        dp_store_release(bare->back, 2 * turn + 2);
    }
}

static void run_bare(struct bare *bare)
{
    const struct dp_bench_member members[] = {{start_bare, bare, 0}, {return_bare, bare, 1}};
    dp_bench_team_run(members, 2);
}

void dp_bench_hop_bare(uint64_t ticks[], uint32_t bout_count)
{
    struct bare bare = {.ticks = ticks, .turn_count = (uint64_t)bout_count * DP_BENCH_HOP_TURNS};
    bare.there = bare.lines;
    bare.back = bare.lines + 2 * DP_CACHE_LINE / sizeof(uint64_t);
    run_bare(&bare);
}

void dp_bench_hop_single(uint64_t ticks[], uint32_t bout_count)
{
    struct bare bare = {.ticks = ticks, .turn_count = (uint64_t)bout_count * DP_BENCH_HOP_TURNS};
    bare.there = bare.back = bare.lines;
    run_bare(&bare);
}

struct rings {
    struct dp_ring *there;
    struct dp_ring *back;
    uint64_t *ticks;
    uint64_t turn_count;
};

static inline void send(struct dp_ring *ring, uint64_t value)
{
    struct dp_ring_slot *slot = dp_ring_reserve(ring);
    slot->size = sizeof(value);
    memcpy(slot->data, &value, sizeof(value));
    dp_ring_publish(ring);
}

static inline uint64_t receive(struct dp_ring *ring)
{
    struct dp_ring_slot *slot;
    uint64_t value;
    uint32_t spins = 0;
    while ((slot = dp_ring_peek(ring)) == NULL)
        let_others(&spins);
    memcpy(&value, slot->data, sizeof(value));
    dp_ring_release(ring);
    return value;
}

static void start_ring(void *context)
{
    struct rings *rings = context;
    uint64_t start = dp_tsc();
    for (uint64_t turn = 0; turn < rings->turn_count; turn++) {
        send(rings->there, turn);
        DP_ASSERT(receive(rings->back) == turn);
        start = note_bout(rings->ticks, turn, start);
    }
}

static void return_ring(void *context)
{
    struct rings *rings = context;
    for (uint64_t turn = 0; turn < rings->turn_count; turn++)
        send(rings->back, receive(rings->there));
}

static struct dp_ring *make_ring(void)
{
    size_t size = dp_round_up(dp_ring_size(SLOTS, sizeof(uint64_t)), 2 * DP_CACHE_LINE);
    struct dp_ring *ring = aligned_alloc(2 * DP_CACHE_LINE, size);
    DP_ASSERT(ring != NULL && dp_ring_init(ring, SLOTS, sizeof(uint64_t), NULL) == 0);
    return ring;
}

void dp_bench_hop_ring(uint64_t ticks[], uint32_t bout_count)
{
    struct rings rings = {.there = make_ring(),
        .back = make_ring(),
        .ticks = ticks,
        .turn_count = (uint64_t)bout_count * DP_BENCH_HOP_TURNS};
    const struct dp_bench_member members[] = {{start_ring, &rings, 0}, {return_ring, &rings, 1}};
    dp_bench_team_run(members, 2);
    free(rings.there);
    free(rings.back);
}
