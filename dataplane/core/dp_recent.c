#include "dp_recent.h"

void dp_recent_add(struct dp_recent *recent, const struct dp_event *event)
{
    uint64_t words[DP_RECENT_WORDS];
    uint64_t number = dp_load_relaxed(&recent->count) + 1;
    struct dp_recent_slot *slot = &recent->slots[number % DP_RECENT_SLOTS];
    memcpy(words, event, sizeof(words));

    dp_store_relaxed(&slot->number, 0);
    /* Release: pairs with the reader's fence. Who sees a word below has seen the mark above. */
    dp_fence_release();
    for (uint32_t index = 0; index < DP_RECENT_WORDS; index++)
        dp_store_relaxed(&slot->words[index], words[index]);
    /* Release: who sees the number sees the event. */
    dp_store_release(&slot->number, number);
    dp_store_release(&recent->count, number);
}

uint64_t dp_recent_count(const struct dp_recent *recent)
{
    return dp_load_acquire(&recent->count);
}

bool dp_recent_read(const struct dp_recent *recent, uint64_t number, struct dp_event *event)
{
    const struct dp_recent_slot *slot = &recent->slots[number % DP_RECENT_SLOTS];
    uint64_t words[DP_RECENT_WORDS];
    if (number == 0 || dp_load_acquire(&slot->number) != number)
        return false;
    for (uint32_t index = 0; index < DP_RECENT_WORDS; index++)
        words[index] = dp_load_relaxed(&slot->words[index]);
    /* Acquire: pairs with the writer's fence. A word of a later event brings its mark along. */
    dp_fence_acquire();
    if (dp_load_relaxed(&slot->number) != number)
        return false;
    memcpy(event, words, sizeof(words));
    return true;
}
