#include "dp_book_index.h"

#include <immintrin.h>

/* What a bucket counts of its spilled; at this many it has lost count and looks for ever. */
#define COUNT_STICKY 0xffu
#define MIX 0x9e3779b97f4a7c15ull

uint32_t dp_book_index_bits(uint32_t record_count)
{
    uint32_t bits = 8;
    while (bits < 31 && 3ull << bits < 4ull * record_count)
        bits++;
    return bits;
}

struct dp_book_index dp_book_index_view(
    void *front, void *spill, struct dp_book_order *orders, uint32_t bits)
{
    uint32_t numbers = ((1u << bits) - 1) & (DP_BOOK_INDEX_COUNT - 1);
    return (struct dp_book_index){
        .front = front,
        .spill = spill,
        .orders = orders,
        .bits = bits,
        .mask = (uint32_t)((2ull << bits) - 1),
        .numbers = numbers,
        .compared = ~(numbers | DP_BOOK_INDEX_AWAY | DP_BOOK_INDEX_COUNT),
    };
}

/* ---- the spill table ----
 * Entries stand in the order of their home slots, so a search for what is absent and the backward
 * shift of a deletion both end at the first entry that is at home: no tombstones, no rebuilding.
 * Each slot asks for its record to be looked at: dear, but most sessions never come here. */

static uint32_t home_of(const struct dp_book_index *index, uint64_t order_ref)
{
    uint64_t mixed = (order_ref ^ order_ref >> 32) * MIX;
    return (uint32_t)(mixed >> (64 - index->bits));
}

static uint32_t step(const struct dp_book_index *index, uint32_t slot)
{
    return (slot + 1) & ((1u << index->bits) - 1);
}

/* Whether a walk that is `distance` away from its home ends here. */
static bool ends(const struct dp_book_index *index, uint32_t slot, uint32_t distance)
{
    uint32_t number = index->spill[slot];
    uint32_t home = home_of(index, index->orders[number].order_ref);
    return number == 0 || ((slot - home) & ((1u << index->bits) - 1)) < distance;
}

/* Where the reference stands, or where its walk ended. */
static bool walk(const struct dp_book_index *index, uint64_t order_ref, uint32_t *slot)
{
    *slot = home_of(index, order_ref);
    for (uint32_t distance = 0; !ends(index, *slot, distance); distance++) {
        if (index->orders[index->spill[*slot]].order_ref == order_ref)
            return true;
        *slot = step(index, *slot);
    }
    return false;
}

static void put_spilled(const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t slot;
    walk(index, order_ref, &slot);
    while (number != 0) { /* everything behind moves one slot on, up to the first hole */
        uint32_t displaced = index->spill[slot];
        index->spill[slot] = number;
        number = displaced;
        slot = step(index, slot);
    }
}

static void delete_spilled(const struct dp_book_index *index, uint64_t order_ref)
{
    uint32_t slot;
    bool is_here = walk(index, order_ref, &slot);
    DP_ASSERT(is_here);
    for (uint32_t next = step(index, slot); !ends(index, next, 1); next = step(index, next)) {
        index->spill[slot] = index->spill[next];
        slot = next;
    }
    index->spill[slot] = 0;
}

/* ---- buckets ---- */

static uint32_t *bucket_of(const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->front[(uint32_t)order_ref & index->mask & ~(DP_BOOK_INDEX_WAYS - 1)];
}

static __m256i load(const uint32_t *bucket)
{
    return _mm256_load_si256((const __m256i *)(const void *)bucket);
}

/* A bit for each lane whose highest bit is set. */
static uint32_t lanes_of(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(lanes));
}

/* A bit for each entry that has `wanted` in the bits of `mask`. */
static uint32_t ways_with(__m256i bucket, uint32_t mask, uint32_t wanted)
{
    __m256i bits = _mm256_and_si256(bucket, _mm256_set1_epi32((int)mask));
    return lanes_of(_mm256_cmpeq_epi32(bits, _mm256_set1_epi32((int)wanted)));
}

static uint32_t spilled_count(__m256i bucket)
{
    return lanes_of(_mm256_slli_epi32(bucket, 1));
}

uint32_t dp_book_index_spilled_count(const struct dp_book_index *index, uint64_t order_ref)
{
    return spilled_count(load(bucket_of(index, order_ref)));
}

static void set_spilled_count(uint32_t *bucket, uint32_t count)
{
    for (uint32_t way = 0; way < DP_BOOK_INDEX_WAYS; way++)
        bucket[way] =
            (bucket[way] & ~DP_BOOK_INDEX_COUNT) | (count >> way & 1) * DP_BOOK_INDEX_COUNT;
}

uint32_t dp_book_index_find_away(const struct dp_book_index *index, uint64_t order_ref)
{
    const uint32_t *bucket = bucket_of(index, order_ref);
    __m256i entries = load(bucket);
    uint32_t ways = ways_with(entries, index->compared, (uint32_t)order_ref & index->compared);
    for (; ways != 0; ways &= ways - 1) {
        uint32_t number = bucket[_tzcnt_u32(ways)] & index->numbers;
        if (number != 0 && index->orders[number].order_ref == order_ref)
            return number;
    }
    uint32_t slot;
    return spilled_count(entries) != 0 && walk(index, order_ref, &slot) ? index->spill[slot] : 0;
}

uint32_t dp_book_index_likely(const struct dp_book_index *index, uint64_t order_ref)
{
    const uint32_t *bucket = bucket_of(index, order_ref);
    uint32_t tag = (uint32_t)order_ref & index->compared;
    uint32_t free = ways_with(load(bucket), index->numbers, 0);
    uint32_t ways = ways_with(load(bucket), index->compared, tag) & ~free;
    return bucket[_tzcnt_u32(ways) % DP_BOOK_INDEX_WAYS] & index->numbers;
}

bool dp_book_index_room_away(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry)
{
    if ((**entry & index->numbers) != 0) {
        uint32_t *bucket = bucket_of(index, order_ref);
        uint32_t rooms = ways_with(load(bucket), index->numbers, 0);
        *entry = rooms == 0 ? NULL : bucket + _tzcnt_u32(rooms);
    }
    return dp_book_index_find(index, order_ref) == 0;
}

void dp_book_index_put_away(
    const struct dp_book_index *index, uint32_t *entry, uint64_t order_ref, uint32_t number)
{
    *dp_book_index_home(index, order_ref) |= DP_BOOK_INDEX_AWAY;
    if (entry != NULL) {
        dp_book_index_put_home(index, entry, order_ref, number);
        return;
    }
    uint32_t *bucket = bucket_of(index, order_ref);
    uint32_t count = spilled_count(load(bucket));
    put_spilled(index, order_ref, number);
    if (count != COUNT_STICKY)
        set_spilled_count(bucket, count + 1);
}

/* Whether one that is at home in this entry is in another one of its bucket, or may be spilled. */
static bool has_away(
    const struct dp_book_index *index, const uint32_t *home, const uint32_t *bucket)
{
    uint32_t others = ~ways_with(load(bucket), index->numbers, 0) & ~(1u << (home - bucket));
    for (others &= (1u << DP_BOOK_INDEX_WAYS) - 1; others != 0; others &= others - 1) {
        uint32_t number = bucket[_tzcnt_u32(others)] & index->numbers;
        if (dp_book_index_home(index, index->orders[number].order_ref) == home)
            return true;
    }
    return spilled_count(load(bucket)) != 0;
}

static void delete_elsewhere(const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t *bucket = bucket_of(index, order_ref);
    uint32_t ways = ways_with(load(bucket), index->numbers, number);
    if (DP_LIKELY(ways != 0)) {
        dp_book_index_delete_home(bucket + _tzcnt_u32(ways));
        return;
    }
    uint32_t count = spilled_count(load(bucket));
    delete_spilled(index, order_ref);
    if (count != COUNT_STICKY)
        set_spilled_count(bucket, count - 1);
}

void dp_book_index_delete_away(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t *home = dp_book_index_home(index, order_ref);
    delete_elsewhere(index, order_ref, number);
    if (!has_away(index, home, bucket_of(index, order_ref)))
        *home &= ~DP_BOOK_INDEX_AWAY;
}
