#include "dp_epoch.h"

size_t dp_epoch_size(uint32_t slot_count)
{
    return sizeof(struct dp_epoch) + slot_count * sizeof(struct dp_epoch_slot);
}

void dp_epoch_init(struct dp_epoch *epoch, uint32_t slot_count)
{
    DP_ASSERT((uintptr_t)epoch % DP_CACHE_LINE == 0);
    DP_ASSERT(slot_count >= 1 && slot_count <= DP_EPOCH_SLOTS_MAX);
    epoch->slot_count = slot_count;
}

uint32_t dp_epoch_join(struct dp_epoch *epoch, uint64_t owner)
{
    DP_ASSERT(owner != 0);
    for (uint32_t slot = 0; slot < epoch->slot_count; slot++) {
        uint64_t nobody = 0;
        /* Acquire: pairs with the release in leave and bury; the slot is clean. */
        if (dp_cas_acquire(&epoch->slots[slot].owner, &nobody, owner))
            return slot;
    }
    return DP_EPOCH_NONE;
}

void dp_epoch_leave(struct dp_epoch *epoch, uint32_t slot)
{
    DP_ASSERT(dp_load_relaxed(&epoch->slots[slot].seen) == 0);
    dp_store_release(&epoch->slots[slot].owner, 0); /* pairs with dp_epoch_join() */
}

uint32_t dp_epoch_advance(struct dp_epoch *epoch)
{
    uint64_t now = dp_load_relaxed(&epoch->now);
    dp_fence_seq_cst(); /* pairs with the one in dp_epoch_enter() */
    for (uint32_t slot = 0; slot < epoch->slot_count; slot++) {
        /* Acquire: pairs with dp_epoch_exit(). */
        uint64_t seen = dp_load_acquire(&epoch->slots[slot].seen);
        if (seen != 0 && seen != 2 * now + 1)
            return slot;
    }
    /* Release: hands on what the loads above acquired, besides what earlier changes of `now` did.
     * Who fails was late: another one has moved on. */
    dp_cas_release(&epoch->now, &now, now + 1);
    return DP_EPOCH_NONE;
}

bool dp_epoch_inherit(
    struct dp_epoch *epoch, uint32_t slot, uint64_t heir, dp_epoch_is_dead is_dead, void *context)
{
    struct dp_epoch_slot *one = &epoch->slots[slot];
    uint64_t owner = dp_load_relaxed(&one->owner);
    if (owner == 0 || !is_dead(context, owner))
        return false;
    uint64_t former = dp_load_relaxed(&one->heir);
    if (former != 0 && !is_dead(context, former))
        return false;
    /* Acquire: pairs with the release in bury; a former heir is through. */
    if (!dp_cas_acquire(&one->heir, &former, heir))
        return false;
    if (dp_load_relaxed(&one->owner) == owner)
        return true;
    dp_store_relaxed(&one->heir, 0); /* it was buried meanwhile, and may have a new owner */
    return false;
}

void dp_epoch_bury(struct dp_epoch *epoch, uint32_t slot)
{
    struct dp_epoch_slot *one = &epoch->slots[slot];
    dp_store_release(&one->seen, 0);
    dp_store_release(&one->owner, 0); /* pairs with dp_epoch_join() */
    dp_store_release(&one->heir, 0);  /* pairs with dp_epoch_inherit() */
}
