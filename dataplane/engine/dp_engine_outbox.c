#include "dp_engine_outbox.h"

#include <errno.h>

#include "dp_template.h"

static struct dp_ring *open_ring(struct dp_err *err)
{
    size_t size =
        dp_round_up(dp_ring_size(DP_ROUTE_WAITING_MAX, DP_TEMPLATE_FRAME_MAX), DP_CACHE_LINE);
    struct dp_ring *ring = aligned_alloc(DP_CACHE_LINE, size);
    if (ring == NULL) {
        dp_err_set(err, ENOMEM, "order session: no memory for %zu bytes of waiting orders", size);
        return NULL;
    }
    memset(ring, 0, size);
    dp_ring_init(ring, DP_ROUTE_WAITING_MAX, DP_TEMPLATE_FRAME_MAX, err);
    return ring;
}

int dp_engine_outbox_open(struct dp_engine_outbox *outbox, struct dp_err *err)
{
    outbox->orders = open_ring(err);
    outbox->cancels = open_ring(err);
    return outbox->orders == NULL || outbox->cancels == NULL ? -ENOMEM : 0;
}

void dp_engine_outbox_close(struct dp_engine_outbox *outbox)
{
    free(outbox->orders);
    free(outbox->cancels);
    *outbox = (struct dp_engine_outbox){0};
}

bool dp_engine_outbox_put(
    struct dp_ring *ring, const struct dp_packet *packet, uint32_t user_ref_num)
{
    struct dp_ring_slot *slot = dp_ring_reserve(ring);
    if (slot == NULL)
        return false;
    DP_ASSERT(packet->size <= DP_TEMPLATE_FRAME_MAX);
    memcpy(slot->data, packet->data, packet->size);
    slot->size = packet->size;
    slot->tag = user_ref_num;
    slot->time_ns = packet->time_ns;
    dp_ring_publish(ring);
    return true;
}

struct dp_ring_slot *dp_engine_outbox_peek(struct dp_ring *ring)
{
    struct dp_ring_slot *slot = dp_ring_peek(ring);
    while (slot != NULL && slot->size == 0) {
        dp_ring_release(ring);
        slot = dp_ring_peek(ring);
    }
    return slot;
}

bool dp_engine_outbox_take_out(struct dp_ring *ring, uint32_t user_ref_num)
{
    uint64_t tail = dp_load_relaxed(&ring->tail);
    for (uint64_t head = dp_load_relaxed(&ring->head); head != tail; head++) {
        struct dp_ring_slot *slot = dp_ring_slot_at(ring, head);
        if (slot->size == 0 || slot->tag != user_ref_num)
            continue;
        slot->size = 0;
        return true;
    }
    return false;
}

uint32_t dp_engine_outbox_drop(struct dp_ring *ring, uint32_t numbers[DP_ROUTE_WAITING_MAX])
{
    struct dp_ring_slot *slot;
    uint32_t count = 0;
    for (; (slot = dp_engine_outbox_peek(ring)) != NULL; dp_ring_release(ring))
        numbers[count++] = slot->tag;
    return count;
}
