#include "dp_desk.h"

#include <errno.h>

#include "dp_desk_layout.h"

/* ---- layout ---- */

static struct dp_queue_config queue_config(const struct dp_desks_config *config)
{
    uint32_t slot_count = 2;
    while (slot_count <= config->waiting_count)
        slot_count *= 2;
    return (struct dp_queue_config){
        .lane_count = config->desk_count, .seat_count = 1, .slot_count = slot_count};
}

/* What may wait in all lanes, one post that is being made at each desk, and what each seat may keep
 * out of reach of the others. */
static uint32_t record_count(const struct dp_desks_config *config)
{
    uint32_t waiting_count = queue_config(config).slot_count - 1;
    return config->desk_count * (waiting_count + DP_DESK_POST_MAX + DP_POOL_BLOCK) + DP_POOL_BLOCK;
}

static void lay_out(struct dp_desks *desks, const struct dp_desks_config *config, size_t *size)
{
    struct dp_queue_config queue = queue_config(config);
    size_t at = sizeof(struct dp_desks) + config->desk_count * sizeof(struct dp_desk_place);
    desks->queue_offset = at = dp_round_up(at, DP_QUEUE_PAD);
    at += dp_queue_size(&queue);
    desks->pool_offset = at = dp_round_up(at, DP_CACHE_LINE);
    at += dp_pool_shared_size(record_count(config), config->desk_count + 1);
    desks->records_offset = at = dp_round_up(at, DP_CACHE_LINE);
    at += record_count(config) * sizeof(struct dp_desk_request);
    desks->rings_offset = at;
    desks->ring_size =
        dp_round_up(dp_ring_size(DP_DESK_ANSWERS, sizeof(struct dp_desk_answer)), DP_CACHE_LINE);
    *size = at + config->desk_count * desks->ring_size;
}

size_t dp_desks_size(const struct dp_desks_config *config)
{
    struct dp_desks header;
    size_t size;
    lay_out(&header, config, &size);
    return size;
}

static int check(const struct dp_desks_config *config, struct dp_err *err)
{
    if (config->desk_count == 0 || config->desk_count > DP_DESKS_MAX)
        return dp_err_set(err, EINVAL, "desks: desk_count: %u; give at least 1, at most %u",
            config->desk_count, DP_DESKS_MAX);
    if (config->waiting_count == 0 || config->waiting_count >= DP_DESK_WAITING_MAX)
        return dp_err_set(err, EINVAL, "desks: waiting_count: %u; give at least 1, at most %u",
            config->waiting_count, DP_DESK_WAITING_MAX - 1);
    return 0;
}

/* Lanes and seats belong to their desk for good; who has the desk stands in its place. */
static int open_parts(struct dp_desks *desks, struct dp_err *err)
{
    const struct dp_desks_config *config = &desks->config;
    struct dp_queue_config queue = queue_config(config);
    int status = dp_queue_init(dp_desks_queue(desks), &queue, err);
    if (status == 0)
        status = dp_pool_shared_init(
            dp_desks_pool(desks), record_count(config), config->desk_count + 1, err);
    for (uint32_t index = 0; index < config->desk_count && status == 0; index++) {
        dp_queue_lane_open(dp_desks_queue(desks), DP_DESK_NAME(index));
        dp_pool_seat_open(dp_desks_pool(desks), DP_DESK_NAME(index));
        status = dp_ring_init(
            dp_desks_ring(desks, index), DP_DESK_ANSWERS, sizeof(struct dp_desk_answer), err);
    }
    if (status < 0)
        return status;
    dp_queue_seat_open(dp_desks_queue(desks), DP_DESK_NAME(config->desk_count));
    dp_pool_seat_open(dp_desks_pool(desks), DP_DESK_NAME(config->desk_count));
    return 0;
}

int dp_desks_init(struct dp_desks *desks, const struct dp_desks_config *config, struct dp_err *err)
{
    size_t size;
    int status = check(config, err);
    if (status < 0)
        return status;
    DP_ASSERT((uintptr_t)desks % DP_QUEUE_PAD == 0);
    memset(desks, 0, sizeof(*desks) + config->desk_count * sizeof(desks->places[0]));
    lay_out(desks, config, &size);
    desks->config = *config;
    return open_parts(desks, err);
}

/* ---- open and leave ---- */

static void leave(struct dp_desks *desks, struct dp_desk_place *place, uint64_t process)
{
    uint64_t open = DP_DESK_OPEN(process);
    /* Release pairs with dp_desks_settle(): what the owner did comes first. */
    if (dp_cas_release(&place->owner, &open, DP_DESK_LEFT(process)))
        dp_fetch_add_release(&desks->left, 1);
}

/* What was theirs is told to the engine; it may be there for the next call. A desk that is LEFT
 * already may be that of one who died before it could say so. */
static void leave_for_the_dead(struct dp_desks *desks, dp_desk_has_ended *has_ended)
{
    for (uint32_t index = 0; index < desks->config.desk_count; index++) {
        uint64_t owner = dp_load_relaxed(&desks->places[index].owner);
        if (dp_desk_is_left(owner))
            dp_fetch_add_release(&desks->left, 1);
        else if (dp_desk_is_open(owner) && has_ended(owner >> 2))
            leave(desks, &desks->places[index], owner >> 2);
    }
}

static struct dp_desk_place *claim(struct dp_desks *desks, uint64_t process)
{
    for (uint32_t index = 0; index < desks->config.desk_count; index++) {
        uint64_t nobody = 0;
        /* Acquire pairs with dp_desks_settle(): lane, seat and ring as the engine left them. */
        if (dp_cas_acquire(&desks->places[index].owner, &nobody, DP_DESK_OPEN(process)))
            return &desks->places[index];
    }
    return NULL;
}

static void take_seat(
    struct dp_desk *desk, struct dp_desks *desks, struct dp_desk_place *place, uint64_t process)
{
    uint32_t index = (uint32_t)(place - desks->places);
    *desk = (struct dp_desk){
        .desks = desks,
        .place = place,
        .lane = dp_queue_lane_at(dp_desks_queue(desks), index),
        .seat = dp_pool_seat_at(dp_desks_pool(desks), index),
        .answers = dp_desks_ring(desks, index),
        .process = process,
        .missed_before = dp_load_relaxed(&place->missed),
        .index = index,
    };
    while (dp_ring_peek(desk->answers) != NULL) /* what the owner before did not read */
        dp_ring_release(desk->answers);
}

int dp_desk_open(struct dp_desk *desk, struct dp_desks *desks, uint16_t strategy_index,
    uint64_t process, dp_desk_has_ended *has_ended, struct dp_err *err)
{
    process &= UINT64_MAX >> 2;
    DP_ASSERT(process != 0);
    if (dp_load_relaxed(&desks->over) != 0)
        return dp_err_set(err, EPIPE, "desk: the run is over; attach to the next one");
    if (!dp_desks_allows(desks, strategy_index))
        return dp_err_set(err, EACCES,
            "desk: strategy %u takes no orders from other processes; give it kind: desk",
            strategy_index);
    leave_for_the_dead(desks, has_ended);
    struct dp_desk_place *place = claim(desks, process);
    if (place == NULL)
        return dp_err_set(
            err, EAGAIN, "desk: all %u are taken; raise desk.submitters", desks->config.desk_count);
    take_seat(desk, desks, place, process);
    desk->strategy_index = strategy_index;
    /* Release pairs with dp_desks_tell(): the ring is ours and empty. */
    dp_store_release(&place->strategy, strategy_index + 1u);
    return 0;
}

void dp_desk_leave(struct dp_desk *desk)
{
    leave(desk->desks, desk->place, desk->process);
}

bool dp_desk_is_over(const struct dp_desk *desk)
{
    return dp_load_relaxed(&desk->desks->over) != 0;
}

/* ---- requests and answers ---- */

static uint64_t fill(const struct dp_desk *desk, const struct dp_desk_request *request)
{
    uint64_t handle = dp_pool_shared_take(dp_desks_pool(desk->desks), desk->seat);
    if (DP_UNLIKELY(handle == 0))
        return 0;
    struct dp_desk_request *record = dp_desks_record(desk->desks, handle);
    *record = *request;
    record->desk_index = desk->index;
    record->strategy_index = desk->strategy_index;
    return handle;
}

uint32_t dp_desk_post(struct dp_desk *desk, const struct dp_desk_request *requests, uint32_t count)
{
    uint64_t handles[DP_DESK_POST_MAX];
    uint32_t filled = 0;
    if (DP_UNLIKELY(dp_desk_is_over(desk)))
        return 0;
    for (; filled < count && filled < DP_DESK_POST_MAX; filled++)
        if ((handles[filled] = fill(desk, &requests[filled])) == 0)
            break;
    uint32_t pushed = filled == 0 ? 0 : dp_queue_push(desk->lane, handles, filled);
    for (uint32_t index = pushed; index < filled; index++)
        dp_pool_shared_give(dp_desks_pool(desk->desks), desk->seat, handles[index]);
    return pushed;
}

bool dp_desk_read(struct dp_desk *desk, struct dp_desk_answer *answer)
{
    struct dp_ring_slot *slot = dp_ring_peek(desk->answers);
    if (slot == NULL)
        return false;
    memcpy(answer, slot->data, sizeof(*answer));
    dp_ring_release(desk->answers);
    return true;
}

uint64_t dp_desk_missed(const struct dp_desk *desk)
{
    return dp_load_relaxed(&desk->place->missed) - desk->missed_before;
}
