#include "dp_queue.h"

#include <errno.h>

/* Takes from one lane in a row before the next lane gets its turn: consumers that settle on
 * different lanes do not meet, and no lane waits longer than the others' turns. */
#define LANE_TURNS 16u

#define FETCH_AHEAD 64u /* slots */

/* seat->state: kind in the low two bits, the lane in the next six, above them the lane's count
 * after the take. */
enum { FREE, TAKING, HELD };

static uint64_t state_word(uint64_t kind, uint32_t lane_index, uint64_t end)
{
    return end << 8 | lane_index << 2 | kind;
}

static uint64_t head_word(uint64_t end, const struct dp_queue_seat *seat)
{
    return end << 8 | (seat->index + 1);
}

static_assert(DP_QUEUE_LANES_MAX <= 64, "six bits for the lane");
static_assert(DP_QUEUE_SEATS_MAX < 255, "eight bits for the seat, 0 is none");

static uint64_t lanes_offset(const struct dp_queue_config *config)
{
    return sizeof(struct dp_queue) + config->seat_count * sizeof(struct dp_queue_seat);
}

static uint64_t lane_size(const struct dp_queue_config *config)
{
    return dp_round_up(
        sizeof(struct dp_queue_lane) + config->slot_count * sizeof(uint64_t), DP_QUEUE_PAD);
}

size_t dp_queue_size(const struct dp_queue_config *config)
{
    return lanes_offset(config) + config->lane_count * lane_size(config);
}

static int check(const struct dp_queue_config *config, struct dp_err *err)
{
    if (config->lane_count == 0 || config->lane_count > DP_QUEUE_LANES_MAX)
        return dp_err_set(err, EINVAL, "queue: lane_count: %u; give at least 1, at most %u",
            config->lane_count, DP_QUEUE_LANES_MAX);
    if (config->seat_count == 0 || config->seat_count > DP_QUEUE_SEATS_MAX)
        return dp_err_set(err, EINVAL, "queue: seat_count: %u; give at least 1, at most %u",
            config->seat_count, DP_QUEUE_SEATS_MAX);
    if (!dp_is_power_of_two(config->slot_count) || config->slot_count < 2 ||
        config->slot_count > DP_QUEUE_SLOTS_MAX)
        return dp_err_set(err, EINVAL, "queue: slot_count: %u; give a power of two from 2 to %u",
            config->slot_count, DP_QUEUE_SLOTS_MAX);
    return 0;
}

int dp_queue_init(struct dp_queue *queue, const struct dp_queue_config *config, struct dp_err *err)
{
    int status = check(config, err);
    if (status < 0)
        return status;
    DP_ASSERT((uintptr_t)queue % DP_QUEUE_PAD == 0);

    memset(queue, 0, lanes_offset(config));
    queue->config = *config;
    queue->lane_size = lane_size(config);
    queue->lanes_offset = lanes_offset(config);
    for (uint32_t index = 0; index < config->seat_count; index++) {
        queue->seats[index].index = index;
        queue->seats[index].lane_next = index % config->lane_count;
    }
    for (uint32_t index = 0; index < config->lane_count; index++) {
        struct dp_queue_lane *lane = dp_queue_lane_at(queue, index);
        memset(lane, 0, queue->lane_size);
        lane->slot_mask = config->slot_count - 1;
    }
    return 0;
}

/* Acquire pairs with the release of the owner before us: what it left in its lane or seat is seen.
 */
static bool become_owner(_Atomic uint64_t *owner, uint64_t before, uint64_t now)
{
    DP_ASSERT(now != 0);
    return dp_cas_acquire(owner, &before, now);
}

struct dp_queue_lane *dp_queue_lane_open(struct dp_queue *queue, uint64_t owner)
{
    for (uint32_t index = 0; index < queue->config.lane_count; index++) {
        struct dp_queue_lane *lane = dp_queue_lane_at(queue, index);
        if (become_owner(&lane->owner, 0, owner))
            return lane;
    }
    return NULL;
}

void dp_queue_lane_close(struct dp_queue_lane *lane)
{
    /* Release pairs with become_owner(): head_seen is the next owner's. */
    dp_store_release(&lane->owner, 0);
}

bool dp_queue_lane_adopt(struct dp_queue_lane *lane, uint64_t dead, uint64_t owner)
{
    DP_ASSERT(dead != 0);
    if (!become_owner(&lane->owner, dead, owner))
        return false;
    /* Its last push may be published and not yet counted. */
    uint64_t tail = dp_load_relaxed(&lane->tail);
    while (dp_load_relaxed(&lane->slots[tail & lane->slot_mask]) != 0)
        tail++;
    dp_store_relaxed(&lane->tail, tail);
    return true;
}

struct dp_queue_seat *dp_queue_seat_open(struct dp_queue *queue, uint64_t owner)
{
    for (uint32_t index = 0; index < queue->config.seat_count; index++)
        if (become_owner(&queue->seats[index].owner, 0, owner))
            return &queue->seats[index];
    return NULL;
}

void dp_queue_seat_close(struct dp_queue_seat *seat)
{
    DP_ASSERT(seat->count == 0);
    /* Release pairs with become_owner(): the seat's memory is the next owner's. */
    dp_store_release(&seat->owner, 0);
}

/* Whether a seat whose owner is dead had taken the values that it was about to take. What the dead
 * one did is seen without more: its death was learnt from the kernel. */
static bool had_taken(struct dp_queue *queue, struct dp_queue_seat *seat)
{
    uint64_t state = dp_load_relaxed(&seat->state);
    if ((state & 3) != TAKING)
        return (state & 3) == HELD;
    struct dp_queue_lane *lane = dp_queue_lane_at(queue, state >> 2 & 63);
    /* Acquire pairs with the CAS of whoever moved head beyond `end`: it had confirmed before. */
    if (dp_load_acquire(&lane->head) == head_word(state >> 8, seat))
        return true;
    return (dp_load_relaxed(&seat->state) & 3) == HELD;
}

bool dp_queue_seat_adopt(
    struct dp_queue *queue, struct dp_queue_seat *seat, uint64_t dead, uint64_t owner)
{
    DP_ASSERT(dead != 0);
    if (!become_owner(&seat->owner, dead, owner))
        return false;
    if (had_taken(queue, seat))
        /* Whoever adopts next need not ask the lane again. */
        dp_store_relaxed(&seat->state, (dp_load_relaxed(&seat->state) & ~3ull) | HELD);
    else
        dp_queue_done(seat);
    return true;
}

/* Before head moves on from (end, taker): the taker did take, if it should be asked after death. */
static void confirm(struct dp_queue *queue, uint64_t head, uint32_t lane_index)
{
    struct dp_queue_seat *taker = &queue->seats[(head & 255) - 1];
    uint64_t taking = state_word(TAKING, lane_index, head >> 8);
    if (dp_load_relaxed(&taker->state) == taking)
        /* Fails when the taker went on by itself. */
        dp_cas_relaxed(&taker->state, &taking, state_word(HELD, lane_index, head >> 8));
}

/* The slots of the next takes, while this one waits for its own: without, each take would wait for
 * each line to come over from the producer's core. */
static void fetch_ahead(struct dp_queue_lane *lane, uint64_t from)
{
    for (uint32_t at = 0; at < FETCH_AHEAD; at += DP_CACHE_LINE / sizeof(uint64_t))
        DP_PREFETCH((const void *)&lane->slots[(from + at) & lane->slot_mask]);
}

/* Copies what waits in the lane from `first` on, up to the 0 behind the last value. */
static uint32_t copy(struct dp_queue_lane *lane, uint64_t first, uint64_t values[], uint32_t count)
{
    /* Acquire, here and below, pairs with dp_queue_push(): the push's other values and the 0. */
    values[0] = dp_load_acquire(&lane->slots[first & lane->slot_mask]);
    if (values[0] == 0)
        return 0;
    fetch_ahead(lane, first + count);
    uint32_t copied = 1;
    for (; copied < count; copied++) {
        values[copied] = dp_load_acquire(&lane->slots[(first + copied) & lane->slot_mask]);
        if (values[copied] == 0)
            break;
    }
    return copied;
}

static uint32_t take_from(
    struct dp_queue *queue, struct dp_queue_seat *seat, uint32_t lane_index, uint32_t count)
{
    struct dp_queue_lane *lane = dp_queue_lane_at(queue, lane_index);
    /* Acquire pairs with the CAS below of the last taker: its state, and the slots it saw. */
    uint64_t head = dp_load_acquire(&lane->head);
    count = copy(lane, head >> 8, seat->values, count);
    if (count == 0)
        return 0;
    if ((head & 255) != 0 && (head & 255) != seat->index + 1)
        confirm(queue, head, lane_index);

    seat->count = count;
    uint64_t end = (head >> 8) + count;
    dp_store_relaxed(&seat->state, state_word(TAKING, lane_index, end));
    /* Release pairs with the acquire of head by the producer (our copies are made) and by the next
     * taker (it sees TAKING, and what we confirmed is seen by who sees this head). */
    if (dp_cas_release(&lane->head, &head, head_word(end, seat))) {
        dp_store_relaxed(&seat->state, state_word(HELD, lane_index, end));
        return count;
    }
    dp_queue_done(seat);
    return 0;
}

static void go_to_next_lane(const struct dp_queue *queue, struct dp_queue_seat *seat)
{
    seat->lane_turn = 0;
    seat->lane_next++;
    if (seat->lane_next == queue->config.lane_count)
        seat->lane_next = 0;
}

uint32_t dp_queue_take(struct dp_queue *queue, struct dp_queue_seat *seat, uint32_t count)
{
    DP_CHECK(seat->count == 0 && count != 0 && count <= DP_QUEUE_TAKE_MAX);
    for (uint32_t tried = 0; tried < queue->config.lane_count; tried++) {
        uint32_t taken = take_from(queue, seat, seat->lane_next, count);
        if (taken == 0 || ++seat->lane_turn == LANE_TURNS)
            go_to_next_lane(queue, seat);
        if (taken != 0)
            return taken;
    }
    return 0;
}
