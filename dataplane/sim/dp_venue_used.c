#include "dp_venue_state.h"

static uint32_t home_of(const struct dp_venue *venue, uint64_t order_ref)
{
    return (uint32_t)(order_ref * 0x9e3779b97f4a7c15ull >> 32) & venue->used_mask;
}

/* The slot of that reference, or the empty one where it would go. There always is an empty one. */
static uint32_t slot_of(const struct dp_venue *venue, uint64_t order_ref)
{
    uint32_t slot = home_of(venue, order_ref);
    while (venue->used[slot].qty != 0 && venue->used[slot].order_ref != order_ref)
        slot = (slot + 1) & venue->used_mask;
    return slot;
}

uint32_t dp_venue_used_qty(const struct dp_venue *venue, uint64_t order_ref)
{
    return venue->used_count == 0 ? 0 : venue->used[slot_of(venue, order_ref)].qty;
}

bool dp_venue_used_add(
    struct dp_venue *venue, uint64_t order_ref, uint32_t instrument_index, uint32_t qty)
{
    struct dp_venue_used *used = &venue->used[slot_of(venue, order_ref)];
    if (used->qty == 0) {
        /* A quarter stays empty, so that walks along the table stay short. */
        if (venue->used_count >= venue->used_mask - venue->used_mask / 4)
            return false;
        *used =
            (struct dp_venue_used){.order_ref = order_ref, .instrument_index = instrument_index};
        venue->used_count++;
        venue->instruments[instrument_index].used_count++;
        dp_venue_touch(venue, instrument_index);
    }
    used->qty += qty;
    return true;
}

/* Whether an entry at `slot` may move back to `hole` and still be found from its home. */
static bool may_move(const struct dp_venue *venue, uint32_t slot, uint32_t hole)
{
    uint32_t home = home_of(venue, venue->used[slot].order_ref);
    uint32_t distance_to_slot = (slot - home) & venue->used_mask;
    uint32_t distance_to_hole = (hole - home) & venue->used_mask;
    return distance_to_hole <= distance_to_slot;
}

void dp_venue_used_drop(struct dp_venue *venue, uint64_t order_ref)
{
    if (venue->used_count == 0)
        return;
    uint32_t hole = slot_of(venue, order_ref);
    if (venue->used[hole].qty == 0)
        return;
    uint32_t instrument_index = venue->used[hole].instrument_index;

    uint32_t slot = hole;
    for (;;) {
        slot = (slot + 1) & venue->used_mask;
        if (venue->used[slot].qty == 0)
            break;
        if (may_move(venue, slot, hole)) {
            venue->used[hole] = venue->used[slot];
            hole = slot;
        }
    }
    venue->used[hole].qty = 0;
    venue->used_count--;
    venue->instruments[instrument_index].used_count--;
    dp_venue_touch(venue, instrument_index);
}
