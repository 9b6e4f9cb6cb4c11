/*
 * What a card does by itself: an order that it sends when the market comes, and books whose changes
 * it tells. On every backend of this build; one that cannot says so.
 */
#include "card_frames.h"
#include "dp_generate.h"
#include "dp_itch_apply.h"
#include "dp_port_card.h"
#include "each_card.h"

#include <errno.h>

#define SESSION "0000000001"
#define SLOT 3u
#define LOCATE 7u
#define PRICE 10000u

/* ---- the trigger ---- */

/* A packet with one order of the market. */
static struct card_frame market_order(uint8_t type, uint16_t locate, uint8_t side, uint32_t price4)
{
    struct card_frame frame = card_feed_frame(SESSION, 1, &locate, 1, type);
    uint8_t *message = frame.data + DP_NET_UDP_HEADERS_SIZE + DP_MOLDUDP_HEADER_SIZE + 2;
    message[19] = side;
    dp_store_be32(message + 20, 100);
    memcpy(message + 24, "AAPL    ", 8);
    dp_store_be32(message + 32, price4);
    frame.size = dp_net_build_udp(
        frame.data, &card_venue, &card_group, frame.size - DP_NET_UDP_HEADERS_SIZE, 7);
    return frame;
}

static const struct dp_template_fields order_fields = {.user_ref_num = 77,
    .qty = 300,
    .price_wire = PRICE,
    .tcp_seq = 9,
    .side_wire = 'B',
    .time_in_force_wire = '3'};

static struct dp_template order_template(void)
{
    static const struct dp_ouch_session session = {
        .cl_ord_id_prefix = "TP", .capacity = 'P', .display = 'Y'};
    struct dp_template template_ = {0};
    dp_ouch_enter_template(&template_, &session, "AAPL    ");
    return template_;
}

/* False: this card has no trigger, and has said so. */
static bool set_trigger(struct dp_card *card, uint8_t side)
{
    const struct dp_card_trigger trigger = {.stock_locate = LOCATE, .side = side, .price4 = PRICE};
    struct dp_template template_ = order_template();
    struct dp_err err = {0};
    bool able = can(card, DP_CARD_CAN_TRIGGER);
    if (able)
        CHECK_EQUAL(dp_card_load(card, SLOT, &template_, &err), 0);
    CHECK_EQUAL(
        dp_card_set_trigger(card, SLOT, &order_fields, &trigger, &err), able ? 0 : -ENOTSUP);
    return able;
}

static void show(struct dp_card *card, const struct card_frame *frame)
{
    uint8_t out[DP_CARD_FRAME_MAX];
    dp_card_ingress(card, frame->data, frame->size, out);
}

static void check_fired(struct dp_card *card)
{
    struct dp_template template_ = order_template();
    uint8_t expected[DP_TEMPLATE_FRAME_MAX];
    uint8_t frame[DP_TEMPLATE_FRAME_MAX];
    uint32_t size = dp_template_build(&template_, &order_fields, expected);
    CHECK_EQUAL(dp_card_trigger_state(card), DP_CARD_TRIGGER_FIRED);
    CHECK_EQUAL(dp_card_fired(card, frame), size);
    CHECK(memcmp(frame, expected, size) == 0);
    CHECK_EQUAL(dp_card_fired(card, frame), 0); /* once */
    CHECK_EQUAL(dp_card_end_trigger(card), DP_CARD_TRIGGER_FIRED);
}

static void check_trigger(struct dp_card *card)
{
    static const struct {
        uint8_t side, type, market_side;
        uint16_t locate;
        uint32_t price4;
        bool fires;
    } rows[] = {
        {'S', 'A', 'S', LOCATE, PRICE + 1, false},
        {'S', 'A', 'B', LOCATE, PRICE, false},
        {'S', 'A', 'S', LOCATE + 1, PRICE, false},
        {'S', 'D', 'S', LOCATE, PRICE, false},
        {'S', 'A', 'S', LOCATE, PRICE, true},
        {'S', 'F', 'S', LOCATE, PRICE - 1, false}, /* shorter than an F */
        {'B', 'A', 'B', LOCATE, PRICE - 1, false},
        {'B', 'A', 'B', LOCATE, PRICE, true},
        {'B', 'A', 'B', LOCATE, UINT32_MAX, true},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        if (!set_trigger(card, rows[row].side))
            return;
        struct card_frame frame =
            market_order(rows[row].type, rows[row].locate, rows[row].market_side, rows[row].price4);
        show(card, &frame);
        if (rows[row].fires)
            check_fired(card);
        else
            CHECK_THAT(dp_card_end_trigger(card) == DP_CARD_TRIGGER_IDLE, "row %zu", row);
        show(card, &frame);
        CHECK_EQUAL(dp_card_fired(card, frame.data), 0); /* ended, or fired already */
    }
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_TRIGGERED), 3);
}

static void test_an_order_leaves_when_the_market_comes_and_only_once(void)
{
    on_each_card(check_trigger);
}

static void check_halted(struct dp_card *card)
{
    uint8_t frame[DP_TEMPLATE_FRAME_MAX];
    struct card_frame market = market_order('A', LOCATE, 'S', PRICE);
    if (!set_trigger(card, 'S'))
        return;
    CHECK_EQUAL(dp_card_control(card, DP_CARD_HALT, true, NULL), 0);
    show(card, &market);
    CHECK_EQUAL(dp_card_trigger_state(card), DP_CARD_TRIGGER_REFUSED);
    CHECK_EQUAL(dp_card_fired(card, frame), 0);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_REFUSED_HALT), 1);
}

static void test_halted_it_does_not_leave(void)
{
    on_each_card(check_halted);
}

static void check_wrong(struct dp_card *card)
{
    struct dp_card_trigger trigger = {.stock_locate = LOCATE, .side = 'T', .price4 = PRICE};
    struct dp_err err = {0};
    bool able = can(card, DP_CARD_CAN_TRIGGER);
    int refusal = able ? -EINVAL : -ENOTSUP;
    CHECK_EQUAL(dp_card_set_trigger(card, SLOT, &order_fields, &trigger, &err), refusal);
    trigger.side = 'S';
    CHECK_EQUAL(dp_card_set_trigger(card, DP_CARD_SLOTS, &order_fields, &trigger, &err), refusal);
    if (!able)
        return;
    /* Nothing is loaded there: there is nothing to send. */
    CHECK_EQUAL(dp_card_set_trigger(card, SLOT + 1, &order_fields, &trigger, &err), -EIO);
    CHECK(set_trigger(card, 'S'));
    CHECK_EQUAL(dp_card_set_trigger(card, SLOT, &order_fields, &trigger, &err), -EBUSY);
    dp_card_write(card, DP_CARD_REG_TRIGGER_PRICE, 1); /* an armed one does not change */
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_TRIGGER_PRICE), PRICE);
}

static void test_a_wrong_trigger_is_refused_and_an_armed_one_stays(void)
{
    on_each_card(check_wrong);
}

static void test_a_port_behind_the_card_sends_what_it_fired(void)
{
    struct dp_card *card = dp_card_open("soft", NULL, NULL);
    struct dp_port *far, *inner;
    struct dp_packet packet = {0};
    CHECK_EQUAL(dp_port_loop_open(&far, &inner, 8, NULL), 0);
    struct dp_port *port = dp_port_card_open(inner, card, NULL);
    struct card_frame market = market_order('A', LOCATE, 'S', PRICE);
    const struct dp_packet sent = {.data = market.data, .size = market.size, .time_ns = 5};
    CHECK(set_trigger(card, 'S'));
    CHECK_EQUAL(dp_port_send(far, &sent, 1), 1);
    CHECK_EQUAL(dp_port_receive(port, &packet, 1), 1);
    CHECK_EQUAL(dp_port_receive(far, &packet, 1), 1);
    CHECK_EQUAL(packet.size, order_template().frame_size);
    CHECK_EQUAL(packet.time_ns, 5);
    CHECK_EQUAL(port->stats.tx_packets, 1);
    CHECK_EQUAL(dp_port_receive(port, &packet, 1), 0);
    CHECK_EQUAL(dp_port_receive(far, &packet, 1), 0);
    dp_port_close(port, NULL);
    dp_port_close(inner, NULL);
    dp_port_close(far, NULL);
    dp_card_close(card);
}

/* ---- deltas ---- */

#define MESSAGES 20000u
#define SYMBOLS 8u
#define LADDER 65536u /* levels; a power of two, and far more than there are */
#define BURST 64u

struct rung {
    struct dp_card_delta last; /* sequence 0: none */
};

static struct rung ladder[LADDER];

static struct rung *find_rung(uint16_t locate, uint8_t side, uint32_t price4)
{
    uint32_t at = (price4 * 2654435761u ^ locate * 40503u ^ side) % LADDER;
    while (ladder[at].last.sequence != 0 &&
        (ladder[at].last.stock_locate != locate || ladder[at].last.side != side ||
            ladder[at].last.price4 != price4))
        at = (at + 1) % LADDER;
    return &ladder[at];
}

static uint32_t take(struct dp_card *card, uint64_t *sequence)
{
    struct dp_card_delta deltas[BURST];
    uint32_t total = 0;
    for (uint32_t count; (count = dp_card_deltas(card, deltas, BURST)) > 0; total += count)
        for (uint32_t index = 0; index < count; index++) {
            CHECK(deltas[index].sequence >= *sequence);
            *sequence = deltas[index].sequence;
            find_rung(deltas[index].stock_locate, deltas[index].side, deltas[index].price4)->last =
                deltas[index];
        }
    return total;
}

static uint32_t compare_side(
    const struct dp_books *books, uint16_t locate, enum dp_side side, uint8_t letter)
{
    static struct dp_book_level_view levels[8192];
    uint32_t count = dp_book_levels(books, locate, side, levels, 8192);
    for (uint32_t index = 0; index < count; index++)
        CHECK_EQUAL(
            find_rung(locate, letter, (uint32_t)(levels[index].price_nanos / 100000))->last.qty,
            levels[index].qty);
    return count;
}

static struct dp_books *open_books(void)
{
    const struct dp_books_config config = {
        .instrument_count_max = 64, .order_count_max = 65536, .level_count_max = 65536};
    size_t size = dp_round_up(dp_books_size(&config), DP_CACHE_LINE);
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    memset(books, 0, size);
    CHECK_EQUAL(dp_books_init(books, &config, NULL), 0);
    return books;
}

static void send_message(
    struct dp_card *card, uint64_t sequence, const uint8_t *message, uint32_t size)
{
    uint8_t frame[512];
    uint8_t out[DP_CARD_FRAME_MAX];
    uint8_t *payload = frame + DP_NET_UDP_HEADERS_SIZE;
    size_t at = dp_moldudp_build(payload, (const uint8_t *)SESSION, sequence, 1);
    dp_store_be16(payload + at, (uint16_t)size);
    memcpy(payload + at + 2, message, size);
    uint32_t whole = dp_net_build_udp(frame, &card_venue, &card_group, (uint32_t)at + 2 + size, 7);
    dp_card_ingress(card, frame, whole, out);
    dp_card_ingress(card, frame, whole, out); /* the other line's copy */
}

/* A day of the generator's: books of the program's on the one hand, of the card's deltas on the
 * other. */
static void check_deltas(struct dp_card *card)
{
    const struct dp_generate_config config = {
        .seed = 5, .message_count = MESSAGES, .symbol_count = SYMBOLS};
    uint8_t message[DP_GENERATE_MESSAGE_MAX];
    struct dp_counters counters = {0};
    struct dp_itch_message decoded;
    uint64_t sequence = 0, seen = 0;
    uint32_t size, levels = 0, rungs = 0;
    if (dp_card_control(card, DP_CARD_ARBITRATE | DP_CARD_DELTA, true, NULL) < 0) {
        struct dp_card_delta none;
        CHECK(!can(card, DP_CARD_CAN_DELTA));
        CHECK_EQUAL(dp_card_deltas(card, &none, 1), 0);
        return;
    }
    memset(ladder, 0, sizeof(ladder));
    dp_card_arm_all(card, true);
    dp_card_expect(card, (const uint8_t *)SESSION, 1);
    struct dp_generate *generate = dp_generate_open(&config, NULL);
    struct dp_books *books = open_books();
    while ((size = dp_generate_next(generate, message)) > 0) {
        send_message(card, ++sequence, message, size);
        CHECK_EQUAL(dp_itch_decode(message, size, &decoded), DP_ITCH_OK);
        dp_itch_apply(books, &counters, &decoded, 0);
        take(card, &seen);
        if (sequence != MESSAGES / 2)
            continue;
        for (uint16_t locate = 0; locate < 64; locate++)
            levels += compare_side(books, locate, DP_SIDE_BUY, 'B') +
                compare_side(books, locate, DP_SIDE_SELL, 'S');
        for (uint32_t at = 0; at < LADDER; at++)
            rungs += ladder[at].last.qty > 0;
    }
    CHECK(levels > 50);
    CHECK_EQUAL(rungs, levels);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_DELTAS_LOST), 0);
    dp_generate_close(generate);
    free(books);
}

static void test_deltas_make_the_books_of_the_program(void)
{
    on_each_card(check_deltas);
}

/* A packet of such orders, each with its number in the feed as its reference. */
static struct card_frame market_orders(uint64_t sequence, uint16_t count)
{
    static const uint16_t locates[] = {LOCATE, LOCATE, LOCATE};
    struct card_frame frame = card_feed_frame(SESSION, sequence, locates, count, 'A');
    for (uint16_t index = 0; index < count; index++) {
        uint8_t *message = frame.data + DP_NET_UDP_HEADERS_SIZE + DP_MOLDUDP_HEADER_SIZE + 2 +
            index * (ADD_SIZE + 2);
        dp_store_be64(message + 11, sequence + index);
        message[19] = 'S';
        dp_store_be32(message + 20, 100);
        dp_store_be32(message + 32, PRICE);
    }
    frame.size = dp_net_build_udp(
        frame.data, &card_venue, &card_group, frame.size - DP_NET_UDP_HEADERS_SIZE, 7);
    return frame;
}

static void check_qty(struct dp_card *card, uint64_t sequence, uint64_t qty)
{
    struct dp_card_delta delta = {0};
    CHECK_EQUAL(dp_card_deltas(card, &delta, 1), 1);
    CHECK_EQUAL(delta.sequence, sequence);
    CHECK_EQUAL(delta.qty, qty);
}

static void check_hole(struct dp_card *card)
{
    struct dp_card_delta none;
    struct card_frame first = market_orders(1, 1);
    struct card_frame overlap = market_orders(1, 2);
    struct card_frame ahead = market_orders(4, 1);
    if (dp_card_control(card, DP_CARD_ARBITRATE | DP_CARD_DELTA, true, NULL) < 0)
        return;
    dp_card_arm(card, LOCATE, true);
    dp_card_expect(card, (const uint8_t *)SESSION, 1);
    show(card, &first);
    check_qty(card, 1, 100);
    show(card, &overlap);
    check_qty(card, 2, 200);
    show(card, &ahead); /* 3 is missing */
    CHECK_EQUAL(dp_card_deltas(card, &none, 1), 0);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_DELTAS_LOST), 1);
    /* Off and on: empty books, from what is expected now. */
    CHECK_EQUAL(dp_card_control(card, DP_CARD_DELTA, false, NULL), 0);
    CHECK_EQUAL(dp_card_control(card, DP_CARD_DELTA, true, NULL), 0);
    dp_card_expect(card, (const uint8_t *)SESSION, 4);
    show(card, &ahead);
    check_qty(card, 4, 100);
}

static void test_a_hole_ends_the_deltas_and_is_counted(void)
{
    on_each_card(check_hole);
}

int main(void)
{
    RUN_TESTS(TEST(test_an_order_leaves_when_the_market_comes_and_only_once),
        TEST(test_halted_it_does_not_leave),
        TEST(test_a_wrong_trigger_is_refused_and_an_armed_one_stays),
        TEST(test_a_port_behind_the_card_sends_what_it_fired),
        TEST(test_deltas_make_the_books_of_the_program),
        TEST(test_a_hole_ends_the_deltas_and_is_counted));
}
