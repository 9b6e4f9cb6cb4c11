/* What each message does to the books, one by one and as a block. */
#include "check.h"
#include "dp_itch_apply.h"
#include "guard.h"

#define INSTRUMENTS 8u
#define MESSAGE_MAX 300u /* of a random block; the longest type has 50 */

static struct dp_counters counters;

static const struct dp_books_config roomy = {INSTRUMENTS, 4000, 2000};
static const struct dp_books_config narrow = {INSTRUMENTS, 60, 12};

static struct dp_books *new_books_of(const struct dp_books_config *config)
{
    size_t size = dp_round_up(dp_books_size(config), DP_CACHE_LINE);
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    memset(books, 0, size);
    CHECK_EQUAL(dp_books_init(books, config, NULL), 0);
    memset(&counters, 0, sizeof(counters));
    return books;
}

static struct dp_books *new_books(void)
{
    return new_books_of(&roomy);
}

/* ---- building messages by the specification's offsets ---- */

static uint8_t *begin(uint8_t *message, char type, uint32_t stock_locate, int64_t time_ns)
{
    memset(message, 0, 64);
    message[0] = (uint8_t)type;
    dp_store_be16(message + 1, (uint16_t)stock_locate);
    dp_store_be48(message + 5, (uint64_t)time_ns);
    return message;
}

static size_t order_message(uint8_t *message, char type, uint32_t stock_locate, uint64_t order_ref,
    char side, uint32_t qty, uint32_t price4)
{
    begin(message, type, stock_locate, 1000);
    dp_store_be64(message + 11, order_ref);
    message[19] = (uint8_t)side;
    dp_store_be32(message + 20, qty);
    memcpy(message + 24, "LATE    ", 8);
    dp_store_be32(message + 32, price4);
    return dp_itch_length((uint8_t)type);
}

static size_t reduce_message(
    uint8_t *message, char type, uint32_t stock_locate, uint64_t order_ref, uint32_t qty)
{
    begin(message, type, stock_locate, 2000);
    dp_store_be64(message + 11, order_ref);
    if (type != 'D')
        dp_store_be32(message + 19, qty);
    return dp_itch_length((uint8_t)type);
}

static size_t replace_message(uint8_t *message, uint32_t stock_locate, uint64_t order_ref,
    uint64_t new_order_ref, uint32_t qty, uint32_t price4)
{
    begin(message, 'U', stock_locate, 3000);
    dp_store_be64(message + 11, order_ref);
    dp_store_be64(message + 19, new_order_ref);
    dp_store_be32(message + 27, qty);
    dp_store_be32(message + 31, price4);
    return dp_itch_length('U');
}

static size_t code_message(
    uint8_t *message, char type, uint32_t stock_locate, char market, char code)
{
    begin(message, type, stock_locate, 500);
    memcpy(message + 11, "ABC     ", 8);
    if (type == 'S')
        message[11] = (uint8_t)code;
    else if (type == 'h') {
        message[19] = (uint8_t)market;
        message[20] = (uint8_t)code;
    } else {
        message[19] = (uint8_t)code;
    }
    return dp_itch_length((uint8_t)type);
}

static enum dp_book_result apply(struct dp_books *books, const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    return dp_itch_note(books, &counters, data, size, result)
        ? dp_itch_apply(books, &counters, &message, 1000000)
        : DP_BOOK_OK;
}

/* ---- one by one ---- */

static void test_a_day_of_one_order(void)
{
    struct dp_books *books = new_books();
    struct dp_book_order_view order;
    uint8_t data[64];
    CHECK_EQUAL(apply(books, data, code_message(data, 'R', 3, 0, 'Q')), DP_BOOK_OK);
    CHECK_EQUAL(dp_books_find(books, "ABC"), 3);
    apply(books, data, code_message(data, 'H', 3, 0, 'T'));
    CHECK_EQUAL(dp_book_trading_state(books, 3), DP_TRADING_OPEN);
    apply(books, data, order_message(data, 'F', 3, 77, 'S', 500, 123400));
    apply(books, data, reduce_message(data, 'E', 3, 77, 100));
    apply(books, data, reduce_message(data, 'C', 3, 77, 100));
    apply(books, data, reduce_message(data, 'X', 3, 77, 50));
    CHECK(dp_book_order(books, 77, &order));
    CHECK_EQUAL(order.qty, 250);
    CHECK_EQUAL(order.price_nanos, 12340000000);
    CHECK_EQUAL(order.side, DP_SIDE_SELL);
    apply(books, data, replace_message(data, 3, 77, 78, 30, 123500));
    CHECK(!dp_book_order(books, 77, &order));
    CHECK(dp_book_order(books, 78, &order));
    CHECK_EQUAL(order.side, DP_SIDE_SELL);
    CHECK_EQUAL(dp_book_best_ask(books, 3), 12350000000);
    struct dp_book_level_view bids[1], asks[1];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    CHECK_EQUAL(dp_book_read(books, 3, 1, &view), DP_BOOK_READ_OK);
    CHECK_EQUAL(view.time_ns, 1003000);
    apply(books, data, reduce_message(data, 'D', 3, 78, 0));
    CHECK_EQUAL(dp_books_order_count(books), 0);
    apply(books, data, code_message(data, 'S', 0, 0, 'O'));
    CHECK_EQUAL(dp_books_find(books, "ABC"), DP_BOOK_NONE);
    free(books);
}

static void test_a_halt_of_this_market_wins(void)
{
    struct dp_books *books = new_books();
    uint8_t data[64];
    apply(books, data, code_message(data, 'R', 1, 0, 'Q'));
    apply(books, data, code_message(data, 'H', 1, 0, 'T'));
    apply(books, data, code_message(data, 'h', 1, 'B', 'H'));
    CHECK_EQUAL(dp_book_trading_state(books, 1), DP_TRADING_OPEN);
    apply(books, data, code_message(data, 'h', 1, 'Q', 'H'));
    CHECK_EQUAL(dp_book_trading_state(books, 1), DP_TRADING_HALTED);
    apply(books, data, code_message(data, 'H', 1, 0, 'Q'));
    CHECK_EQUAL(dp_book_trading_state(books, 1), DP_TRADING_HALTED);
    apply(books, data, code_message(data, 'h', 1, 'Q', 'T'));
    CHECK_EQUAL(dp_book_trading_state(books, 1), DP_TRADING_QUOTATION);
    free(books);
}

static void test_an_add_of_an_unknown_instrument_opens_it(void)
{
    struct dp_books *books = new_books();
    uint8_t data[64];
    apply(books, data, order_message(data, 'A', 5, 1, 'B', 10, 10000));
    CHECK_EQUAL(dp_books_find(books, "LATE"), 5);
    CHECK_EQUAL(dp_book_flags(books, 5), 0);
    CHECK_EQUAL(apply(books, data, order_message(data, 'A', INSTRUMENTS, 2, 'B', 10, 10000)),
        DP_BOOK_INVALID);
    free(books);
}

static void test_wrong_messages_are_counted_and_mark_their_instrument(void)
{
    static const struct {
        const char *name;
        char type;
        uint64_t order_ref;
        uint32_t qty;
        char side;
        enum dp_book_result result;
        enum dp_counter counter;
    } rows[] = {
        {"unknown E", 'E', 9, 1, 0, DP_BOOK_UNKNOWN_ORDER, DP_COUNTER_BOOK_UNKNOWN_ORDER},
        {"unknown D", 'D', 9, 0, 0, DP_BOOK_UNKNOWN_ORDER, DP_COUNTER_BOOK_UNKNOWN_ORDER},
        {"over-reduction", 'X', 1, 101, 0, DP_BOOK_OVER_REDUCTION, DP_COUNTER_BOOK_OVER_REDUCTION},
        {"live reference", 'A', 1, 5, 'B', DP_BOOK_DUPLICATE_ORDER,
            DP_COUNTER_BOOK_DUPLICATE_ORDER},
        {"no such side", 'A', 2, 5, 'Z', DP_BOOK_INVALID, DP_COUNTER_BOOK_INVALID},
        {"no quantity", 'F', 2, 0, 'B', DP_BOOK_INVALID, DP_COUNTER_BOOK_INVALID},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct dp_books *books = new_books();
        uint8_t data[64];
        apply(books, data, order_message(data, 'A', 1, 1, 'B', 100, 10000));
        size_t size = rows[row].side != 0
            ? order_message(data, rows[row].type, 1, rows[row].order_ref, rows[row].side,
                  rows[row].qty, 10000)
            : reduce_message(data, rows[row].type, 1, rows[row].order_ref, rows[row].qty);
        CHECK_THAT(apply(books, data, size) == rows[row].result, "%s", rows[row].name);
        CHECK_THAT(
            dp_counter_read(&counters, rows[row].counter) == 1, "%s: not counted", rows[row].name);
        CHECK_EQUAL(dp_book_flags(books, 1), DP_BOOK_SUSPECT);
        CHECK_EQUAL(dp_book_flags(books, 2), 0);
        CHECK_EQUAL(dp_books_order_count(books), 1);
        free(books);
    }
}

static void test_a_short_message_marks_what_it_may_have_meant(void)
{
    struct dp_books *books = new_books();
    uint8_t data[64];
    apply(books, data, code_message(data, 'R', 1, 0, 'Q'));
    apply(books, data, code_message(data, 'R', 2, 0, 'Q'));
    CHECK_EQUAL(apply(books, data, code_message(data, 'H', 1, 0, 'T') - 1), DP_BOOK_OK);
    CHECK_EQUAL(dp_book_flags(books, 1), DP_BOOK_SUSPECT);
    CHECK_EQUAL(dp_book_flags(books, 2), 0);
    apply(books, data, reduce_message(data, 'D', 1, 1, 0) - 1);
    CHECK_EQUAL(dp_book_flags(books, 2), DP_BOOK_SUSPECT);
    free(books);
}

/* ---- as a block ---- */

static size_t random_message(uint8_t *data, uint64_t *random)
{
    uint64_t bits = check_random(random);
    uint32_t locate = (uint32_t)(bits >> 8 & 7);
    uint64_t order_ref = bits >> 16 & 511;
    uint32_t qty = (uint32_t)(bits >> 32 & 7);
    uint32_t price4 = (uint32_t)(1 + (bits >> 40 & 63)) * 100;
    static const char kinds[] = "AAAAAAFFEECXDDDUUUPQBSHhRYI";
    char type = kinds[bits % (sizeof(kinds) - 1)];
    if (type == 'A' || type == 'F')
        return order_message(
            data, type, locate, order_ref, bits >> 50 & 1 ? 'B' : 'S', qty, price4);
    if (type == 'U')
        return replace_message(data, locate, order_ref, bits >> 50 & 511, qty, price4);
    if (strchr("ECXD", type) != NULL)
        return reduce_message(data, type, locate, order_ref, qty);
    if (type == 'S')
        return code_message(data, type, locate, 0, bits >> 50 & 3 ? 'Q' : 'O');
    return code_message(data, type, locate, "QBX"[bits >> 50 & 1], bits >> 60 & 1 ? 'T' : 'H');
}

/* What no feed should send, one message in four. Returns the new size; at most MESSAGE_MAX. */
static size_t make_odd(uint8_t *data, size_t size, uint64_t *random)
{
    uint64_t bits = check_random(random) >> 8;
    switch (check_random(random) % 32) {
    case 0: return 0;
    case 1: return bits % size;
    case 2: return size + 1 + bits % 14;
    case 3: return size + 1 + bits % (MESSAGE_MAX - size);
    case 4: data[0] = (uint8_t)bits; return size;
    case 5: dp_store_be16(data + 1, (uint16_t)(INSTRUMENTS + (bits & 1) * 65000)); return size;
    case 6: data[19] = (uint8_t) "BSbsZ "[bits % 7]; return size;             /* side of an A */
    case 7: dp_store_be32(data + (data[0] == 'U' ? 31 : 32), 0); return size; /* price */
    default: return size;
    }
}

static size_t random_block(uint8_t *block, size_t room, uint64_t *random)
{
    size_t size = 0;
    while (size + 2 + MESSAGE_MAX <= room) {
        uint8_t data[MESSAGE_MAX] = {0};
        size_t message_size = make_odd(data, random_message(data, random), random);
        dp_store_be16(block + size, (uint16_t)message_size);
        memcpy(block + size + 2, data, message_size);
        size += 2 + message_size;
    }
    return size;
}

/* All whole frames; returns their bytes. */
static size_t apply_frames(
    struct dp_books *books, const uint8_t *data, size_t size, uint64_t *message_count)
{
    size_t at = 0;
    while (size - at >= 2 && size - at - 2 >= dp_load_be16(data + at)) {
        size_t message_size = dp_load_be16(data + at);
        if (message_size != 0)
            apply(books, data + at + 2, message_size);
        *message_count += message_size != 0;
        at += 2 + message_size;
    }
    return at;
}

static void compare(const struct dp_books *one, const struct dp_books *other)
{
    CHECK_EQUAL(dp_books_order_count(one), dp_books_order_count(other));
    for (uint32_t instrument = 0; instrument < INSTRUMENTS; instrument++) {
        struct dp_book_level_view levels[2][4][128];
        struct dp_book_view a = {.bids = levels[0][0], .asks = levels[0][1]};
        struct dp_book_view b = {.bids = levels[1][0], .asks = levels[1][1]};
        memset(levels, 0, sizeof(levels));
        CHECK_EQUAL(
            dp_book_read(one, instrument, 128, &a), dp_book_read(other, instrument, 128, &b));
        CHECK(memcmp(levels[0], levels[1], sizeof(levels[0])) == 0);
        CHECK_EQUAL(a.sequence, b.sequence);
        CHECK_EQUAL(a.flags, b.flags);
        CHECK_EQUAL(a.trading_state, b.trading_state);
    }
}

/* The block ends at the guard page. */
static void compare_block(const struct dp_books_config *config, const uint8_t *block, size_t size)
{
    uint64_t count = 0, block_count = 0;
    struct dp_books *one = new_books_of(config);
    size_t used = apply_frames(one, block, size, &count);
    struct dp_counters expected = counters;
    struct dp_books *other = new_books_of(config);
    const uint8_t *data = guard_place(block, size);
    CHECK_EQUAL(dp_itch_apply_block(other, &counters, data, size, 1000000, &block_count), used);
    CHECK_EQUAL(block_count, count);
    for (int id = DP_COUNTER_ITCH_MESSAGES; id <= DP_COUNTER_BOOK_FULL; id++)
        CHECK_EQUAL(dp_counter_read(&counters, (enum dp_counter)id),
            dp_counter_read(&expected, (enum dp_counter)id));
    compare(one, other);
    free(one);
    free(other);
}

static void test_a_block_does_what_its_messages_do(void)
{
    static uint8_t block[60000];
    guard_map();
    for (uint64_t seed = 0; seed < 150 && check_failures == 0; seed++) {
        uint64_t random = seed * 2 + 1;
        size_t size = random_block(block, sizeof(block), &random);
        compare_block(seed % 3 == 0 ? &narrow : &roomy, block, size);
        if (check_failures != 0)
            printf("seed %llu\n", (unsigned long long)seed);
    }
}

static void test_a_block_may_end_anywhere(void)
{
    static uint8_t block[4000];
    guard_map();
    for (uint64_t seed = 0; seed < 8 && check_failures == 0; seed++) {
        uint64_t random = seed * 2 + 1;
        size_t size = random_block(block, sizeof(block), &random);
        for (size_t cut = 0; cut <= 100; cut++)
            compare_block(&narrow, block, size - cut);
    }
}

static void test_empty_frames_are_stepped_over_uncounted(void)
{
    static const uint8_t zeros[301];
    guard_map();
    for (size_t size = 0; size <= sizeof(zeros); size++) {
        struct dp_books *books = new_books_of(&narrow);
        uint64_t count = 0;
        const uint8_t *data = guard_place(zeros, size);
        CHECK_EQUAL(dp_itch_apply_block(books, &counters, data, size, 0, &count), size / 2 * 2);
        CHECK_EQUAL(count, 0);
        CHECK_EQUAL(dp_counter_read(&counters, DP_COUNTER_ITCH_MESSAGES), 0);
        free(books);
    }
}

static void test_a_cut_frame_is_left(void)
{
    guard_map();
    uint8_t data[66];
    size_t size = 2 + order_message(data + 2, 'A', 1, 1, 'B', 100, 10000);
    dp_store_be16(data, (uint16_t)(size - 2));
    for (size_t cut = 0; cut <= size; cut++) {
        struct dp_books *books = new_books();
        uint64_t count = 0;
        size_t used = dp_itch_apply_block(books, &counters, guard_place(data, cut), cut, 0, &count);
        CHECK_EQUAL(used, cut == size ? size : 0);
        CHECK_EQUAL(count, cut == size);
        free(books);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_a_day_of_one_order), TEST(test_a_halt_of_this_market_wins),
        TEST(test_an_add_of_an_unknown_instrument_opens_it),
        TEST(test_wrong_messages_are_counted_and_mark_their_instrument),
        TEST(test_a_short_message_marks_what_it_may_have_meant),
        TEST(test_a_block_does_what_its_messages_do), TEST(test_a_block_may_end_anywhere),
        TEST(test_empty_frames_are_stepped_over_uncounted), TEST(test_a_cut_frame_is_left));
}
