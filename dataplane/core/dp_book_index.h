/*
 * dp_book_index - from an order reference to the number of its record: the hash table of the books.
 *
 * Open addressing, eight bytes an entry: 32-bit tag, 32-bit record number; a zero entry is empty,
 * so zeroed memory is an empty table. Neighbouring references share a cache line, because orders
 * that came together are used together; the lines are spread by the tag. Entries stand in the order
 * of their home slots (Robin Hood), so a search for what is absent and the backward shift of a
 * deletion both end at the first entry that is at home: no tombstones, no rebuilding. The tag alone
 * gives the home slot; whether the record behind it is the one meant is the caller's to compare.
 * Writer only, plain memory.
 */
#ifndef DP_BOOK_INDEX_H
#define DP_BOOK_INDEX_H

#include "dp_base.h"

#define DP_BOOK_INDEX_LINE_BITS 3

/* Process-local view of a table: made on the stack where it is needed. */
struct dp_book_index {
    uint64_t *slots;
    uint32_t bits; /* 2^bits slots, 8 .. 31 */
};

static inline uint32_t dp_book_index_home(uint32_t tag, uint32_t bits)
{
    uint32_t line_mask = (1u << DP_BOOK_INDEX_LINE_BITS) - 1;
    return (tag >> (32 - bits) & ~line_mask) | (tag & line_mask);
}

/* Slots for a load of at most one half. */
static inline uint32_t dp_book_index_bits(uint32_t record_count)
{
    uint32_t bits = 8;
    while (bits < 31 && (1ull << bits) < 2ull * record_count)
        bits++;
    return bits;
}

/* High bits say which line, low bits where in the line: neighbours in `near` keep together. */
static inline uint32_t dp_book_index_tag(uint64_t spread, uint32_t near)
{
    uint64_t mixed = (spread ^ spread >> 32) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(mixed >> 32 & ~7ull) | (near & 7u);
}

static inline uint32_t dp_book_ref_tag(uint64_t order_ref)
{
    return dp_book_index_tag(order_ref >> DP_BOOK_INDEX_LINE_BITS, (uint32_t)order_ref);
}

static inline uint32_t dp_book_index_distance(uint64_t entry, uint32_t slot, uint32_t bits)
{
    return (slot - dp_book_index_home((uint32_t)(entry >> 32), bits)) & ((1u << bits) - 1);
}

/*
 * Walks the slots that may hold `tag`: for (walk = begin; live; advance) with the caller comparing
 * records. It ends at an empty slot or at an entry nearer to its home than we are to ours.
 */
static inline bool dp_book_index_ends(
    const struct dp_book_index *index, uint32_t slot, uint32_t distance)
{
    uint64_t entry = index->slots[slot];
    /* One branch, not two: which of the reasons it is cannot be guessed. */
    return (entry == 0) | (dp_book_index_distance(entry, slot, index->bits) < distance);
}

/* slot: where the walk for this tag ended. */
static inline void dp_book_index_put_at(
    const struct dp_book_index *index, uint32_t slot, uint32_t tag, uint32_t record)
{
    uint32_t mask = (1u << index->bits) - 1;
    uint64_t entry = (uint64_t)tag << 32 | record;
    do { /* everything behind moves one slot on, up to the first hole */
        uint64_t displaced = index->slots[slot];
        index->slots[slot] = entry;
        entry = displaced;
        slot = (slot + 1) & mask;
    } while (entry != 0);
}

static inline void dp_book_index_put(
    const struct dp_book_index *index, uint32_t tag, uint32_t record)
{
    uint32_t slot = dp_book_index_home(tag, index->bits);
    for (uint32_t distance = 0; !dp_book_index_ends(index, slot, distance); distance++)
        slot = (slot + 1) & ((1u << index->bits) - 1);
    dp_book_index_put_at(index, slot, tag, record);
}

static inline void dp_book_index_delete(const struct dp_book_index *index, uint32_t slot)
{
    uint32_t mask = (1u << index->bits) - 1;
    uint32_t next = (slot + 1) & mask;

    while (!dp_book_index_ends(index, next, 1)) {
        index->slots[slot] = index->slots[next];
        slot = next;
        next = (next + 1) & mask;
    }
    index->slots[slot] = 0;
}

#endif
