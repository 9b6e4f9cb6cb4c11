/*
 * Several submitters of one account, as processes that are killed at any instruction and as
 * threads.
 *
 *     test_risk_lanes [SEED [SECONDS]]
 *
 * Each lane logs what it does to an order before it does it, as the journal is written before the
 * table, and adds what passed the gate to a count that all share: that count may never be above the
 * limit. A lane whose process was killed is recovered from its log, and goes on in a new process.
 * In the end every lane's orders are ended, and nothing may be reserved or missing.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "risk_bench.h"

enum { LANES = 3, NUMBERS_MAX = 16384, EVENTS_MAX = 4 * NUMBERS_MAX };

#define SHARES_MAX INT64_C(2000) /* of the account, at 10.00, and of the instrument */

struct lane {
    _Atomic uint32_t event_count; /* logged; the last one's effect may be missing */
    _Atomic uint32_t refused;
    _Atomic uint32_t passed;
    struct dp_event events[EVENTS_MAX];
};

struct world {
    struct lane lanes[LANES];
    _Atomic int64_t open; /* shares of orders that passed and were not seen to end, all lanes */
    _Atomic uint32_t breaches;
    _Atomic uint32_t stop;
};

static struct world *world;
static struct dp_risk *risk;
static uint64_t seed = 1;
static double seconds = 2;

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static struct dp_risk_group_limits group_limits(void)
{
    return (struct dp_risk_group_limits){
        .order_qty_max = 1000,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .gross_max_nanos = DP_RISK_UNLIMITED,
        .net_max_nanos = DP_RISK_UNLIMITED,
        .open_order_count_max = 1000,
        .open_max_nanos = SHARES_MAX * 10 * DOLLAR,
        .entered_max_nanos = DP_RISK_UNLIMITED,
        .message_floor = DP_RISK_UNLIMITED,
        .order_rate_max = DP_RISK_UNLIMITED,
        .order_burst_max = DP_RISK_UNLIMITED,
        .has_policy = true,
    };
}

static void open_world(void)
{
    const struct dp_risk_config config = {
        .instrument_count_max = 1,
        .strategy_count_max = LANES,
        .account_count_max = 1,
        .lane_count_max = LANES,
    };
    world = shared(sizeof(*world));
    risk = shared(dp_round_up(dp_risk_size(&config), 4096));
    CHECK_EQUAL(dp_risk_init(risk, &config, NULL), 0);
    struct dp_risk_group_limits group = group_limits();
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &group, NULL), 0);
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &group, NULL), 0);
    struct dp_risk_instrument_limits instrument = unlimited_instrument();
    instrument.position_max = SHARES_MAX;
    CHECK_EQUAL(dp_risk_set_instrument(risk, 0, &instrument, NULL), 0);
    for (uint16_t lane = 0; lane < LANES; lane++) {
        struct dp_risk_strategy_limits strategy = unlimited_strategy();
        strategy.lane = lane;
        CHECK_EQUAL(dp_risk_set_strategy(risk, lane, &strategy, NULL), 0);
    }
}

static void close_world(void)
{
    const struct dp_risk_config *config = dp_risk_config(risk);
    munmap(risk, dp_round_up(dp_risk_size(config), 4096));
    munmap(world, sizeof(*world));
}

/* ---- one lane ---- */

static struct dp_orders *make_table(void)
{
    const struct dp_orders_config config = {
        .order_count_max = NUMBERS_MAX, .exec_count_max = NUMBERS_MAX, .user_ref_num_first = 1};
    struct dp_orders *orders =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_orders_size(&config), DP_CACHE_LINE));
    CHECK_EQUAL(dp_orders_init(orders, &config, NULL), 0);
    return orders;
}

/* What the journal gives after a death. */
static struct dp_orders *table_from_log(const struct lane *lane)
{
    struct dp_orders *orders = make_table();
    for (uint32_t index = 0; index < dp_load_acquire(&lane->event_count); index++) {
        struct dp_event event = lane->events[index];
        dp_orders_apply(orders, &event);
    }
    return orders;
}

static void log_event(struct lane *lane, const struct dp_event *event)
{
    uint32_t count = dp_load_relaxed(&lane->event_count);
    lane->events[count] = *event;
    dp_store_release(&lane->event_count, count + 1);
}

static void try_new(uint32_t lane_index, struct dp_orders *orders, uint64_t *random)
{
    struct lane *lane = &world->lanes[lane_index];
    struct dp_risk_order order =
        with_terms(DP_SIDE_BUY, 1 + check_random(random) % 300, 10 * DOLLAR);
    order.strategy_index = (uint16_t)lane_index;
    if (decide(risk, &order) != DP_REASON_ACCEPTED) {
        dp_fetch_add_relaxed(&lane->refused, 1);
        return;
    }
    struct dp_event event = {
        .kind = DP_EVENT_NEW,
        .user_ref_num = dp_orders_next(orders),
        .qty = order.qty,
        .price_nanos = order.price_nanos,
        .side = order.side,
        .strategy_index = order.strategy_index,
    };
    log_event(lane, &event);
    int64_t open = dp_fetch_add_relaxed(&world->open, (int64_t)order.qty) + (int64_t)order.qty;
    if (open > SHARES_MAX)
        dp_fetch_add_relaxed(&world->breaches, 1);
    dp_orders_apply(orders, &event);
    dp_fetch_add_relaxed(&lane->passed, 1);
}

/* The shared count goes down first: it is never above what is reserved. */
static void end_one(uint32_t lane_index, struct dp_orders *orders, const struct dp_order *order)
{
    struct dp_event event = {.kind = DP_EVENT_EXPIRED, .user_ref_num = order->user_ref_num};
    struct dp_risk_weight before = dp_risk_weigh(order);
    dp_fetch_add_relaxed(&world->open, -(int64_t)before.leaves);
    log_event(&world->lanes[lane_index], &event);
    dp_orders_apply(orders, &event);
    dp_risk_apply(risk, order, &before);
}

static void end_some(
    uint32_t lane_index, struct dp_orders *orders, uint32_t one_in, uint64_t *random)
{
    uint32_t count = dp_orders_count(orders);
    for (uint32_t back = 1; back <= count && back <= 64; back++) {
        const struct dp_order *order = dp_orders_at(orders, count - back);
        if (dp_order_is_live(order) && check_random(random) % one_in == 0)
            end_one(lane_index, orders, order);
    }
}

/* Until it is told to stop, or the log is nearly full. */
static void run_lane(uint32_t lane_index, struct dp_orders *orders, uint64_t lane_seed)
{
    uint64_t random = lane_seed;
    while (dp_load_relaxed(&world->stop) == 0 && dp_orders_next(orders) != 0 &&
        dp_load_relaxed(&world->lanes[lane_index].event_count) < EVENTS_MAX - 200) {
        try_new(lane_index, orders, &random);
        if (check_random(&random) % 4 == 0)
            end_some(lane_index, orders, 2, &random);
    }
}

static void drain_lane(uint32_t lane_index, struct dp_orders *orders)
{
    for (uint32_t index = 0; index < dp_orders_count(orders); index++)
        if (dp_order_is_live(dp_orders_at(orders, index)))
            end_one(lane_index, orders, dp_orders_at(orders, index));
}

static void check_drained(void)
{
    CHECK_THAT(
        dp_load_relaxed(&world->breaches) == 0, "seed %" PRIu64 ": the limit was passed", seed);
    for (uint16_t lane = 0; lane < LANES; lane++) {
        struct dp_risk_exposure exposure = dp_risk_exposure(risk, lane);
        CHECK(exposure.buy_open == 0 && exposure.open_order_count == 0);
    }
    CHECK_EQUAL(dp_risk_position(risk, 0).buy_leaves, 0);
    CHECK(dp_risk_conserves(risk));
}

/* ---- processes ---- */

static pid_t start(uint32_t lane_index, uint64_t lane_seed)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct dp_orders *orders = table_from_log(&world->lanes[lane_index]);
    run_lane(lane_index, orders, lane_seed);
    pause(); /* done: waits to be killed like any other */
    _exit(0);
}

static void recover(uint32_t lane_index)
{
    struct dp_orders *orders = table_from_log(&world->lanes[lane_index]);
    dp_risk_recover(risk, lane_index, orders);
    int64_t leaves = 0;
    for (uint32_t index = 0; index < dp_orders_count(orders); index++)
        leaves += (int64_t)dp_risk_weigh(dp_orders_at(orders, index)).leaves;
    struct dp_risk_exposure exposure = dp_risk_exposure(risk, (uint16_t)lane_index);
    CHECK_THAT(exposure.buy_open == (dp_money_nanos)leaves * 10 * DOLLAR,
        "seed %" PRIu64 ": lane %u reserves something else than its orders", seed, lane_index);
    free(orders);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void kill_and_replace(pid_t *pids, uint64_t *random)
{
    uint32_t victim = (uint32_t)(check_random(random) % LANES);
    usleep((useconds_t)(check_random(random) % 500));
    kill(pids[victim], SIGKILL);
    waitpid(pids[victim], NULL, 0);
    recover(victim);
    pids[victim] = start(victim, check_random(random));
}

static bool has_room(void)
{
    for (uint32_t lane = 0; lane < LANES; lane++)
        if (dp_load_relaxed(&world->lanes[lane].passed) >= NUMBERS_MAX - 2000)
            return false;
    return true;
}

/* A lane that is killed between the count and its log leaves the count wrong. Too low, it may hide
 * a breach of a few; too high it would cry where none is: so an order is counted off before its end
 * is logged, and counted on only when it is logged. Each round begins with a right count. */
static void count_open(void)
{
    int64_t open = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        struct dp_orders *orders = table_from_log(&world->lanes[lane]);
        for (uint32_t index = 0; index < dp_orders_count(orders); index++)
            open += (int64_t)dp_risk_weigh(dp_orders_at(orders, index)).leaves;
        free(orders);
    }
    dp_store_relaxed(&world->open, open);
}

static uint32_t one_round(uint64_t *random)
{
    pid_t pids[LANES];
    uint32_t kills = 0;
    count_open();
    for (uint32_t lane = 0; lane < LANES; lane++)
        pids[lane] = start(lane, check_random(random));
    for (; kills < 3; kills++)
        kill_and_replace(pids, random);
    for (uint32_t lane = 0; lane < LANES; lane++) {
        kill(pids[lane], SIGKILL);
        waitpid(pids[lane], NULL, 0);
        recover(lane);
    }
    return kills + LANES;
}

static void test_processes_that_are_killed_anywhere(void)
{
    double end = now_s() + seconds;
    uint64_t random = seed;
    uint32_t kills = 0;
    uint64_t passed = 0;
    uint64_t refused = 0;
    while (now_s() < end) {
        open_world();
        while (has_room() && now_s() < end)
            kills += one_round(&random);
        for (uint32_t lane = 0; lane < LANES; lane++) {
            struct dp_orders *orders = table_from_log(&world->lanes[lane]);
            drain_lane(lane, orders);
            passed += dp_load_relaxed(&world->lanes[lane].passed);
            refused += dp_load_relaxed(&world->lanes[lane].refused);
            free(orders);
        }
        check_drained();
        close_world();
    }
    printf("     seed %" PRIu64 ": %u kills, %" PRIu64 " orders passed, %" PRIu64 " refused\n",
        seed, kills, passed, refused);
    CHECK(kills > 0 && passed > 0 && refused > 0);
}

/* ---- threads ---- */

static void *lane_thread(void *argument)
{
    uint32_t lane_index = *(uint32_t *)argument;
    struct dp_orders *orders = make_table();
    run_lane(lane_index, orders, seed * LANES + lane_index);
    drain_lane(lane_index, orders);
    free(orders);
    return NULL;
}

/* Limits go down and up again, and the switch is set and cleared, under the lanes' feet. */
static void *change_thread(void *argument)
{
    const struct dp_risk_scope scope = {DP_RISK_SCOPE_ACCOUNT, 0};
    struct dp_risk_group_limits limits = group_limits();
    for (int count = 0; count < 200; count++) {
        limits.open_max_nanos = (count % 2 == 0 ? SHARES_MAX / 2 : SHARES_MAX) * 10 * DOLLAR;
        dp_risk_set_group(risk, 1, &limits, NULL);
        dp_risk_kill(risk, scope, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON);
        usleep(100);
        dp_risk_arm(risk, scope, dp_risk_mark_of(risk, scope));
        usleep(500);
    }
    dp_store_relaxed(&world->stop, 1);
    return argument;
}

static void test_threads_while_limits_change(void)
{
    pthread_t threads[LANES + 1];
    uint32_t indexes[LANES];
    open_world();
    for (uint32_t lane = 0; lane < LANES; lane++) {
        indexes[lane] = lane;
        CHECK_EQUAL(pthread_create(&threads[lane], NULL, lane_thread, &indexes[lane]), 0);
    }
    CHECK_EQUAL(pthread_create(&threads[LANES], NULL, change_thread, NULL), 0);
    for (uint32_t index = 0; index <= LANES; index++)
        pthread_join(threads[index], NULL);
    check_drained();
    CHECK_EQUAL(dp_load_relaxed(&world->open), 0);
    close_world();
}

int main(int count, char **words)
{
    seed = count > 1 ? strtoull(words[1], NULL, 10) : 1;
    seconds = count > 2 ? strtod(words[2], NULL) : 2;
    RUN_TESTS(
        TEST(test_threads_while_limits_change), TEST(test_processes_that_are_killed_anywhere));
}
