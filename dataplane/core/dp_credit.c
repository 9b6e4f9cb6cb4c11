#include "dp_credit.h"

#define LANE_BITS 16
#define LANE_MASK ((UINT64_C(1) << LANE_BITS) - 1)

static int64_t free_of(uint64_t word)
{
    return (int64_t)word >> LANE_BITS;
}

static uint64_t with_free(uint64_t word, int64_t free)
{
    return (uint64_t)free << LANE_BITS | (word & LANE_MASK);
}

/* The intent, the swap. False: another lane moved; *word is what the pool holds now. */
static bool move(struct dp_credit_pool *pool, uint64_t *word, uint32_t lane,
    struct dp_credit_hold *hold, int64_t amount)
{
    uint64_t next = with_free(*word, free_of(*word) - amount) ^ UINT64_C(1) << lane;
    int64_t leased = dp_load_relaxed(&hold->leased) + amount;
    int64_t bit = (int64_t)(next >> lane & 1);
    dp_store_relaxed(&hold->moving, (int64_t)((uint64_t)leased << 2) | bit << 1 | 1);
    /* Release keeps the intent in front of the swap, for a death between the two. */
    return dp_cas_release(&pool->word, word, next);
}

/* Behind the swap. Release keeps leased in front of the end of the move, for the same reason. */
static void settle(struct dp_credit_hold *hold, int64_t amount)
{
    dp_store_relaxed(&hold->leased, dp_load_relaxed(&hold->leased) + amount);
    dp_store_release(&hold->moving, 0);
}

bool dp_credit_lease(struct dp_credit_pool *pool, uint32_t lane, struct dp_credit_hold *hold,
    int64_t *free, int64_t need, int64_t share)
{
    int64_t lack = need - *free;
    int64_t amount;
    uint64_t word = dp_load_relaxed(&pool->word);
    do {
        int64_t room = free_of(word) - lack;
        if (room < 0) {
            dp_store_relaxed(&hold->moving, 0);
            return false;
        }
        amount = lack + room / share;
    } while (!move(pool, &word, lane, hold, amount));
    settle(hold, amount);
    *free += amount;
    return true;
}

void dp_credit_give(struct dp_credit_pool *pool, uint32_t lane, struct dp_credit_hold *hold,
    int64_t *free, int64_t amount)
{
    uint64_t word = dp_load_relaxed(&pool->word);
    *free -= amount; /* first: what is on its way back must not be used */
    while (!move(pool, &word, lane, hold, -amount))
        ;
    settle(hold, -amount);
}

void dp_credit_grow(struct dp_credit_pool *pool, int64_t amount)
{
    uint64_t word = dp_load_relaxed(&pool->word);
    while (!dp_cas_relaxed(&pool->word, &word, with_free(word, free_of(word) + amount)))
        ;
}

void dp_credit_mend(struct dp_credit_pool *pool, uint32_t lane, struct dp_credit_hold *hold,
    int64_t *free, int64_t used)
{
    /* Relaxed: who knows that the owner is dead has it from the kernel, behind all that it did. */
    uint64_t word = dp_load_relaxed(&pool->word);
    int64_t moving = dp_load_relaxed(&hold->moving);
    if (moving != 0 && (moving >> 1 & 1) == (int64_t)(word >> lane & 1))
        dp_store_relaxed(&hold->leased, moving >> 2);
    dp_store_release(&hold->moving, 0); /* behind leased: who mends may die too */
    *free = dp_load_relaxed(&hold->leased) - used;
}
