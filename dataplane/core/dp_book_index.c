#include "dp_book_index.h"

#define SPILL_ONE (1u << DP_BOOK_INDEX_SPILL_SHIFT)
#define SPILL_STICKY (3u << DP_BOOK_INDEX_SPILL_SHIFT)

uint32_t dp_book_index_bits(uint32_t record_count)
{
    uint32_t bits = 8;
    while (bits < 31 && 3ull << bits < 4ull * record_count)
        bits++;
    return bits;
}

/* ---- the spill table ----
 * Entries stand in the order of their home slots, so a search for what is absent and the backward
 * shift of a deletion both end at the first entry that is at home: no tombstones, no rebuilding. */

static uint32_t tag_of(uint64_t order_ref)
{
    uint64_t mixed = (order_ref ^ order_ref >> 32) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(mixed >> 32);
}

static uint32_t home_of(const struct dp_book_index *index, uint32_t tag)
{
    return tag >> index->shift;
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

static void put_spilled(const struct dp_book_index *index, uint32_t number)
{
    uint64_t order_ref = index->orders[number].order_ref;
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

uint32_t dp_book_index_find_spilled(const struct dp_book_index *index, uint64_t order_ref)
{
    uint32_t slot;
    return walk(index, order_ref, &slot) ? (uint32_t)index->spill[slot] : 0;
}

bool dp_book_index_make_room(const struct dp_book_index *index, uint64_t order_ref)
{
    uint32_t *entry = dp_book_index_entry(index, order_ref);
    uint32_t number = *entry & DP_BOOK_INDEX_RECORD;
    if (dp_book_index_find(index, order_ref) != 0)
        return false;
    if (number != 0) {
        put_spilled(index, number);
        *entry -= number;
        *entry += *entry < SPILL_STICKY ? SPILL_ONE : 0;
    }
    return true;
}

void dp_book_index_delete_spilled(const struct dp_book_index *index, uint64_t order_ref)
{
    uint32_t *entry = dp_book_index_entry(index, order_ref);
    uint32_t slot;
    bool is_here = walk(index, order_ref, &slot);
    DP_ASSERT(is_here);
    for (uint32_t next = step(index, slot); !ends(index, next, 1); next = step(index, next)) {
        index->spill[slot] = index->spill[next];
        slot = next;
    }
    index->spill[slot] = 0;
    *entry -= *entry < SPILL_STICKY ? SPILL_ONE : 0;
}
