#include "dp_book_index.h"

/* What a bucket counts of its spilled; at this many it has lost count and looks for ever. */
#define COUNT_STICKY 0xffu

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
    uint32_t mask = (1u << bits) - 1;
    uint32_t numbers = mask & (DP_BOOK_INDEX_COUNT - 1);
    return (struct dp_book_index){
        .front = front,
        .spill = spill,
        .orders = orders,
        .bits = bits,
        .mask = mask,
        .numbers = numbers,
        .compared = ~(numbers | DP_BOOK_INDEX_COUNT),
    };
}

/* ---- the spill table ----
 * Entries stand in the order of their home slots, so a search for what is absent and the backward
 * shift of a deletion both end at the first entry that is at home: no tombstones, no rebuilding. */

static uint32_t tag_of(uint64_t order_ref)
{
    uint64_t mixed = (order_ref ^ order_ref >> 32) * DP_BOOK_INDEX_MIX;
    return (uint32_t)(mixed >> 32);
}

static uint32_t home_of(const struct dp_book_index *index, uint32_t tag)
{
    return tag >> (32 - index->bits);
}

uint64_t *dp_book_index_home(const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->spill[home_of(index, tag_of(order_ref))];
}

static uint32_t step(const struct dp_book_index *index, uint32_t slot)
{
    return (slot + 1) & index->mask;
}

/* Whether a walk that is `distance` away from its home ends here. */
static bool ends(const struct dp_book_index *index, uint32_t slot, uint32_t distance)
{
    uint64_t entry = index->spill[slot];
    uint32_t home = home_of(index, (uint32_t)(entry >> 32));
    return entry == 0 || ((slot - home) & index->mask) < distance;
}

/* Where the reference stands, or where its walk ended. */
static bool walk(const struct dp_book_index *index, uint64_t order_ref, uint32_t *slot)
{
    uint32_t tag = tag_of(order_ref);
    *slot = home_of(index, tag);
    for (uint32_t distance = 0; !ends(index, *slot, distance); distance++) {
        uint64_t entry = index->spill[*slot];
        if (entry >> 32 == tag && index->orders[(uint32_t)entry].order_ref == order_ref)
            return true;
        *slot = step(index, *slot);
    }
    return false;
}

static void put_spilled(const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint64_t entry = (uint64_t)tag_of(order_ref) << 32 | number;
    uint32_t slot;
    walk(index, order_ref, &slot);
    while (entry != 0) { /* everything behind moves one slot on, up to the first hole */
        uint64_t displaced = index->spill[slot];
        index->spill[slot] = entry;
        entry = displaced;
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

static void set_spilled_count(uint32_t *bucket, uint32_t count)
{
    for (uint32_t way = 0; way < DP_BOOK_INDEX_WAYS; way++)
        bucket[way] =
            (bucket[way] & ~DP_BOOK_INDEX_COUNT) | (count >> way & 1) * DP_BOOK_INDEX_COUNT;
}

uint32_t dp_book_index_find_far(const struct dp_book_index *index, uint64_t order_ref)
{
    const uint32_t *bucket = dp_book_index_bucket(index, order_ref);
    __m256i entries = dp_book_index_load(bucket);
    uint32_t matches = dp_book_index_matches(index, entries, order_ref);
    for (; matches != 0; matches &= matches - 1) {
        uint32_t number = bucket[_tzcnt_u32(matches)] & index->numbers;
        if (index->orders[number].order_ref == order_ref)
            return number;
    }
    uint32_t slot;
    return dp_book_index_spilled_count(entries) != 0 && walk(index, order_ref, &slot)
        ? (uint32_t)index->spill[slot]
        : 0;
}

bool dp_book_index_room_far(const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry)
{
    uint32_t *bucket = dp_book_index_bucket(index, order_ref);
    uint32_t rooms = dp_book_index_rooms(dp_book_index_load(bucket));
    *entry = rooms == 0 ? NULL : bucket + _tzcnt_u32(rooms);
    return dp_book_index_find_far(index, order_ref) == 0;
}

void dp_book_index_put_spilled(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t *bucket = dp_book_index_bucket(index, order_ref);
    uint32_t count = dp_book_index_spilled_count(dp_book_index_load(bucket));
    put_spilled(index, order_ref, number);
    if (count != COUNT_STICKY)
        set_spilled_count(bucket, count + 1);
}

void dp_book_index_delete_far(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t *bucket = dp_book_index_bucket(index, order_ref);
    __m256i entries = dp_book_index_load(bucket);
    uint32_t wanted = dp_book_index_tag(index, order_ref) | number;
    __m256i known = _mm256_andnot_si256(_mm256_set1_epi32(DP_BOOK_INDEX_COUNT), entries);
    uint32_t ways = dp_book_index_lanes(_mm256_cmpeq_epi32(known, _mm256_set1_epi32((int)wanted)));
    if (DP_LIKELY(ways != 0)) {
        bucket[_tzcnt_u32(ways)] &= DP_BOOK_INDEX_COUNT;
        return;
    }
    uint32_t count = dp_book_index_spilled_count(entries);
    delete_spilled(index, order_ref);
    if (count != COUNT_STICKY)
        set_spilled_count(bucket, count - 1);
}
