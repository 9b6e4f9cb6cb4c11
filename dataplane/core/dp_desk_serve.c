/* The engine's side of the desks. */
#include "dp_desk_layout.h"

void dp_desks_allow(struct dp_desks *desks, uint16_t strategy_index)
{
    DP_ASSERT(strategy_index < 64);
    dp_fetch_or_release(&desks->strategies, UINT64_C(1) << strategy_index);
}

bool dp_desks_allows(const struct dp_desks *desks, uint16_t strategy_index)
{
    return strategy_index < 64 && (dp_load_relaxed(&desks->strategies) >> strategy_index & 1) != 0;
}

static struct dp_pool_seat *own_seat(struct dp_desks *desks)
{
    return dp_pool_seat_at(dp_desks_pool(desks), desks->config.desk_count);
}

/* ---- requests ---- */

/* A copy, and its record is free again. False for what is no record that is out, and for one that
 * names no desk: some process writes where it should not. */
static bool copy_out(struct dp_desks *desks, uint64_t handle, struct dp_desk_request *request)
{
    struct dp_pool_shared *pool = dp_desks_pool(desks);
    if (!dp_pool_shared_hold(pool, own_seat(desks), handle))
        return false;
    *request = *dp_desks_record(desks, handle);
    dp_pool_shared_give(pool, own_seat(desks), handle);
    return request->desk_index < desks->config.desk_count;
}

uint32_t dp_desks_take(struct dp_desks *desks, struct dp_desk_request *requests, uint32_t count)
{
    struct dp_queue *queue = dp_desks_queue(desks);
    struct dp_queue_seat *seat = &queue->seats[0];
    uint32_t copied = 0;
    while (copied == 0 && dp_queue_take(queue, seat, count) != 0) {
        for (uint32_t at = 0; at < seat->count; at++)
            copied += copy_out(desks, seat->values[at], &requests[copied]);
        dp_queue_done(seat);
    }
    return copied;
}

/* ---- answers ---- */

static void put(struct dp_desks *desks, uint32_t index, const struct dp_desk_answer *answer)
{
    struct dp_desk_place *place = &desks->places[index];
    struct dp_ring *ring = dp_desks_ring(desks, index);
    struct dp_ring_slot *slot = dp_ring_reserve(ring);
    if (DP_UNLIKELY(slot == NULL)) {
        dp_store_relaxed(&place->missed, dp_load_relaxed(&place->missed) + 1);
        return;
    }
    memcpy(slot->data, answer, sizeof(*answer));
    slot->size = sizeof(*answer);
    dp_ring_publish(ring);
}

void dp_desks_answer(struct dp_desks *desks, const struct dp_desk_request *request, uint16_t reason,
    uint32_t user_ref_num)
{
    const struct dp_desk_answer answer = {
        .tag = request->tag, .user_ref_num = user_ref_num, .reason = reason};
    put(desks, request->desk_index, &answer);
}

void dp_desks_tell(struct dp_desks *desks, const struct dp_event *event)
{
    const struct dp_desk_answer answer = {.is_event = true, .event = *event};
    for (uint32_t index = 0; index < desks->config.desk_count; index++)
        /* Acquire pairs with dp_desk_open(): its owner has emptied the ring. */
        if (dp_load_acquire(&desks->places[index].strategy) == event->strategy_index + 1u)
            put(desks, index, &answer);
}

/* ---- desks that were left ---- */

static bool is_empty(struct dp_queue_lane *lane)
{
    uint64_t head = dp_load_relaxed(&lane->head) >> 8;
    return dp_load_acquire(&lane->slots[head & lane->slot_mask]) == 0;
}

/* Its lane is empty and nobody pushes there: what the seat still holds was never pushed. */
static void give_back_held(struct dp_desks *desks, uint32_t index)
{
    struct dp_pool_shared *pool = dp_desks_pool(desks);
    struct dp_pool_seat *seat = dp_pool_seat_at(pool, index);
    uint32_t at = 0;
    uint64_t handle;
    dp_pool_seat_recover(pool, seat, DP_DESK_NAME(index), DP_DESK_NAME(index));
    while ((handle = dp_pool_held(pool, seat, &at)) != 0)
        dp_pool_shared_give(pool, seat, handle);
}

static bool settle(struct dp_desks *desks, uint32_t index)
{
    struct dp_desk_place *place = &desks->places[index];
    struct dp_queue_lane *lane = dp_queue_lane_at(dp_desks_queue(desks), index);
    if (!is_empty(lane))
        return false;
    dp_queue_lane_adopt(lane, DP_DESK_NAME(index), DP_DESK_NAME(index));
    give_back_held(desks, index);
    dp_store_relaxed(&place->strategy, 0);
    /* Release pairs with the next dp_desk_open(). */
    dp_store_release(&place->owner, 0);
    return true;
}

void dp_desks_settle(struct dp_desks *desks)
{
    /* Acquire pairs with leave(), here and for the owner's word below. */
    uint64_t left = dp_load_acquire(&desks->left);
    bool all = true;
    if (DP_LIKELY(left == desks->left_seen))
        return;
    for (uint32_t index = 0; index < desks->config.desk_count; index++)
        if (dp_desk_is_left(dp_load_acquire(&desks->places[index].owner)))
            all = settle(desks, index) && all;
    if (all)
        desks->left_seen = left;
}

void dp_desks_close(struct dp_desks *desks, uint16_t reason)
{
    struct dp_desk_request requests[DP_QUEUE_TAKE_MAX];
    uint32_t count;
    dp_store_relaxed(&desks->over, 1);
    while ((count = dp_desks_take(desks, requests, DP_QUEUE_TAKE_MAX)) != 0)
        for (uint32_t at = 0; at < count; at++)
            dp_desks_answer(desks, &requests[at], reason, 0);
    dp_desks_settle(desks);
}

uint32_t dp_desks_leaked(struct dp_desks *desks)
{
    struct dp_pool_shared *pool = dp_desks_pool(desks);
    uint32_t out = dp_pool_shared_out(pool);
    for (uint32_t index = 0; index < desks->config.desk_count; index++) {
        uint32_t at = 0;
        /* In the hands of a submitter that is still there. */
        while (dp_load_relaxed(&desks->places[index].owner) != 0 &&
            dp_pool_held(pool, dp_pool_seat_at(pool, index), &at) != 0)
            out -= out != 0;
    }
    return out;
}
