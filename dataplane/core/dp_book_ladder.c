#include "dp_book_layout.h"

/* Laid anew, a window has room for this many ticks of improvement, */
#define RUNGS_BETTER 64u
/* and while the best level hangs between these it is let be. */
#define CENTRE_FIRST 16u
#define CENTRE_LAST 112u
/* Levels opened outside before it is looked at again: what laying costs is spread over them. */
#define PATIENCE 8u
/* What rungs are apart unless enough prices say otherwise: a cent. */
#define TICK_DEFAULT 10000000u
#define TICK_WITNESSES 8u
/* Steps of a walk before a search is the better way. */
#define WALK_MAX 96u
#define NO_BIT UINT32_MAX

static int64_t rank_of(
    const struct dp_skiplist *list, const struct dp_skiplist_pool *pool, uint32_t level)
{
    return dp_load_relaxed(&pool->levels[level].price_nanos) ^ list->flip;
}

/* The bucket of that rank; DP_BOOK_BUCKETS or above when it has none. */
static uint64_t bucket_of(const struct dp_book *book, uint32_t side_index, int64_t rank)
{
    uint64_t ticks = dp_book_ladder_ticks(&book->window, side_index, rank);
    return book->window.tick == 0 ? DP_BOOK_BUCKETS : dp_book_ladder_bucket(ticks);
}

/* A level of that rank came (1) or went (-1): counts it if it is better than the window. */
static void count_before(struct dp_book *book, uint32_t side_index, int64_t rank, uint32_t change)
{
    _Atomic uint32_t *count = &dp_book_side(book, side_index)->before_count;
    if (book->window.tick != 0 && rank < book->window.first_ranks[side_index])
        dp_store_release(count, dp_load_relaxed(count) + change);
}

/* The highest set bit below `end`. */
static uint32_t bit_below(const uint64_t *words, uint32_t end)
{
    uint32_t word = end / 64;
    uint64_t bits = end % 64 == 0 ? 0 : words[word] & ((1ull << end % 64) - 1);
    while (bits == 0 && word > 0)
        bits = words[--word];
    return bits == 0 ? NO_BIT : word * 64 + 63 - (uint32_t)__builtin_clzll(bits);
}

/* ---- hanging levels where they belong ---- */

static void hang_on_rung(struct dp_book *book, uint32_t side_index, uint32_t rung,
    struct dp_skiplist_level *level, uint32_t number)
{
    struct dp_book_side *side = dp_book_side(book, side_index);
    dp_store_release(dp_book_rung(book, side_index, rung), number);
    side->hung[rung / 64] |= 1ull << rung % 64;
    level->mark_word = (uint8_t)DP_BOOK_MARK_WORD(side_index, rung);
    level->mark_bit = rung % 64;
    dp_book_set_occupied(book, level, dp_load_relaxed(&level->order_count) != 0);
}

static void hang_in_bucket(struct dp_book_side *side, const struct dp_skiplist_pool *pool,
    uint64_t bucket, int64_t rank, uint32_t number)
{
    uint32_t *first = &side->buckets[bucket];
    if (*first == DP_SKIPLIST_NONE || rank < rank_of(&side->list, pool, *first))
        *first = number;
    side->filled[bucket / 64] |= 1ull << bucket % 64;
}

static void hang(
    struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool, uint32_t number)
{
    struct dp_book_side *side = dp_book_side(book, side_index);
    int64_t rank = rank_of(&side->list, pool, number);
    uint64_t rung = dp_book_ladder_rung(&book->window, side_index, rank);
    if (DP_LIKELY(rung < DP_BOOK_RUNGS)) {
        hang_on_rung(book, side_index, (uint32_t)rung, &pool->levels[number], number);
        return;
    }
    uint64_t bucket = bucket_of(book, side_index, rank);
    pool->levels[number].mark_word = DP_BOOK_MARK_NONE;
    if (bucket < DP_BOOK_BUCKETS)
        hang_in_bucket(side, pool, bucket, rank, number);
    count_before(book, side_index, rank, 1);
}

/* One of a bucket goes: the next level is its first, if it is of the same bucket. */
static void drop_from_bucket(struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_pool *pool, uint64_t bucket, uint32_t number)
{
    struct dp_book_side *side = dp_book_side(book, side_index);
    if (side->buckets[bucket] != number)
        return;
    uint32_t next = dp_skiplist_worse(pool, number);
    if (next != DP_SKIPLIST_NONE &&
        bucket_of(book, side_index, rank_of(&side->list, pool, next)) != bucket)
        next = DP_SKIPLIST_NONE;
    side->buckets[bucket] = next;
    if (next == DP_SKIPLIST_NONE)
        side->filled[bucket / 64] &= ~(1ull << bucket % 64);
}

/* ---- the windows ---- */

static uint64_t common_tick(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The widest tick that `tick` and all levels of the side within its window share. */
static uint64_t tick_with(uint64_t tick, const struct dp_book_side *side,
    const struct dp_skiplist_pool *pool, uint32_t *witnesses)
{
    uint32_t level = dp_skiplist_best(&side->list);
    int64_t best_rank = level == DP_SKIPLIST_NONE ? 0 : rank_of(&side->list, pool, level);
    for (; level != DP_SKIPLIST_NONE; level = dp_skiplist_worse(pool, level)) {
        uint64_t away = (uint64_t)rank_of(&side->list, pool, level) - (uint64_t)best_rank;
        if (tick != 0 && away / DP_BOOK_RUNGS >= tick)
            break;
        tick = common_tick(tick, away);
        ++*witnesses;
    }
    return tick;
}

/* The tick for both sides; 0 when there is none. */
static uint32_t tick_of(const struct dp_book *book, const struct dp_skiplist_pool *pool)
{
    uint32_t witnesses = 0;
    uint64_t tick = tick_with(0, dp_book_side(book, 0), pool, &witnesses);
    tick = tick_with(tick, dp_book_side(book, 1), pool, &witnesses);
    if (witnesses < TICK_WITNESSES || tick > UINT32_MAX)
        tick = common_tick(tick, TICK_DEFAULT);
    return tick > 1 ? (uint32_t)tick : 0;
}

static void unhang(struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool)
{
    struct dp_book_side *side = dp_book_side(book, side_index);
    for (uint32_t word = 0; word < DP_BOOK_RUNG_WORDS; word++) {
        for (uint64_t bits = side->hung[word]; bits != 0; bits &= bits - 1) {
            uint32_t at = word * 64 + (uint32_t)__builtin_ctzll(bits);
            _Atomic uint32_t *rung = dp_book_rung(book, side_index, at);
            pool->levels[dp_load_relaxed(rung)].mark_word = DP_BOOK_MARK_NONE;
            dp_store_release(rung, DP_SKIPLIST_NONE);
        }
        side->hung[word] = 0;
    }
    for (uint32_t word = 0; word < DP_BOOK_BUCKETS / 64; word++) {
        for (uint64_t bits = side->filled[word]; bits != 0; bits &= bits - 1)
            side->buckets[word * 64 + (uint32_t)__builtin_ctzll(bits)] = DP_SKIPLIST_NONE;
        side->filled[word] = 0;
    }
}

/* Nothing hangs anywhere. With a tick of 0 no price is on a rung: its rank would have to be 0. */
static void take_down(struct dp_book *book, struct dp_skiplist_pool *pool)
{
    struct dp_book_window *window = &book->window;
    dp_book_sweep(book, pool);
    unhang(book, 0, pool);
    unhang(book, 1, pool);
    for (uint32_t word = 0; word < 2 * DP_BOOK_RUNG_WORDS; word++)
        dp_store_release(&book->occupied[word], 0);
    for (uint32_t side_index = 0; side_index < 2; side_index++) {
        window->first_ranks[side_index] = 0;
        dp_store_release(&dp_book_side(book, side_index)->before_count, 0);
    }
    window->inverse = 0;
    window->tick = 0;
}

/* The best price of a side, or else of the other one. */
static int64_t centre_of(
    const struct dp_book *book, uint32_t side_index, const struct dp_skiplist_pool *pool)
{
    uint32_t level = dp_skiplist_best(&dp_book_side(book, side_index)->list);
    if (level == DP_SKIPLIST_NONE)
        level = dp_skiplist_best(&dp_book_side(book, 1 - side_index)->list);
    return dp_load_relaxed(&pool->levels[level].price_nanos);
}

/* Lays both windows around the touch; there must be a level. */
static void lay(struct dp_book *book, struct dp_skiplist_pool *pool)
{
    struct dp_book_window *window = &book->window;
    take_down(book, pool);
    uint32_t tick = tick_of(book, pool);
    if (tick == 0)
        return;
    window->tick = tick;
    window->inverse = UINT64_MAX / tick + 1;
    for (uint32_t side_index = 0; side_index < 2; side_index++) {
        int64_t centre = centre_of(book, side_index, pool) ^ dp_book_flip(side_index);
        window->first_ranks[side_index] =
            (int64_t)((uint64_t)centre - (uint64_t)RUNGS_BETTER * tick);
        uint32_t level = dp_skiplist_best(&dp_book_side(book, side_index)->list);
        for (; level != DP_SKIPLIST_NONE; level = dp_skiplist_worse(pool, level))
            hang(book, side_index, pool, level);
    }
}

static bool is_centred(
    const struct dp_book *book, uint32_t side_index, const struct dp_skiplist_pool *pool)
{
    uint32_t best = dp_book_side_first(book, side_index);
    int64_t rank = rank_of(&dp_book_side(book, side_index)->list, pool, best);
    uint64_t rung = dp_book_ladder_rung(&book->window, side_index, rank);
    return rung >= CENTRE_FIRST && rung <= CENTRE_LAST;
}

/* Whether a level of that rank may not stand in the list: inside the window, but on no tick. */
static bool breaks_window(const struct dp_book *book, uint32_t side_index, int64_t rank)
{
    return book->window.tick != 0 &&
        dp_book_ladder_ticks(&book->window, side_index, rank) < DP_BOOK_RUNGS &&
        dp_book_ladder_rung(&book->window, side_index, rank) >= DP_BOOK_RUNGS;
}

/* ---- levels ---- */

/* From `level`, which is not worse than rank, to the last one that is not. False: too far. */
static bool walk(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool, int64_t rank,
    uint32_t *level)
{
    for (uint32_t steps = 0; steps < WALK_MAX; steps++) {
        uint32_t next = dp_skiplist_worse(pool, *level);
        if (next == DP_SKIPLIST_NONE || rank_of(list, pool, next) > rank)
            return true;
        *level = next;
    }
    return false;
}

/* The best level of the bucket, or of the next better one, or the last one in the window. */
static uint32_t start_of(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_pool *pool, uint64_t bucket, int64_t rank)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    uint32_t level = side->buckets[bucket];
    if (level != DP_SKIPLIST_NONE && rank_of(&side->list, pool, level) <= rank)
        return level;
    uint32_t better = bit_below(side->filled, (uint32_t)bucket);
    if (better != NO_BIT)
        return side->buckets[better];
    uint32_t rung = bit_below(side->hung, DP_BOOK_RUNGS);
    return rung == NO_BIT ? DP_SKIPLIST_NONE
                          : dp_load_relaxed(dp_book_rung(book, side_index, rung));
}

uint32_t dp_book_side_find_far(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_pool *pool, int64_t price_nanos, uint32_t *before)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    int64_t rank = price_nanos ^ dp_book_flip(side_index);
    uint64_t bucket = bucket_of(book, side_index, rank);
    uint32_t level = bucket < DP_BOOK_BUCKETS ? start_of(book, side_index, pool, bucket, rank)
                                              : DP_SKIPLIST_NONE;
    if (level == DP_SKIPLIST_NONE || !walk(&side->list, pool, rank, &level))
        return dp_skiplist_seek(&side->list, pool, price_nanos, before);
    *before = level;
    return rank_of(&side->list, pool, level) == rank ? level : DP_SKIPLIST_NONE;
}

uint32_t dp_book_side_better_rung(const struct dp_book_side *side, uint32_t rung)
{
    return bit_below(side->hung, rung);
}

/* The next better level of a price on that rung. */
static uint32_t better_than_rung(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_pool *pool, uint32_t rung, int64_t price_nanos)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    uint32_t better = bit_below(side->hung, rung);
    uint32_t before = DP_SKIPLIST_NONE;
    if (DP_LIKELY(better != NO_BIT))
        return dp_load_relaxed(dp_book_rung(book, side_index, better));
    if (dp_load_relaxed(&side->before_count) != 0)
        dp_skiplist_seek(&side->list, pool, price_nanos, &before);
    return before;
}

static uint32_t open_on_rung(struct dp_book *book, uint32_t side_index,
    struct dp_skiplist_pool *pool, uint32_t rung, int64_t price_nanos)
{
    struct dp_skiplist *list = &dp_book_side(book, side_index)->list;
    uint32_t before = better_than_rung(book, side_index, pool, rung, price_nanos);
    uint32_t level = dp_skiplist_insert_behind(list, pool, price_nanos, before, true);
    hang_on_rung(book, side_index, rung, &pool->levels[level], level);
    return level;
}

static uint32_t open_far(struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t before)
{
    struct dp_skiplist *list = &dp_book_side(book, side_index)->list;
    if (DP_UNLIKELY(breaks_window(book, side_index, price_nanos ^ list->flip))) {
        take_down(book, pool);
        before = DP_BOOK_BEFORE_UNKNOWN;
    }
    if (before == DP_BOOK_BEFORE_UNKNOWN)
        dp_book_side_find_far(book, side_index, pool, price_nanos, &before);
    uint32_t level = dp_skiplist_insert_behind(list, pool, price_nanos, before, false);
    hang(book, side_index, pool, level);
    if (book->window.patience-- == 0) {
        book->window.patience = PATIENCE;
        if (!is_centred(book, side_index, pool))
            lay(book, pool);
    }
    return level;
}

uint32_t dp_book_side_open(struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t before)
{
    int64_t rank = price_nanos ^ dp_book_flip(side_index);
    uint64_t rung = dp_book_ladder_rung(&book->window, side_index, rank);
    return DP_LIKELY(rung < DP_BOOK_RUNGS)
        ? open_on_rung(book, side_index, pool, (uint32_t)rung, price_nanos)
        : open_far(book, side_index, pool, price_nanos, before);
}

void dp_book_side_close(
    struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool, uint32_t level)
{
    struct dp_book_side *side = dp_book_side(book, side_index);
    int64_t rank = rank_of(&side->list, pool, level);
    uint64_t bucket = bucket_of(book, side_index, rank);
    if (bucket < DP_BOOK_BUCKETS)
        drop_from_bucket(book, side_index, pool, bucket, level);
    count_before(book, side_index, rank, UINT32_MAX);
    dp_skiplist_remove(&side->list, pool, level);
}

/* The levels that hang on the rungs of a word; they may not have been looked at for long. Inline,
 * or gcc 12 takes it for a function without effect. */
static inline __attribute__((always_inline)) void prefetch_levels(
    const struct dp_skiplist_pool *pool, const _Atomic uint32_t *first, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1)
        DP_PREFETCH_WRITE(&pool->levels[dp_load_relaxed(&first[2 * __builtin_ctzll(bits)])]);
}

static void sweep_side(struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool)
{
    struct dp_book_side *side = dp_book_side(book, side_index);
    const _Atomic uint64_t *occupied = &book->occupied[side_index * DP_BOOK_RUNG_WORDS];
    for (uint32_t word = 0; word < DP_BOOK_RUNG_WORDS; word++) {
        uint64_t empty = side->hung[word] & ~dp_load_relaxed(&occupied[word]);
        prefetch_levels(pool, dp_book_rung(book, side_index, word * 64), side->hung[word]);
        side->hung[word] &= ~empty;
        for (; empty != 0; empty &= empty - 1) {
            uint32_t at = word * 64 + (uint32_t)__builtin_ctzll(empty);
            _Atomic uint32_t *rung = dp_book_rung(book, side_index, at);
            dp_skiplist_remove(&side->list, pool, dp_load_relaxed(rung));
            dp_store_release(rung, DP_SKIPLIST_NONE);
        }
    }
}

void dp_book_sweep(struct dp_book *book, struct dp_skiplist_pool *pool)
{
    sweep_side(book, 0, pool);
    sweep_side(book, 1, pool);
}

void dp_book_ladder_clear(struct dp_book *book, struct dp_skiplist_pool *pool)
{
    take_down(book, pool);
    for (uint32_t side_index = 0; side_index < 2; side_index++) {
        struct dp_skiplist *list = &dp_book_side(book, side_index)->list;
        uint32_t level;
        while ((level = dp_skiplist_best(list)) != DP_SKIPLIST_NONE)
            dp_skiplist_remove(list, pool, level);
    }
    book->window.patience = 0;
}

uint32_t dp_book_side_level_count(const struct dp_book *book, uint32_t side_index)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    const _Atomic uint64_t *occupied = &book->occupied[side_index * DP_BOOK_RUNG_WORDS];
    uint32_t count = side->list.level_count;
    for (uint32_t word = 0; word < DP_BOOK_RUNG_WORDS; word++)
        count -=
            (uint32_t)__builtin_popcountll(side->hung[word] & ~dp_load_relaxed(&occupied[word]));
    return count;
}
