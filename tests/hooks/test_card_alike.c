/*
 * Frames that nobody would send: each backend does with them what the reference does, counter by
 * counter. What a backend cannot do is turned off in both.
 */
#include "card_frames.h"
#include "each_card.h"

#define ROUNDS 20000u
#define SEED 20261125u
#define SESSION "0000000001"

static uint64_t state;

static uint32_t below(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % limit);
}

/* A few bits of it changed, many of them where lengths and types stand, and sometimes its end. */
static void spoil(struct card_frame *frame)
{
    for (uint32_t count = below(3); count > 0; count--) {
        uint32_t at = below(2) == 0 ? 12 + below(70) : below(frame->size);
        if (at < frame->size)
            frame->data[at] ^= (uint8_t)(1u << below(8));
    }
    if (below(8) == 0)
        frame->size = 1 + below(frame->size);
    else if (below(8) == 0)
        frame->size += below(20); /* padding */
    if (below(6) == 0 && frame->size > 14)
        card_tag(frame);
}

static struct card_frame some_feed_frame(void)
{
    static const char *const sessions[] = {SESSION, "0000000002"};
    uint16_t locates[5];
    uint16_t count = (uint16_t)below(6);
    for (uint32_t index = 0; index < count; index++)
        locates[index] = (uint16_t)(below(4) == 0 ? below(65536) : below(40));
    return card_feed_frame(sessions[below(8) == 0], 1 + below(12), locates, count,
        (uint8_t) "AFECXDUPQBIRHYLV"[below(16)]);
}

static struct card_frame some_order_frame(void)
{
    static const uint8_t types[] = {'O', 'U', 'X', 'O', 'M'};
    static const uint8_t options[] = {5, 2, 0, 0, 0, 1, 1, 9, 3, 4, 0, 7}; /* whole at 6, 8, 12 */
    struct card_frame frame = {0};
    for (uint32_t count = 1 + below(3); count > 0; count--) {
        uint64_t price = below(9) == 0 ? 1ull << 33 : 24998 + below(5);
        struct dp_ouch_message message = card_order(types[below(5)], below(200), price);
        if (message.type != 'X' && below(2) == 0) {
            message.options = options;
            message.options_size = below(4) == 0 ? below(13) : 2 * below(7);
        }
        card_add_message(&frame, &message);
    }
    if (below(4) == 0) /* a bit of the appendage's length, or of an option */
        frame.data[frame.size - 1 - below(14)] ^= (uint8_t)(1u << below(4));
    return frame;
}

/* ---- both cards alike ---- */

struct pair {
    struct dp_card *reference;
    struct dp_card *other;
};

static void write_both(struct pair pair, uint32_t offset, uint32_t value)
{
    dp_card_write(pair.reference, offset, value);
    dp_card_write(pair.other, offset, value);
}

static uint32_t able_bits(const struct dp_card *card)
{
    uint32_t bits = 0;
    if (card->capabilities & DP_CARD_CAN_FILTER)
        bits |= DP_CARD_FILTER;
    if (card->capabilities & DP_CARD_CAN_ARBITRATE)
        bits |= DP_CARD_ARBITRATE;
    if (card->capabilities & DP_CARD_CAN_GATE)
        bits |= DP_CARD_GATE | DP_CARD_HALT;
    return bits;
}

static void compare_ingress(struct pair pair, const struct card_frame *frame, uint32_t round)
{
    uint8_t expected[DP_CARD_FRAME_MAX];
    uint8_t out[DP_CARD_FRAME_MAX];
    uint32_t size = dp_card_ingress(pair.reference, frame->data, frame->size, expected);
    CHECK_THAT(dp_card_ingress(pair.other, frame->data, frame->size, out) == size,
        "round %u: size is not %u", round, size);
    CHECK_THAT(memcmp(out, expected, size) == 0, "round %u", round);
}

static void compare_egress(struct pair pair, const struct card_frame *frame, uint32_t round)
{
    bool leaves = dp_card_egress(pair.reference, frame->data, frame->size);
    CHECK_THAT(dp_card_egress(pair.other, frame->data, frame->size) == leaves,
        "round %u: an order frame %s leave", round, leaves ? "must" : "must not");
}

static void compare_counts(struct pair pair)
{
    for (uint32_t count = 0; count < DP_CARD_COUNT_END; count++)
        CHECK_THAT(dp_card_count(pair.reference, count) == dp_card_count(pair.other, count),
            "%s: %" PRIu64 ", not %" PRIu64, dp_card_count_words(count),
            dp_card_count(pair.other, count), dp_card_count(pair.reference, count));
}

/* Another setting now and then. */
static void set_up(struct pair pair)
{
    uint32_t control = below(16) & able_bits(pair.other);
    write_both(pair, DP_CARD_REG_CONTROL, control);
    write_both(pair, DP_CARD_REG_QTY_MAX, 150);
    write_both(pair, DP_CARD_REG_PRICE_MAX, below(3) == 0 ? UINT32_MAX : 25000);
    write_both(pair, DP_CARD_REG_CREDIT, below(3) == 0 ? UINT32_MAX : below(60));
    write_both(pair, DP_CARD_REG_ARMED, below(1u << 31));
    uint64_t expected = below(4) == 0 ? 0 : 1 + below(12);
    dp_card_expect(pair.reference, (const uint8_t *)SESSION, expected);
    dp_card_expect(pair.other, (const uint8_t *)SESSION, expected);
}

static void compare(struct pair pair)
{
    state = SEED;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (round % 50 == 0)
            set_up(pair);
        struct card_frame feed = some_feed_frame();
        struct card_frame order = some_order_frame();
        spoil(&feed);
        spoil(&order);
        compare_ingress(pair, &feed, round);
        compare_egress(pair, &order, round);
        compare_egress(pair, &feed, round);
    }
    compare_counts(pair);
}

static void compare_with_reference(struct dp_card *other)
{
    struct dp_err err = {0};
    struct pair pair = {dp_card_open("soft", NULL, &err), other};
    CHECK_THAT(pair.reference != NULL, "%s", err.text);
    if (pair.reference == NULL)
        return;
    if (able_bits(other) != 0)
        compare(pair);
    dp_card_close(pair.reference);
}

static void test_every_backend_does_what_the_reference_does(void)
{
    on_each_card(compare_with_reference);
}

int main(void)
{
    RUN_TESTS(TEST(test_every_backend_does_what_the_reference_does));
}
