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
    for (const char *type = "SRHAECXDUPQB"; *type != '\0'; type++)
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

static void test_other_types_are_not_encoded(void)
{
    uint8_t data[DP_ITCH_ENCODED_MAX];
    for (int type = 0; type < 256; type++) {
        struct dp_itch_message sent = full((uint8_t)type);
        bool known = type != 0 && strchr("SRHAECXDUPQB", type) != NULL;
        CHECK_THAT((dp_itch_encode(&sent, data) != 0) == known, "type %d", type);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_every_type_of_a_venue_comes_back),
        TEST(test_the_fields_that_books_need_are_there), TEST(test_other_types_are_not_encoded));
}
