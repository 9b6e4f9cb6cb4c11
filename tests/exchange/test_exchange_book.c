/* What the feed says makes the engine's displayed books, after every step of a random day:
 * reserves, hidden orders, replaces, modifies, self-matches, halts and crosses. So does a snapshot.
 */
#include "check.h"
#include "dp_exchange.h"
#include "dp_itch_apply.h"
#include "dp_match_view.h"
#include "dp_moldudp.h"
#include "dp_ouch.h"
#include "dp_soup_session.h"

#define SEEDS 6u
#define STEPS 20000u
#define ACCOUNTS 3u
#define LEVELS 256u
#define INSTRUMENTS 2u

struct world {
    struct dp_exchange *exchange;
    struct dp_books *books;
    uint64_t random;
    int64_t now_ns;
    uint64_t expected; /* next number of the feed */
    uint32_t numbers[ACCOUNTS + 1];
    uint32_t session[INSTRUMENTS];
};

static struct dp_counters counters;

static uint32_t dice(struct world *world, uint32_t sides)
{
    return (uint32_t)(check_random(&world->random) >> 33) % sides;
}

static struct dp_books *new_books(void)
{
    const struct dp_books_config config = {INSTRUMENTS + 1, 8192, 4096};
    size_t size = dp_round_up(dp_books_size(&config), DP_CACHE_LINE);
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    memset(books, 0, size);
    CHECK_EQUAL(dp_books_init(books, &config, NULL), 0);
    return books;
}

static void open_world(struct world *world, uint64_t seed)
{
    const struct dp_exchange_config config = {.session = "         1",
        .heartbeat_ns = 1000000000,
        .silence_ns = INT64_MAX,
        .login_ns = INT64_MAX,
        .connection_count_max = 4,
        .account_count_max = ACCOUNTS,
        .instrument_count_max = INSTRUMENTS,
        .order_count_max = 4096,
        .packet_size_max = 1400,
        .store_bytes_max = 64 << 20,
        .slow_bytes_max = UINT64_MAX,
        .seed = seed};
    *world = (struct world){.random = seed * 77 + 1, .now_ns = 1, .expected = 1};
    world->exchange = dp_exchange_open(&config, NULL);
    world->books = new_books();
    struct dp_match_instrument instrument = {.tick_nanos = 10000000,
        .price_nanos_max = 1000000000000,
        .reference_price_nanos = 10000000000,
        .lot_qty = 1,
        .session = DP_MATCH_CONTINUOUS};
    dp_exchange_add_instrument(world->exchange, "FIFO    ", &instrument, NULL);
    instrument.policy = DP_MATCH_PRO_RATA;
    dp_exchange_add_instrument(world->exchange, "RATA    ", &instrument, NULL);
    for (uint32_t index = 0; index < ACCOUNTS; index++) {
        struct dp_exchange_account_config account = {.password = "b         ",
            .firm = "TPLN",
            .stp_group = index,
            .stp_mode = (uint8_t)index};
        memcpy(account.user, "user  ", 6);
        account.user[4] = (char)('0' + index);
        CHECK_EQUAL(dp_exchange_add_account(world->exchange, &account, NULL), (int64_t)index + 1);
    }
    dp_exchange_start(world->exchange, world->now_ns);
}

static void close_world(struct world *world)
{
    dp_exchange_close(world->exchange);
    free(world->books);
}

/* ---- the feed ---- */

static void apply(struct dp_books *books, const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    CHECK_EQUAL(dp_itch_decode(data, size, &message), DP_ITCH_OK);
    enum dp_book_result result = dp_itch_apply(books, &counters, &message, 0);
    CHECK_THAT(result == DP_BOOK_OK, "%c of %" PRIu64 ": result %d", message.type,
        message.order_ref, result);
}

static void read_feed(struct world *world)
{
    uint32_t size;
    const uint8_t *data;
    dp_exchange_advance(world->exchange, world->now_ns);
    while ((data = dp_exchange_pop_datagram(world->exchange, 0, world->now_ns, &size)) != NULL) {
        struct dp_moldudp_packet packet;
        CHECK(dp_moldudp_parse(data, size, &packet));
        CHECK_EQUAL(packet.sequence, world->expected);
        world->expected += packet.message_count;
        for (size_t at = 0; at < packet.blocks_size;) {
            uint32_t block = dp_load_be16(packet.blocks + at);
            apply(world->books, packet.blocks + at + 2, block);
            at += 2 + block;
        }
    }
    while (dp_exchange_pop_datagram(world->exchange, 1, world->now_ns, &size) != NULL)
        continue;
}

static void compare_side(const struct world *world, const struct dp_books *books,
    uint32_t instrument, enum dp_side side, uint32_t step)
{
    struct dp_match_level_view engine[LEVELS];
    struct dp_book_level_view feed[LEVELS];
    uint32_t engine_count =
        dp_match_view_levels(dp_exchange_match(world->exchange), instrument, side, engine, LEVELS);
    uint32_t feed_count = dp_book_levels(books, instrument + 1, side, feed, LEVELS);
    CHECK_THAT(engine_count == feed_count, "step %u: %u levels, the feed has %u", step,
        engine_count, feed_count);
    for (uint32_t level = 0; level < engine_count && level < feed_count; level++)
        CHECK_THAT(engine[level].price_nanos == feed[level].price_nanos &&
                engine[level].display_qty == feed[level].qty,
            "step %u: level %u: %" PRId64 " x %" PRIu64 ", the feed has %" PRId64 " x %" PRIu64,
            step, level, engine[level].price_nanos, engine[level].display_qty,
            feed[level].price_nanos, feed[level].qty);
}

/* The same orders in the same places. */
static void compare_queues(
    const struct world *world, const struct dp_books *books, uint32_t instrument, enum dp_side side)
{
    struct dp_book_level_view levels[LEVELS];
    uint32_t count = dp_book_levels(books, instrument + 1, side, levels, LEVELS);
    for (uint32_t level = 0; level < count; level++) {
        static struct dp_book_order_view left[4096];
        static struct dp_book_order_view right[4096];
        uint32_t left_count = dp_book_level_orders(
            books, instrument + 1, side, levels[level].price_nanos, left, 4096);
        CHECK_EQUAL(dp_book_level_orders(
                        world->books, instrument + 1, side, levels[level].price_nanos, right, 4096),
            left_count);
        for (uint32_t at = 0; at < left_count; at++)
            CHECK(left[at].order_ref == right[at].order_ref);
    }
}

static void compare(const struct world *world, const struct dp_books *books, uint32_t step)
{
    for (uint32_t instrument = 0; instrument < INSTRUMENTS; instrument++) {
        compare_side(world, books, instrument, DP_SIDE_BUY, step);
        compare_side(world, books, instrument, DP_SIDE_SELL, step);
    }
}

/* ---- requests ---- */

static void send(struct world *world, uint32_t account, struct dp_ouch_message *message)
{
    uint8_t data[DP_EXCHANGE_REQUEST_MAX];
    memset(message->cl_ord_id, ' ', sizeof(message->cl_ord_id));
    size_t size = dp_ouch_encode(message, DP_OUCH_INBOUND, data, sizeof(data));
    CHECK(size > 0);
    dp_exchange_request(world->exchange, account, data, (uint32_t)size, world->now_ns);
}

static void set_terms(struct world *world, struct dp_ouch_message *message)
{
    static const uint8_t reserve[] = {5, 5, 0, 0, 0, 100, 5, 13, 0, 0, 0, 30};
    static const uint8_t post_only[] = {2, 12, 'P'};
    static const uint8_t peg[] = {2, 6, 'R'};
    static const uint8_t least[] = {5, 3, 0, 0, 0, 100};
    static const struct {
        const uint8_t *bytes;
        uint32_t size;
    } options[] = {{reserve, sizeof(reserve)}, {post_only, sizeof(post_only)}, {peg, sizeof(peg)},
        {least, sizeof(least)}, {reserve, 6}};
    message->qty = 1 + dice(world, 400);
    message->price_wire = 99500 + 100 * dice(world, 11);
    message->time_in_force = "000035"[dice(world, 6)];
    message->display = "YYYYNA"[dice(world, 6)];
    message->intermarket_sweep = 'N';
    if (dice(world, 3) == 0) {
        uint32_t which = dice(world, sizeof(options) / sizeof(options[0]));
        message->options = options[which].bytes;
        message->options_size = options[which].size;
    }
}

static void send_random(struct world *world)
{
    uint32_t account = 1 + dice(world, ACCOUNTS);
    uint32_t *number = &world->numbers[account];
    uint32_t recent = *number - dice(world, *number < 60 ? *number + 1 : 60);
    uint32_t kind = dice(world, 10);
    struct dp_ouch_message message = {.user_ref_num = recent};
    if (kind < 5) {
        message.type = 'O';
        message.user_ref_num = ++*number;
        message.side = "BSTE"[dice(world, 4) * dice(world, 2)];
        message.capacity = 'P';
        message.cross_type = "NNNNNNNO"[dice(world, 8)];
        memcpy(message.symbol, dice(world, 2) ? "FIFO    " : "RATA    ", 8);
        set_terms(world, &message);
    } else if (kind < 7) {
        message.type = 'U';
        message.orig_user_ref_num = recent;
        message.user_ref_num = ++*number;
        set_terms(world, &message);
    } else if (kind < 9) {
        message.type = 'X';
        message.qty = dice(world, 2) * dice(world, 200);
    } else {
        message.type = 'M';
        message.side = "BSTE"[dice(world, 4)];
        message.qty = dice(world, 300);
    }
    send(world, account, &message);
}

static void change_session(struct world *world)
{
    static const enum dp_match_session sessions[] = {DP_MATCH_HALTED, DP_MATCH_CONTINUOUS};
    uint32_t instrument = dice(world, INSTRUMENTS);
    world->session[instrument] ^= 1;
    dp_exchange_set_session(
        world->exchange, instrument, sessions[world->session[instrument] ^ 1], world->now_ns);
}

/* ---- a snapshot, read as its client reads it ---- */

struct snapshot {
    struct dp_books *books;
    uint64_t next;
};

static void on_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct snapshot *snapshot = context;
    (void)sequence;
    if (data[0] != 'G') {
        apply(snapshot->books, data, size);
        return;
    }
    char digits[21] = {0};
    memcpy(digits, data + 1, 20);
    snapshot->next = strtoull(digits, NULL, 10);
}

static void check_snapshot(struct world *world, uint32_t step)
{
    struct snapshot snapshot = {.books = new_books()};
    struct dp_soup_session client;
    const struct dp_soup_session_config config = {.username = "user1", .password = "b"};
    uint8_t packet[DP_SOUP_LOGIN_SIZE];
    dp_soup_session_init(&client, &config, NULL);
    size_t size = dp_soup_session_connect(&client, packet, 0);
    uint32_t connection =
        dp_exchange_connect(world->exchange, DP_EXCHANGE_PORT_SNAPSHOT, world->now_ns);
    dp_exchange_receive(world->exchange, connection, packet, size, world->now_ns);
    const uint8_t *data;
    while ((size = dp_exchange_output(world->exchange, connection, &data)) > 0) {
        size_t used;
        CHECK_EQUAL(dp_soup_session_read(&client, data, size, 0, on_message, &snapshot, &used),
            DP_SOUP_SESSION_OK);
        CHECK_EQUAL(used, size);
        dp_exchange_sent(world->exchange, connection, size, world->now_ns);
    }
    dp_exchange_closed(world->exchange, connection, world->now_ns);
    CHECK_EQUAL(snapshot.next, world->expected);
    compare(world, snapshot.books, step);
    for (uint32_t instrument = 0; instrument < INSTRUMENTS; instrument++) {
        compare_queues(world, snapshot.books, instrument, DP_SIDE_BUY);
        compare_queues(world, snapshot.books, instrument, DP_SIDE_SELL);
    }
    free(snapshot.books);
}

static void play(uint64_t seed)
{
    struct world world;
    open_world(&world, seed);
    for (uint32_t step = 0; step < STEPS && check_failures == 0; step++) {
        world.now_ns += 1000000;
        if (dice(&world, 400) == 0)
            change_session(&world);
        send_random(&world);
        read_feed(&world);
        compare(&world, world.books, step);
        if (step % 1000 == 999)
            check_snapshot(&world, step);
    }
    struct dp_exchange_stats stats = dp_exchange_stats(world.exchange);
    CHECK_THAT(stats.trades > 2000 && stats.cancels > 1000, "seed %" PRIu64 ": a dull day", seed);
    dp_exchange_end(world.exchange, world.now_ns);
    read_feed(&world);
    compare(&world, world.books, STEPS);
    close_world(&world);
}

static void test_the_feed_makes_the_engines_books(void)
{
    for (uint64_t seed = 1; seed <= SEEDS && check_failures == 0; seed++) {
        play(seed);
        if (check_failures > 0)
            fprintf(stderr, "seed %" PRIu64 "\n", seed);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_the_feed_makes_the_engines_books));
}
