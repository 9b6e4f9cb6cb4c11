/* What is encoded decodes to the same, for every type a venue sends; nothing else is encoded. */
#include "../check.h"
#include "dp_itch_encode.h"

static const uint8_t stock[8] = {'T', 'P', 'L', 'N', ' ', ' ', ' ', ' '};

static struct dp_itch_message full(uint8_t type)
{
    return (struct dp_itch_message){
        .type = type,
        .side = DP_SIDE_SELL,
        .code = 'Y',
        .stock_locate = 0x1234,
        .tracking_number = 0x5678,
        .price4 = 0x01020304,
        .timestamp_ns = 0x0a0b0c0d0e0f,
        .order_ref = 0x1122334455667788,
        .new_order_ref = 0x2122334455667788,
        .qty = 0x31323334,
        .match_number = 0x4122334455667788,
        .stock = stock,
    };
}

/* A field that the type has is as it was, one that it lacks is 0. */
#define CHECK_FIELD(field) \
    CHECK_THAT(back.field == sent.field || back.field == 0, "%c: " #field, type)

static void check_type(char type)
{
    struct dp_itch_message sent = full((uint8_t)type);
    uint8_t data[DP_ITCH_ENCODED_MAX];
    uint32_t size = dp_itch_encode(&sent, data);
    CHECK_EQUAL(size, dp_itch_length((uint8_t)type));
    struct dp_itch_message back;
    CHECK_EQUAL(dp_itch_decode(data, size, &back), DP_ITCH_OK);
    CHECK_EQUAL(back.type, type);
    CHECK(back.stock_locate == sent.stock_locate && back.timestamp_ns == sent.timestamp_ns &&
        back.tracking_number == sent.tracking_number);
    CHECK_FIELD(side);
    CHECK_FIELD(code);
    CHECK_FIELD(price4);
    CHECK_FIELD(order_ref);
    CHECK_FIELD(new_order_ref);
    CHECK_FIELD(qty);
    CHECK_FIELD(match_number);
    CHECK_THAT(back.stock == NULL || memcmp(back.stock, stock, 8) == 0, "%c: stock", type);
}

static void test_every_type_of_a_venue_comes_back(void)
{
    for (const char *type = "SRHYAECXDUPQB"; *type != '\0'; type++)
        check_type(*type);
}

static void test_the_fields_that_books_need_are_there(void)
{
    struct dp_itch_message back;
    uint8_t data[DP_ITCH_ENCODED_MAX];
    struct dp_itch_message sent = full('A');
    dp_itch_decode(data, dp_itch_encode(&sent, data), &back);
    CHECK(back.order_ref == sent.order_ref && back.qty == sent.qty && back.price4 == sent.price4 &&
        back.side == DP_SIDE_SELL);
    sent = full('U');
    dp_itch_decode(data, dp_itch_encode(&sent, data), &back);
    CHECK(back.order_ref == sent.order_ref && back.new_order_ref == sent.new_order_ref &&
        back.qty == sent.qty && back.price4 == sent.price4);
    sent = full('C');
    dp_itch_decode(data, dp_itch_encode(&sent, data), &back);
    CHECK(back.match_number == sent.match_number && back.code == 'Y' && back.price4 == sent.price4);
}

static void test_an_imbalance_is_as_the_specification_has_it(void)
{
    const struct dp_itch_noii noii = {
        .stock_locate = 7,
        .far_price4 = 100100,
        .near_price4 = 100200,
        .reference_price4 = 100000,
        .timestamp_ns = 1000000000,
        .paired_qty = 300,
        .imbalance_qty = 50,
        .stock = stock,
        .direction = 'B',
        .cross_type = 'O',
        .variation = 'L',
    };
    uint8_t data[DP_ITCH_ENCODED_MAX];
    char text[DP_ITCH_TEXT_SIZE];
    CHECK(dp_itch_render(data, dp_itch_encode_noii(&noii, data), false, text, sizeof(text)) > 0);
    CHECK_TEXT(text,
        "00:00:01.000000000 noii stock_locate=7 tracking_number=0 paired_shares=300 "
        "imbalance_shares=50 imbalance_direction=B stock=TPLN far_price=10.0100 near_price=10.0200 "
        "current_reference_price=10.0000 cross_type=O price_variation_indicator=L");
}

static void test_other_types_are_not_encoded(void)
{
    uint8_t data[DP_ITCH_ENCODED_MAX];
    for (int type = 0; type < 256; type++) {
        struct dp_itch_message sent = full((uint8_t)type);
        bool known = type != 0 && strchr("SRHYAECXDUPQB", type) != NULL;
        CHECK_THAT((dp_itch_encode(&sent, data) != 0) == known, "type %d", type);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_every_type_of_a_venue_comes_back),
        TEST(test_the_fields_that_books_need_are_there),
        TEST(test_an_imbalance_is_as_the_specification_has_it),
        TEST(test_other_types_are_not_encoded));
}
