/* What goes out on two lines, read back by the feed handler of the appliance. */
#include "check.h"
#include "dp_exchange_feed.h"

#define MS 1000000ll
#define SECOND 1000000000ll

struct world {
    struct dp_exchange_feed feed;
    struct dp_moldudp_feed *reader;
    uint64_t delivered;
    uint64_t gaps;
    uint64_t lost;
    uint64_t made;
    uint64_t came;
    bool ended;
};

static void seen(void *context, uint32_t line, bool lost, const uint8_t *data, uint32_t size,
    uint64_t sequence, int64_t now_ns)
{
    struct world *world = context;
    (void)line, (void)now_ns;
    world->made++;
    world->lost += lost;
    struct dp_moldudp_packet packet;
    CHECK(dp_moldudp_parse(data, size, &packet));
    CHECK_EQUAL(packet.sequence, sequence);
}

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct world *world = context;
    (void)time_ns;
    CHECK_EQUAL(sequence, world->delivered + world->gaps + 1);
    CHECK_EQUAL(size, 19);
    CHECK_EQUAL(dp_load_be64(data + 11), sequence);
    world->delivered++;
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    (void)time_ns;
    ((struct world *)context)->gaps += last - first + 1;
}

static void on_session(void *context, const uint8_t *session)
{
    (void)context, (void)session;
    CHECK_THAT(false, "another session");
}

static void on_end(void *context)
{
    ((struct world *)context)->ended = true;
}

static void open_world(struct world *world, uint32_t packet_size_max)
{
    memset(world, 0, sizeof(*world));
    struct dp_exchange_feed_config config = {
        .packet_size_max = packet_size_max, .heartbeat_ns = SECOND, .store_bytes_max = 64 << 20};
    memcpy(config.session, "SESSION001", 10);
    CHECK(dp_exchange_feed_open(&world->feed, &config));
    const struct dp_moldudp_config reader = {.hold_count_max = 4096,
        .packet_size_max = 2000,
        .gap_timeout_ns = 100 * MS,
        .sequence_first = 1};
    world->reader = aligned_alloc(64, dp_round_up(dp_moldudp_feed_size(&reader), 64));
    CHECK_EQUAL(dp_moldudp_feed_init(world->reader, &reader, NULL), 0);
}

static void close_world(struct world *world)
{
    dp_exchange_feed_close(&world->feed);
    free(world->reader);
}

static void add(struct world *world, uint64_t number)
{
    struct dp_itch_message message = {.type = 'D', .order_ref = number};
    dp_exchange_feed_add(&world->feed, &message);
}

static void flush_and_read(struct world *world, int64_t now_ns)
{
    const struct dp_moldudp_handler handler = {world, on_message, on_gap, on_session, on_end};
    dp_exchange_feed_flush(&world->feed, now_ns, seen, world);
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++) {
        uint32_t size;
        const uint8_t *data;
        while ((data = dp_exchange_line_pop(world->feed.lines[line], now_ns, &size)) != NULL) {
            dp_moldudp_feed_push(world->reader, data, size, now_ns, &handler);
            world->came++;
        }
    }
    dp_moldudp_feed_poll(world->reader, now_ns, &handler);
}

static void run(struct world *world, uint64_t messages)
{
    uint64_t random = 3;
    uint64_t number = 0;
    int64_t now_ns = 0;
    while (number < messages) {
        for (uint64_t burst = check_random(&random) % 200; burst > 0 && number < messages; burst--)
            add(world, ++number);
        flush_and_read(world, now_ns += MS);
    }
    dp_exchange_feed_end(&world->feed);
    for (int second = 0; second < 4; second++)
        flush_and_read(world, now_ns += SECOND);
}

static void test_good_lines_deliver_everything(void)
{
    struct world world;
    open_world(&world, 1400);
    run(&world, 20000);
    CHECK_EQUAL(world.delivered, 20000);
    CHECK_EQUAL(world.gaps, 0);
    CHECK(world.ended);
    close_world(&world);
}

static void test_each_line_may_lose_reorder_and_repeat(void)
{
    struct world world;
    open_world(&world, 1400);
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++)
        dp_exchange_line_set(world.feed.lines[line],
            &(struct dp_exchange_line_config){.seed = 10 + line,
                .delay_ns = (int64_t)line * MS,
                .loss_ppm = line == 0 ? 200000 : 0,
                .reorder_ppm = 200000,
                .duplicate_ppm = 200000});
    run(&world, 20000);
    CHECK_EQUAL(world.delivered, 20000);
    CHECK_EQUAL(world.gaps, 0);
    CHECK_THAT(world.lost * 20 > world.made, "%" PRIu64 " of %" PRIu64, world.lost, world.made);
    uint64_t twice = world.came + world.lost - world.made;
    CHECK_THAT(twice * 10 > world.made, "%" PRIu64 " came twice", twice);
    close_world(&world);
}

static void test_what_both_lines_lose_is_a_gap(void)
{
    struct world world;
    open_world(&world, 1400);
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++)
        dp_exchange_line_set(world.feed.lines[line],
            &(struct dp_exchange_line_config){.seed = 5, .loss_ppm = 300000});
    run(&world, 20000);
    CHECK_EQUAL(world.delivered + world.gaps, 20000);
    CHECK(world.gaps > 1000);
    close_world(&world);
}

static void test_a_quiet_feed_says_where_it_is(void)
{
    struct world world;
    open_world(&world, 1400);
    flush_and_read(&world, SECOND);
    flush_and_read(&world, SECOND + SECOND / 2);
    CHECK_EQUAL(world.made, 2);
    CHECK_EQUAL(dp_exchange_feed_next_ns(&world.feed), 2 * SECOND);
    flush_and_read(&world, 2 * SECOND);
    CHECK_EQUAL(world.made, 4);
    close_world(&world);
}

static uint32_t ask(const struct world *world, const char *session, uint64_t sequence,
    uint16_t count, uint8_t *reply)
{
    uint8_t request[20];
    dp_moldudp_build(request, (const uint8_t *)session, sequence, count);
    return dp_exchange_feed_reply(&world->feed, request, sizeof(request), reply);
}

static void test_any_message_can_be_asked_for_again(void)
{
    struct world world;
    open_world(&world, 200);
    for (uint64_t number = 1; number <= 30000; number++)
        add(&world, number);
    flush_and_read(&world, 1);
    for (uint64_t number = 1; number <= 30000; number += 97) {
        uint8_t reply[DP_EXCHANGE_PACKET_MAX];
        struct dp_moldudp_packet packet;
        uint32_t size = ask(&world, "SESSION001", number, 50, reply);
        CHECK(dp_moldudp_parse(reply, size, &packet));
        CHECK_EQUAL(packet.sequence, number);
        uint64_t left = 30001 - number;
        CHECK_EQUAL(packet.message_count, left < 8 ? left : 8); /* (200 - 20) / 21 */
        CHECK_EQUAL(dp_load_be64(packet.blocks + 2 + 11), number);
    }
    close_world(&world);
}

static void test_other_requests_are_met_with_silence(void)
{
    struct world world;
    uint8_t reply[DP_EXCHANGE_PACKET_MAX];
    open_world(&world, 1400);
    add(&world, 1);
    flush_and_read(&world, 1);
    add(&world, 2); /* not sent yet */
    CHECK(ask(&world, "SESSION001", 1, 1, reply) > 0);
    CHECK_EQUAL(ask(&world, "SESSION002", 1, 1, reply), 0);
    CHECK_EQUAL(ask(&world, "SESSION001", 2, 1, reply), 0);
    CHECK_EQUAL(ask(&world, "SESSION001", 0, 1, reply), 0);
    CHECK_EQUAL(ask(&world, "SESSION001", 1, 0, reply), 0);
    CHECK_EQUAL(ask(&world, "SESSION001", 1, 0xffff, reply), 0);
    uint8_t request[21] = "SESSION001";
    request[17] = 1;
    request[19] = 1;
    CHECK(dp_exchange_feed_reply(&world.feed, request, 20, reply) > 0);
    CHECK_EQUAL(dp_exchange_feed_reply(&world.feed, request, 19, reply), 0);
    CHECK_EQUAL(dp_exchange_feed_reply(&world.feed, request, 21, reply), 0);
    close_world(&world);
}

int main(void)
{
    RUN_TESTS(TEST(test_good_lines_deliver_everything),
        TEST(test_each_line_may_lose_reorder_and_repeat), TEST(test_what_both_lines_lose_is_a_gap),
        TEST(test_a_quiet_feed_says_where_it_is), TEST(test_any_message_can_be_asked_for_again),
        TEST(test_other_requests_are_met_with_silence));
}
