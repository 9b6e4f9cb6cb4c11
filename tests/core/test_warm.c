/* Shadow orders: they walk the whole path, and nothing of the real one is written. */
#include <sys/mman.h>

#include "dp_warm.h"
#include "submit_bench.h"

static struct dp_warm *open_warm(const struct path *path)
{
    struct dp_warm *warm = aligned_alloc(4096, dp_round_up(dp_warm_size(), 4096));
    CHECK_EQUAL(dp_warm_init(warm, &path->enter[OPEN], NULL), 0);
    return warm;
}

static void protect(struct path *path, int protection)
{
    for (uint32_t index = 0; index < path->block_count; index++)
        CHECK_EQUAL(mprotect(path->blocks[index], path->block_sizes[index], protection), 0);
}

/* A write anywhere in the real books, orders, gate, ring or journal would be a SIGSEGV. */
static void test_the_real_path_may_be_write_protected_meanwhile(void)
{
    struct path *path = path_open();
    path_submit(path, 100, 10 * DOLLAR);
    struct path before;
    memcpy(&before, path, sizeof(before));
    struct dp_warm *warm = open_warm(path);

    protect(path, PROT_READ);
    for (int count = 0; count < 3000; count++) {
        dp_warm_walk(warm);
        dp_warm_look(&path->submit, 0, OPEN);
        dp_warm_look(&path->submit, 7, NEVER_OPENED + 5); /* no such strategy, no such instrument */
    }
    protect(path, PROT_READ | PROT_WRITE);

    CHECK_EQUAL(dp_warm_walk_count(warm), 3000);
    CHECK(memcmp(&before, path, sizeof(before)) == 0);
    struct dp_ouch_message message;
    CHECK(path_sent(path, &message));
    CHECK(!path_sent(path, &message)); /* the one real order and no other */
    CHECK_EQUAL(path_submit(path, 100, 10 * DOLLAR), 2);
    path_close(path);
    free(warm);
}

/* What is not reached is not warmed: the walk makes the same bytes as a real order. */
static void test_a_walk_leaves_a_finished_frame_in_the_shadow_alone(void)
{
    struct path *path = path_open();
    struct dp_warm *warm = open_warm(path);
    dp_warm_walk(warm);
    const struct dp_submit *shadow = (const struct dp_submit *)(const void *)warm;
    const struct dp_ring_slot *slot = dp_ring_slot_at(shadow->tx, 0);
    struct dp_net_packet net;
    CHECK_EQUAL(dp_net_parse(slot->data, slot->size, true, &net), DP_NET_OK);
    CHECK_EQUAL(net.payload[3], 'O');
    CHECK_EQUAL(dp_counter_read(shadow->counters, DP_COUNTER_ORDERS_SENT), 1);
    CHECK_EQUAL(dp_counter_read(shadow->counters, DP_COUNTER_REPORTS), 2);
    CHECK_EQUAL(dp_counter_read(shadow->counters, DP_COUNTER_JOURNAL_RECORDS), 3);
    const uint8_t *first = (const uint8_t *)warm;
    const uint8_t *ring = (const uint8_t *)shadow->tx;
    CHECK(ring > first && ring < first + dp_warm_size());
    path_close(path);
    free(warm);
}

int main(void)
{
    RUN_TESTS(TEST(test_the_real_path_may_be_write_protected_meanwhile),
        TEST(test_a_walk_leaves_a_finished_frame_in_the_shadow_alone));
}
