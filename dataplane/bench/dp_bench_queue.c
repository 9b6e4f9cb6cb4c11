#include "dp_bench_queue.h"

#include "dp_bench_team.h"
#include "dp_queue.h"

static void produce(void *context)
{
    struct dp_bench_queue_part *part = context;
    struct dp_queue_lane *lane = dp_queue_lane_open(part->queue, 1);
    uint32_t batch = part->work->batch;
    uint64_t values[DP_QUEUE_TAKE_MAX];
    for (uint64_t sent = 0; sent < part->work->count; sent += batch) {
        for (uint32_t at = 0; at < batch; at++)
            values[at] = sent + at + 1;
        uint32_t tries = 0;
        for (uint32_t stored = 0; stored < batch;) {
            uint32_t more = dp_queue_push(lane, values + stored, batch - stored);
            stored += more;
            if (more == 0)
                dp_bench_team_wait(tries++);
        }
    }
    dp_fetch_add_relaxed(part->producing, -1u);
}

static void consume(void *context)
{
    struct dp_bench_queue_part *part = context;
    struct dp_queue_seat *seat = dp_queue_seat_open(part->queue, 1);
    uint64_t sum = 0;
    for (uint32_t tries = 0;;) {
        bool is_last = dp_load_relaxed(part->producing) == 0;
        if (dp_queue_take(part->queue, seat, part->work->batch) == 0) {
            if (is_last)
                break;
            dp_bench_team_wait(tries++);
            continue;
        }
        for (uint32_t at = 0; at < seat->count; at++)
            sum += seat->values[at];
        dp_queue_done(seat);
        tries = 0;
    }
    part->sum = sum;
}

int64_t dp_bench_queue_run(const struct dp_bench_queue_work *work, void *queue,
    void (*produce_one)(void *part), void (*consume_one)(void *part))
{
    _Atomic uint32_t producing = work->pair_count;
    struct dp_bench_queue_part parts[DP_BENCH_TEAM_MAX];
    struct dp_bench_member members[DP_BENCH_TEAM_MAX];
    for (uint32_t index = 0; index < 2 * work->pair_count; index++) {
        bool produces = index < work->pair_count;
        parts[index] =
            (struct dp_bench_queue_part){.work = work, .queue = queue, .producing = &producing};
        members[index] = (struct dp_bench_member){
            .work = produces ? produce_one : consume_one,
            .context = &parts[index],
            .core = produces ? index : index - work->pair_count + 1,
        };
    }
    int64_t ns = dp_bench_team_run(members, 2 * work->pair_count);
    uint64_t sum = 0;
    for (uint32_t index = work->pair_count; index < 2 * work->pair_count; index++)
        sum += parts[index].sum;
    DP_ASSERT(sum == work->pair_count * (work->count * (work->count + 1) / 2));
    return ns;
}

int64_t dp_bench_queue_ours(const struct dp_bench_queue_work *work)
{
    const struct dp_queue_config config = {.lane_count = work->pair_count,
        .seat_count = work->pair_count,
        .slot_count = DP_BENCH_QUEUE_SLOTS};
    struct dp_queue *queue =
        aligned_alloc(DP_QUEUE_PAD, dp_round_up(dp_queue_size(&config), DP_QUEUE_PAD));
    DP_ASSERT(queue != NULL && dp_queue_init(queue, &config, NULL) == 0);

    int64_t ns = dp_bench_queue_run(work, queue, produce, consume);
    free(queue);
    return ns;
}
