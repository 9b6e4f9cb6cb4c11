/* Several threads apply events to the same orders while others read them: every event counts once,
 * every copy read is whole. */
#include <pthread.h>

#include "check.h"
#include "dp_atomic.h"
#include "dp_order.h"
#include "order_bench.h"

enum {
    ORDERS = 3,
    APPLIERS = 3,
    READERS = 2,
    FILLS = 200,
    FILL_QTY = 2,
    CANCELS = 12,
    CANCEL_QTY = 50,
    QTY = FILLS * FILL_QTY + CANCELS * CANCEL_QTY,
    PRICE = 1000000000,
};

struct world {
    struct dp_orders *orders;
    _Atomic uint32_t applied[ORDERS]; /* transitions that were not duplicates */
    _Atomic uint32_t cancels_left[ORDERS];
    _Atomic uint32_t appliers_left;
    _Atomic uint64_t reads;
    _Atomic uint32_t torn;
};

struct thread {
    struct world *world;
    uint64_t seed;
};

static void apply(struct world *world, uint32_t order_index, struct dp_event *event)
{
    enum dp_order_result result;
    struct dp_event tried;
    do {
        tried = *event;
        tried.user_ref_num = order_index + 1;
        result = dp_orders_apply(world->orders, &tried);
    } while (result == DP_ORDER_BUSY);
    if (result != DP_ORDER_DUPLICATE)
        dp_fetch_add_relaxed(&world->applied[order_index], 1);
}

/* Each thread sends every fill and the accept, as hosts that mirror one another do; the cancels,
 * which have no id, are shared out. */
static void *run_applier(void *argument)
{
    struct thread *thread = argument;
    struct world *world = thread->world;
    for (int step = 0; step < ORDERS * FILLS * 10; step++) {
        uint32_t order_index = (uint32_t)(check_random(&thread->seed) % ORDERS);
        uint64_t dice = check_random(&thread->seed) % (FILLS + 40);
        struct dp_event event = {.kind = DP_EVENT_FILLED, .price_nanos = PRICE, .qty = FILL_QTY};
        event.exec_id = 100 + dice;
        if (dice >= FILLS) {
            event = (struct dp_event){.kind = DP_EVENT_ACCEPTED, .venue_order_id = 7, .qty = QTY};
            uint32_t left = dp_load_relaxed(&world->cancels_left[order_index]);
            if (dice > FILLS && left > 0 &&
                dp_cas_acq_rel(&world->cancels_left[order_index], &left, left - 1))
                event = (struct dp_event){.kind = DP_EVENT_CANCELED, .qty = CANCEL_QTY};
        }
        apply(world, order_index, &event);
    }
    dp_fetch_add_relaxed(&world->appliers_left, UINT32_MAX);
    return NULL;
}

static bool is_whole(const struct dp_order *order)
{
    uint64_t gone = order->cum_qty + order->cxl_qty;
    return order->cum_money == (dp_money_nanos)order->cum_qty * PRICE &&
        (dp_order_is_live(order) ? gone + order->leaves_qty == QTY : order->leaves_qty == 0);
}

static void *run_reader(void *argument)
{
    struct thread *thread = argument;
    struct world *world = thread->world;
    while (dp_load_relaxed(&world->appliers_left) > 0) {
        uint32_t index = (uint32_t)(check_random(&thread->seed) % ORDERS);
        struct dp_order copy;
        if (!dp_order_read(dp_orders_at(world->orders, index), &copy))
            continue;
        dp_fetch_add_relaxed(&world->reads, 1);
        if (!is_whole(&copy))
            dp_fetch_add_relaxed(&world->torn, 1);
    }
    return NULL;
}

static void open_world(struct world *world)
{
    const struct dp_orders_config config = {
        .order_count_max = ORDERS, .exec_count_max = ORDERS * FILLS, .user_ref_num_first = 1};
    memset(world, 0, sizeof(*world));
    world->orders = bench_make_orders(&config);
    world->appliers_left = APPLIERS;
    for (uint32_t index = 0; index < ORDERS; index++) {
        struct dp_event event = {
            .kind = DP_EVENT_NEW, .user_ref_num = index + 1, .qty = QTY, .side = DP_SIDE_BUY};
        CHECK_EQUAL(dp_orders_apply(world->orders, &event), DP_ORDER_APPLIED);
        world->cancels_left[index] = CANCELS;
    }
}

/* What chance left unsent, so that the sums are known. */
static void finish(struct world *world)
{
    for (uint32_t index = 0; index < ORDERS; index++) {
        for (uint64_t fill = 0; fill < FILLS; fill++) {
            struct dp_event event = {.kind = DP_EVENT_FILLED,
                .price_nanos = PRICE,
                .qty = FILL_QTY,
                .exec_id = 100 + fill};
            apply(world, index, &event);
        }
        for (; world->cancels_left[index] > 0; world->cancels_left[index]--) {
            struct dp_event event = {.kind = DP_EVENT_CANCELED, .qty = CANCEL_QTY};
            apply(world, index, &event);
        }
    }
}

static void run_threads(struct world *world, uint64_t seed)
{
    pthread_t ids[APPLIERS + READERS];
    struct thread threads[APPLIERS + READERS];
    for (uint32_t index = 0; index < APPLIERS + READERS; index++) {
        threads[index] = (struct thread){world, seed * 1000 + index + 1};
        pthread_create(
            &ids[index], NULL, index < APPLIERS ? run_applier : run_reader, &threads[index]);
    }
    for (uint32_t index = 0; index < APPLIERS + READERS; index++)
        pthread_join(ids[index], NULL);
}

static void check_world(const struct world *world, uint64_t seed)
{
    CHECK_THAT(world->torn == 0, "seed %" PRIu64 ": %u of %" PRIu64 " copies were not whole", seed,
        world->torn, world->reads);
    for (uint32_t index = 0; index < ORDERS; index++) {
        const struct dp_order *order = dp_orders_at(world->orders, index);
        CHECK_THAT(order->cum_qty == FILLS * FILL_QTY && order->cxl_qty == CANCELS * CANCEL_QTY &&
                order->leaves_qty == 0 && !dp_order_is_live(order),
            "seed %" PRIu64 ", order %u: cum %" PRIu64 ", cxl %" PRIu64 ", leaves %" PRIu64, seed,
            index, order->cum_qty, order->cxl_qty, order->leaves_qty);
        CHECK_EQUAL(DP_ORDER_VERSION(dp_load_relaxed(&order->state)), 1 + world->applied[index]);
    }
}

static uint64_t first_seed = 1;

static void test_events_of_many_threads_count_once_and_readers_see_whole_orders(void)
{
    for (uint64_t seed = first_seed; seed < first_seed + 8; seed++) {
        struct world world;
        open_world(&world);
        run_threads(&world, seed);
        finish(&world);
        check_world(&world, seed);
        free(world.orders);
    }
}

/* A thread that died between claim and publish, as its last store leaves the word. */
static void test_an_order_left_in_the_middle_is_busy_and_no_other_is(void)
{
    struct bench *bench = bench_open();
    bench_send(bench, DP_EVENT_NEW, 1, 0, 100);
    bench_send(bench, DP_EVENT_NEW, 2, 0, 100);
    struct dp_order *order = dp_orders_find(bench->orders, 1);
    struct dp_order copy;
    dp_store_relaxed(&order->state, dp_load_relaxed(&order->state) | DP_ORDER_CHANGING);

    CHECK_EQUAL(bench_answer(bench, DP_EVENT_FILLED, 1, 10), DP_ORDER_BUSY);
    CHECK_EQUAL(bench->events[2].leaves_qty, 0); /* nothing is told that is not known */
    CHECK_EQUAL(order->cum_qty, 0);
    CHECK(!dp_order_read(order, &copy));
    CHECK_EQUAL(bench_send(bench, DP_EVENT_REPLACE, 3, 1, 50), DP_ORDER_BUSY);
    CHECK_EQUAL(dp_orders_next(bench->orders), 3); /* used up no number */

    CHECK_EQUAL(bench_answer(bench, DP_EVENT_FILLED, 2, 10), DP_ORDER_APPLIED);
    CHECK(dp_order_read(dp_orders_find(bench->orders, 2), &copy));
    CHECK_EQUAL(copy.cum_qty, 10);
    bench_close(bench);
}

/* A seed as the only argument: make soak. */
int main(int count, char **words)
{
    if (count > 1)
        first_seed = strtoull(words[1], NULL, 0);
    RUN_TESTS(TEST(test_events_of_many_threads_count_once_and_readers_see_whole_orders),
        TEST(test_an_order_left_in_the_middle_is_busy_and_no_other_is));
}
