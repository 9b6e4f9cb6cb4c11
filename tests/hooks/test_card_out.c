/*
 * What leaves a card, on every backend of this build: the gate, and frames that it builds.
 */
#include "card_frames.h"
#include "each_card.h"

#include <errno.h>

/* ---- the way out ---- */

static void check_leaves(
    struct dp_card *card, uint8_t type, uint32_t qty, uint64_t price, bool leaves)
{
    struct card_frame frame = card_order_frame(type, qty, price);
    CHECK_THAT(
        dp_card_egress(card, frame.data, frame.size) == (leaves || !can(card, DP_CARD_CAN_GATE)),
        "%c of %u at %" PRIu64, type, qty, price);
}

static void check_count(struct dp_card *card, enum dp_card_count count, uint64_t expected)
{
    if (can(card, DP_CARD_CAN_GATE))
        CHECK_THAT(dp_card_count(card, count) == expected, "%s: %" PRIu64 ", not %" PRIu64,
            dp_card_count_words(count), dp_card_count(card, count), expected);
}

static void check_halt(struct dp_card *card)
{
    check_leaves(card, 'O', 100, 10000, true);
    dp_card_control(card, DP_CARD_HALT, true, NULL);
    check_leaves(card, 'O', 100, 10000, false);
    check_leaves(card, 'U', 100, 10000, false);
    check_leaves(card, 'X', 0, 0, true);
    dp_card_control(card, DP_CARD_HALT, false, NULL);
    check_leaves(card, 'O', 100, 10000, true);
    check_count(card, DP_CARD_COUNT_REFUSED_HALT, 2);
    check_count(card, DP_CARD_COUNT_FRAMES_OUT, 3);
}

static void test_halted_only_cancels_leave(void)
{
    on_each_card(check_halt);
}

static void check_limits(struct dp_card *card)
{
    dp_card_write(card, DP_CARD_REG_QTY_MAX, 100);
    dp_card_write(card, DP_CARD_REG_PRICE_MAX, 20000);
    check_leaves(card, 'O', 101, 20001, true); /* off */
    dp_card_control(card, DP_CARD_GATE, true, NULL);
    check_leaves(card, 'O', 100, 20000, true);
    check_leaves(card, 'O', 101, 20000, false);
    check_leaves(card, 'U', 100, 20001, false);
    check_leaves(card, 'O', 100, 1ull << 32, false);
    dp_card_write(card, DP_CARD_REG_PRICE_MAX, UINT32_MAX);
    check_leaves(card, 'O', 100, 1ull << 32, true);
    check_count(card, DP_CARD_COUNT_REFUSED_QTY, 1);
    check_count(card, DP_CARD_COUNT_REFUSED_PRICE, 2);
    check_count(card, DP_CARD_COUNT_ORDERS_OUT, 2);
}

static void test_orders_above_a_limit_do_not_leave(void)
{
    on_each_card(check_limits);
}

static void check_credit(struct dp_card *card)
{
    struct card_frame pair = card_order_frame('O', 1, 1);
    card_add_order(&pair, 'O', 1, 1);
    bool able = dp_card_control(card, DP_CARD_GATE, true, NULL) == 0;
    dp_card_write(card, DP_CARD_REG_CREDIT, 3);
    CHECK(dp_card_egress(card, pair.data, pair.size));
    CHECK_EQUAL(dp_card_egress(card, pair.data, pair.size), !able); /* as a whole or not at all */
    check_leaves(card, 'O', 1, 1, true);
    check_leaves(card, 'X', 0, 0, true);
    check_leaves(card, 'O', 1, 1, false);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_CREDIT), 0);
    check_count(card, DP_CARD_COUNT_REFUSED_CREDIT, 2);
    check_count(card, DP_CARD_COUNT_ORDERS_OUT, 3);
}

static void test_credit_is_spent_by_orders_and_by_whole_frames(void)
{
    on_each_card(check_credit);
}

static void check_unclear(struct dp_card *card)
{
    struct card_frame half = card_order_frame('O', 1, 1);
    struct card_frame fragment = half;
    struct card_frame empty = {.size = 0};
    bool able = dp_card_control(card, DP_CARD_HALT, true, NULL) == 0;
    half.size = dp_net_build_tcp(half.data, &card_us, &card_venue, 20, 1, 1, 1);
    dp_store_be16(fragment.data + 20, 0x2000); /* more of it follows */
    empty.size = dp_net_build_tcp(empty.data, &card_us, &card_venue, 0, 1, 1, 1);
    CHECK_EQUAL(dp_card_egress(card, half.data, half.size), !able);
    CHECK_EQUAL(dp_card_egress(card, fragment.data, fragment.size), !able);
    CHECK(dp_card_egress(card, empty.data, empty.size)); /* an acknowledgement */
    dp_store_be16(empty.data + 12, 0x0806);
    CHECK(dp_card_egress(card, empty.data, empty.size)); /* ARP */
    check_count(card, DP_CARD_COUNT_REFUSED_UNCLEAR, 2);
}

static void test_what_may_hide_an_order_does_not_leave(void)
{
    on_each_card(check_unclear);
}

/* ---- templates ---- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 16;
}

/* Random fields, and the ends of their ranges, where a checksum goes wrong first. */
static struct dp_template_fields some_fields(uint64_t *state, uint32_t round)
{
    uint64_t all = round % 3 == 0 ? 0 : round % 3 == 1 ? UINT64_MAX : next_random(state);
    return (struct dp_template_fields){.user_ref_num = (uint32_t)(all ^ round),
        .orig_user_ref_num = (uint32_t)(all >> 3),
        .qty = (uint32_t)(all >> 5),
        .price_wire = all << 16 | all,
        .tcp_seq = (uint32_t)(all >> 7),
        .tcp_ack = (uint32_t)(all >> 11),
        .ip_id = (uint16_t)all,
        .side_wire = 'B',
        .time_in_force_wire = '0'};
}

static void check_builds(struct dp_card *card, uint32_t slot, const struct dp_template *template_)
{
    uint64_t state = slot;
    for (uint32_t round = 0; round < 300; round++) {
        struct dp_template_fields fields = some_fields(&state, round);
        uint8_t expected[DP_TEMPLATE_FRAME_MAX];
        uint8_t frame[DP_TEMPLATE_FRAME_MAX] = {0};
        uint32_t size = dp_template_build(template_, &fields, expected);
        CHECK_EQUAL(dp_card_build(card, slot, &fields, frame), size);
        CHECK_THAT(memcmp(frame, expected, size) == 0, "slot %u, round %u", slot, round);
    }
}

static void check_template(struct dp_card *card)
{
    static const struct dp_ouch_session session = {
        .cl_ord_id_prefix = "TP", .capacity = 'P', .display = 'Y'};
    static const struct dp_template_fields fields = {.user_ref_num = 77};
    struct dp_template templates[3] = {0};
    uint8_t frame[DP_TEMPLATE_FRAME_MAX];
    struct dp_err err = {0};
    bool able = can(card, DP_CARD_CAN_TEMPLATE);
    dp_ouch_enter_template(&templates[0], &session, "AAPL    ");
    dp_ouch_replace_template(&templates[1], &session);
    dp_ouch_cancel_template(&templates[2], &session);
    CHECK_EQUAL(dp_card_load(card, DP_CARD_SLOTS, &templates[0], &err), able ? -EINVAL : -ENOTSUP);
    for (uint32_t slot = 0; slot < 3; slot++)
        CHECK_EQUAL(dp_card_load(card, slot, &templates[slot], &err), able ? 0 : -ENOTSUP);
    for (uint32_t slot = 0; slot < 3 && able; slot++)
        check_builds(card, slot, &templates[slot]);
    CHECK_EQUAL(dp_card_build(card, 4, &fields, frame), 0);
    CHECK_EQUAL(dp_card_build(card, DP_CARD_SLOTS, &fields, frame), 0);
}

static void test_a_stored_template_gives_the_frame_of_the_program(void)
{
    on_each_card(check_template);
}

static void check_nonsense(struct dp_card *card)
{
    struct dp_template template_ = {.frame_size = DP_TEMPLATE_FRAME_MAX + 1};
    struct dp_template_fields fields = {.user_ref_num = 1};
    uint8_t frame[DP_TEMPLATE_FRAME_MAX];
    if (dp_card_load(card, 0, &template_, NULL) < 0)
        return;
    CHECK_EQUAL(dp_card_build(card, 0, &fields, frame), 0);
    memset(&template_, 0xff, sizeof(template_));
    template_.frame_size = DP_TEMPLATE_FRAME_MAX;
    dp_card_load(card, 0, &template_, NULL);
    CHECK_EQUAL(dp_card_build(card, 0, &fields, frame), DP_TEMPLATE_FRAME_MAX);
}

static void test_a_template_that_makes_no_sense_does_no_harm(void)
{
    on_each_card(check_nonsense);
}

int main(void)
{
    RUN_TESTS(TEST(test_halted_only_cancels_leave), TEST(test_orders_above_a_limit_do_not_leave),
        TEST(test_credit_is_spent_by_orders_and_by_whole_frames),
        TEST(test_what_may_hide_an_order_does_not_leave),
        TEST(test_a_stored_template_gives_the_frame_of_the_program),
        TEST(test_a_template_that_makes_no_sense_does_no_harm));
}
