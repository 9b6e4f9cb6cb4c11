#include "dp_pool_shared.h"

#include <errno.h>

#define INDEX_BITS 24
#define SEAT_BITS 8

/*
 * A record's word: generation << 8 | seat that holds it or gave it last. A handle: generation << 24
 * | index, the lower 40 bits of the generation; at a hundred million uses of one record a second
 * they come again after three hours, and no handle is kept so long and used then.
 */
static_assert(DP_POOL_SHARED_RECORDS_MAX == 1u << INDEX_BITS, "a handle's lower part");
static_assert(DP_POOL_SEATS_MAX < 1u << SEAT_BITS, "a word's lower part");

static uint64_t handle_of(uint64_t word, uint32_t index)
{
    return word >> SEAT_BITS << INDEX_BITS | index;
}

static bool is_out(uint64_t word)
{
    return (word >> SEAT_BITS & 1) != 0;
}

static uint32_t seat_of(uint64_t word)
{
    return (uint32_t)word & ((1u << SEAT_BITS) - 1);
}

/* The next generation of a record, in the hands of that seat. */
static uint64_t word_after(uint64_t word, const struct dp_pool_seat *seat)
{
    return ((word >> SEAT_BITS) + 1) << SEAT_BITS | seat->index;
}

static void *at(struct dp_pool_shared *pool, uint64_t offset)
{
    return (uint8_t *)pool + offset;
}

static struct dp_pool_block *block_at(struct dp_pool_shared *pool, uint32_t index)
{
    return (struct dp_pool_block *)at(pool, pool->blocks_offset) + index;
}

static _Atomic uint64_t *word_at(struct dp_pool_shared *pool, uint32_t index)
{
    return (_Atomic uint64_t *)at(pool, pool->words_offset) + index;
}

struct dp_pool_seat *dp_pool_seat_at(struct dp_pool_shared *pool, uint32_t index)
{
    return (struct dp_pool_seat *)at(pool, pool->seats_offset) + index;
}

/* ---- layout ---- */

static uint32_t blocks_for(uint32_t record_count)
{
    return (record_count + DP_POOL_BLOCK - 1) / DP_POOL_BLOCK;
}

static uint64_t seats_offset(uint32_t record_count)
{
    uint64_t ready_count = (blocks_for(record_count) + 63) / 64;
    return dp_round_up(
        sizeof(struct dp_pool_shared) + ready_count * sizeof(uint64_t), DP_CACHE_LINE);
}

static uint64_t blocks_offset(uint32_t record_count, uint32_t seat_count)
{
    return seats_offset(record_count) + seat_count * sizeof(struct dp_pool_seat);
}

static uint64_t words_offset(uint32_t record_count, uint32_t seat_count)
{
    return blocks_offset(record_count, seat_count) +
        blocks_for(record_count) * sizeof(struct dp_pool_block);
}

size_t dp_pool_shared_size(uint32_t record_count, uint32_t seat_count)
{
    return words_offset(record_count, seat_count) + record_count * sizeof(uint64_t);
}

static int check(uint32_t record_count, uint32_t seat_count, struct dp_err *err)
{
    if (record_count == 0 || record_count > DP_POOL_SHARED_RECORDS_MAX)
        return dp_err_set(err, EINVAL, "pool: record_count: %u; give at least 1, at most %u",
            record_count, DP_POOL_SHARED_RECORDS_MAX);
    if (seat_count == 0 || seat_count > DP_POOL_SEATS_MAX)
        return dp_err_set(err, EINVAL, "pool: seat_count: %u; give at least 1, at most %u",
            seat_count, DP_POOL_SEATS_MAX);
    return 0;
}

/* Bits of the records that a block has: the last one may be short. */
static uint64_t bits_of(const struct dp_pool_shared *pool, uint32_t block_index)
{
    uint32_t count = pool->record_count - block_index * DP_POOL_BLOCK;
    return count >= DP_POOL_BLOCK ? UINT64_MAX : (1ull << count) - 1;
}

int dp_pool_shared_init(
    struct dp_pool_shared *pool, uint32_t record_count, uint32_t seat_count, struct dp_err *err)
{
    int status = check(record_count, seat_count, err);
    if (status < 0)
        return status;
    DP_ASSERT((uintptr_t)pool % DP_CACHE_LINE == 0);

    memset(pool, 0, dp_pool_shared_size(record_count, seat_count));
    pool->record_count = record_count;
    pool->seat_count = seat_count;
    pool->block_count = blocks_for(record_count);
    pool->ready_count = (pool->block_count + 63) / 64;
    pool->seats_offset = seats_offset(record_count);
    pool->blocks_offset = blocks_offset(record_count, seat_count);
    pool->words_offset = words_offset(record_count, seat_count);
    for (uint32_t index = 0; index < seat_count; index++) {
        dp_pool_seat_at(pool, index)->index = index;
        dp_pool_seat_at(pool, index)->block = DP_POOL_NO_BLOCK;
    }
    for (uint32_t index = 0; index < pool->block_count; index++) {
        dp_store_relaxed(&block_at(pool, index)->given, bits_of(pool, index));
        dp_fetch_or_release(&pool->ready[index / 64], 1ull << index % 64);
    }
    return 0;
}

/* ---- blocks ---- */

static void set_ready(struct dp_pool_shared *pool, uint32_t block_index)
{
    /* Release pairs with drop_lease(): who finds our bit here finds what we gave. */
    dp_fetch_or_release(&pool->ready[block_index / 64], 1ull << block_index % 64);
}

static void put_given(struct dp_pool_shared *pool, uint32_t block_index, uint64_t bits)
{
    struct dp_pool_block *block = block_at(pool, block_index);
    /* Release pairs with the exchange in refill(): our last use of the record comes before. */
    if (dp_fetch_or_release(&block->given, bits) == 0)
        set_ready(pool, block_index);
}

/* Bits to take from, those given by others included. */
static uint64_t refill(struct dp_pool_block *block)
{
    uint64_t bits = dp_load_relaxed(&block->own);
    if (bits == 0 && dp_load_relaxed(&block->given) != 0)
        bits = dp_exchange_acquire(&block->given, 0);
    return bits;
}

/* Gives an empty block up, unless somebody put something into it just now. */
static void drop_lease(struct dp_pool_shared *pool, struct dp_pool_seat *seat)
{
    struct dp_pool_block *block = block_at(pool, seat->block);
    /* Acquire pairs with set_ready(): when we clear a giver's bit we see what it gave. A giver that
     * comes later finds `given` empty and sets the bit again. */
    dp_fetch_and_acquire(&pool->ready[seat->block / 64], ~(1ull << seat->block % 64));
    if (dp_load_relaxed(&block->given) != 0)
        return;
    seat->block = DP_POOL_NO_BLOCK;
    /* Release pairs with lease(): `own` and the records' words are the next lessee's. */
    dp_store_release(&block->lease, 0);
}

static bool lease(struct dp_pool_shared *pool, struct dp_pool_seat *seat, uint32_t block_index)
{
    struct dp_pool_block *block = block_at(pool, block_index);
    uint32_t nobody = 0;
    if (dp_load_relaxed(&block->lease) != 0 ||
        !dp_cas_acquire(&block->lease, &nobody, seat->index + 1))
        return false;
    seat->block = block_index;
    return true;
}

/* Seats begin at different words of `ready`, so that they do not want the same blocks. */
static bool lease_any(struct dp_pool_shared *pool, struct dp_pool_seat *seat)
{
    for (uint32_t tried = 0; tried < pool->ready_count; tried++) {
        uint32_t word = (seat->index + tried) % pool->ready_count;
        uint64_t bits = dp_load_relaxed(&pool->ready[word]);
        for (; bits != 0; bits &= bits - 1)
            if (lease(pool, seat, word * 64 + (uint32_t)__builtin_ctzll(bits)))
                return true;
    }
    return false;
}

/* ---- take and give ---- */

/* A free record of the leased block, as a handle; 0 when it has none. */
static uint64_t take_from_block(struct dp_pool_shared *pool, struct dp_pool_seat *seat)
{
    struct dp_pool_block *block = block_at(pool, seat->block);
    uint64_t bits;
    while ((bits = refill(block)) != 0) {
        uint32_t index = seat->block * DP_POOL_BLOCK + (uint32_t)__builtin_ctzll(bits);
        dp_store_relaxed(&block->own, bits & (bits - 1));
        _Atomic uint64_t *word = word_at(pool, index);
        /* Acquire pairs with dp_pool_shared_give(), also when this bit was set by a recovery. */
        uint64_t before = dp_load_acquire(word);
        if (DP_UNLIKELY(is_out(before)))
            continue; /* a bit that was set twice */
        uint64_t after = word_after(before, seat);
        dp_store_relaxed(word, after);
        return handle_of(after, index);
    }
    return 0;
}

uint64_t dp_pool_shared_take(struct dp_pool_shared *pool, struct dp_pool_seat *seat)
{
    for (uint32_t tried = 0; tried <= pool->block_count; tried++) {
        if (DP_UNLIKELY(seat->block == DP_POOL_NO_BLOCK) && !lease_any(pool, seat))
            return 0;
        uint64_t handle = take_from_block(pool, seat);
        if (DP_LIKELY(handle != 0))
            return handle;
        drop_lease(pool, seat);
    }
    return 0;
}

/* The record's word when the handle is that of a record that is out, else 0. */
static uint64_t word_of(struct dp_pool_shared *pool, uint64_t handle)
{
    uint32_t index = dp_pool_index(handle);
    uint64_t word = index < pool->record_count ? dp_load_relaxed(word_at(pool, index)) : 0;
    return is_out(word) && handle_of(word, index) == handle ? word : 0;
}

bool dp_pool_shared_give(struct dp_pool_shared *pool, struct dp_pool_seat *seat, uint64_t handle)
{
    uint32_t index = dp_pool_index(handle);
    uint64_t word = word_of(pool, handle);
    if (DP_UNLIKELY(word == 0))
        return false;
    /* Release pairs with take_from_block(): our last use of the record comes before its next. */
    dp_store_release(word_at(pool, index), word_after(word, seat));
    uint64_t bit = 1ull << index % DP_POOL_BLOCK;
    uint32_t block_index = index / DP_POOL_BLOCK;
    if (block_index == seat->block) {
        _Atomic uint64_t *own = &block_at(pool, block_index)->own;
        dp_store_relaxed(own, dp_load_relaxed(own) | bit);
    } else {
        put_given(pool, block_index, bit);
    }
    return true;
}

bool dp_pool_shared_hold(
    struct dp_pool_shared *pool, const struct dp_pool_seat *seat, uint64_t handle)
{
    uint64_t word = word_of(pool, handle);
    if (word != 0)
        dp_store_relaxed(
            word_at(pool, dp_pool_index(handle)), word >> SEAT_BITS << SEAT_BITS | seat->index);
    return word != 0;
}

bool dp_pool_shared_has(struct dp_pool_shared *pool, uint64_t handle)
{
    return word_of(pool, handle) != 0;
}

/* ---- seats ---- */

static bool become_owner(struct dp_pool_seat *seat, uint64_t before, uint64_t now)
{
    DP_ASSERT(now != 0);
    /* Acquire pairs with dp_pool_seat_close(): the seat's memory is ours now. */
    return dp_cas_acquire(&seat->owner, &before, now);
}

struct dp_pool_seat *dp_pool_seat_open(struct dp_pool_shared *pool, uint64_t owner)
{
    for (uint32_t index = 0; index < pool->seat_count; index++)
        if (become_owner(dp_pool_seat_at(pool, index), 0, owner))
            return dp_pool_seat_at(pool, index);
    return NULL;
}

/* Hands a leased block back with all of its records that are free. */
static void return_block(struct dp_pool_shared *pool, uint32_t block_index)
{
    struct dp_pool_block *block = block_at(pool, block_index);
    uint64_t bits = 0;
    for (uint32_t bit = 0; bit < DP_POOL_BLOCK; bit++) {
        uint32_t index = block_index * DP_POOL_BLOCK + bit;
        if (index < pool->record_count && !is_out(dp_load_relaxed(word_at(pool, index))))
            bits |= 1ull << bit;
    }
    dp_store_relaxed(&block->own, 0);
    put_given(pool, block_index, bits);
    set_ready(pool, block_index);
    /* Release pairs with lease(), as in drop_lease(). */
    dp_store_release(&block->lease, 0);
}

void dp_pool_seat_close(struct dp_pool_shared *pool, struct dp_pool_seat *seat)
{
    if (seat->block != DP_POOL_NO_BLOCK)
        return_block(pool, seat->block);
    seat->block = DP_POOL_NO_BLOCK;
    dp_store_release(&seat->owner, 0);
}

bool dp_pool_seat_recover(
    struct dp_pool_shared *pool, struct dp_pool_seat *seat, uint64_t dead, uint64_t owner)
{
    DP_ASSERT(dead != 0);
    if (!become_owner(seat, dead, owner))
        return false;
    for (uint32_t index = 0; index < pool->block_count; index++)
        if (dp_load_relaxed(&block_at(pool, index)->lease) == seat->index + 1)
            return_block(pool, index);
    seat->block = DP_POOL_NO_BLOCK;
    /* What it had given back without getting to say so. Saying it twice is harmless. */
    for (uint32_t index = 0; index < pool->record_count; index++) {
        uint64_t word = dp_load_relaxed(word_at(pool, index));
        if (word != 0 && !is_out(word) && seat_of(word) == seat->index) {
            put_given(pool, index / DP_POOL_BLOCK, 1ull << index % DP_POOL_BLOCK);
            set_ready(pool, index / DP_POOL_BLOCK);
        }
    }
    return true;
}

uint64_t dp_pool_held(struct dp_pool_shared *pool, const struct dp_pool_seat *seat, uint32_t *index)
{
    while (*index < pool->record_count) {
        uint64_t word = dp_load_relaxed(word_at(pool, *index));
        (*index)++;
        if (is_out(word) && seat_of(word) == seat->index)
            return handle_of(word, *index - 1);
    }
    return 0;
}

uint32_t dp_pool_shared_out(struct dp_pool_shared *pool)
{
    uint32_t count = 0;
    for (uint32_t index = 0; index < pool->record_count; index++)
        count += is_out(dp_load_relaxed(word_at(pool, index)));
    return count;
}
