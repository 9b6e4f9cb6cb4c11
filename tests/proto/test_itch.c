#include "dp_itch.h"

#include "check.h"
#include "guard.h"

#define MESSAGE_SIZE_MAX 64

/* A message of the type with every other byte the same. */
static const uint8_t *filled(uint8_t type, uint8_t byte, size_t size)
{
    uint8_t message[MESSAGE_SIZE_MAX];
    memset(message, byte, sizeof(message));
    message[0] = type;
    return guard_place(message, size);
}

static void test_every_shorter_length_is_short(void)
{
    const struct dp_itch_type *type;
    for (size_t index = 0; (type = dp_itch_type_at(index)) != NULL; index++)
        for (size_t size = 0; size < type->length; size++) {
            struct dp_itch_message message;
            const uint8_t *data = filled((uint8_t)type->type, 0x41, size);
            CHECK_THAT(dp_itch_decode(data, size, &message) == DP_ITCH_SHORT,
                "%c: length %zu passed", type->type, size);
            CHECK_EQUAL(message.type, size == 0 ? 0 : type->type);
        }
}

/* Field by field: padding may differ. stock points elsewhere. */
static bool same(const struct dp_itch_message *one, const struct dp_itch_message *other)
{
    return one->type == other->type && one->side == other->side && one->code == other->code &&
        one->market_code == other->market_code && one->stock_locate == other->stock_locate &&
        one->tracking_number == other->tracking_number && one->price4 == other->price4 &&
        one->timestamp_ns == other->timestamp_ns && one->order_ref == other->order_ref &&
        one->new_order_ref == other->new_order_ref && one->qty == other->qty &&
        one->match_number == other->match_number && (one->stock == NULL) == (other->stock == NULL);
}

static void test_longer_messages_give_their_known_prefix(void)
{
    const struct dp_itch_type *type;
    for (size_t index = 0; (type = dp_itch_type_at(index)) != NULL; index++) {
        struct dp_itch_message exact, longer;
        uint8_t letter = (uint8_t)type->type;
        const uint8_t *data = filled(letter, 0x42, type->length);
        CHECK_EQUAL(dp_itch_decode(data, type->length, &exact), DP_ITCH_OK);
        data = filled(letter, 0x42, type->length + 1u);
        CHECK_EQUAL(dp_itch_decode(data, type->length + 1u, &longer), DP_ITCH_LONGER);
        CHECK(same(&exact, &longer));
    }
}

static void test_every_other_type_byte_is_unknown(void)
{
    int known = 0;
    for (int byte = 0; byte < 256; byte++) {
        struct dp_itch_message message;
        const uint8_t *data = filled((uint8_t)byte, 0, MESSAGE_SIZE_MAX);
        enum dp_itch_result result = dp_itch_decode(data, MESSAGE_SIZE_MAX, &message);
        const struct dp_itch_type *type = dp_itch_type((uint8_t)byte);
        CHECK_EQUAL(result, type == NULL ? DP_ITCH_UNKNOWN : DP_ITCH_LONGER);
        CHECK_EQUAL(dp_itch_length((uint8_t)byte), type == NULL ? 0 : type->length);
        CHECK_EQUAL(message.type, byte);
        known += type != NULL;
        if (type == NULL)
            CHECK_EQUAL(dp_itch_decode(filled((uint8_t)byte, 0, 1), 1, &message), DP_ITCH_UNKNOWN);
    }
    CHECK_EQUAL(known, 23);
}

static void test_no_code_letter_fails_a_message(void)
{
    const struct dp_itch_type *type;
    for (size_t index = 0; (type = dp_itch_type_at(index)) != NULL; index++)
        for (int byte = 0; byte < 256; byte++) {
            struct dp_itch_message message;
            const uint8_t *data = filled((uint8_t)type->type, (uint8_t)byte, type->length);
            CHECK_EQUAL(dp_itch_decode(data, type->length, &message), DP_ITCH_OK);
            CHECK(message.side == 0 || byte == 'B' || byte == 'S');
        }
}

static void test_only_two_sides_exist(void)
{
    for (int byte = 0; byte < 256; byte++) {
        struct dp_itch_message message;
        CHECK_EQUAL(dp_itch_decode(filled('A', (uint8_t)byte, 36), 36, &message), DP_ITCH_OK);
        int expected = byte == 'B' ? DP_SIDE_BUY : byte == 'S' ? DP_SIDE_SELL : DP_SIDE_NONE;
        CHECK_EQUAL(message.side, expected);
    }
}

static void test_fields_are_contiguous_and_fill_the_length(void)
{
    const struct dp_itch_type *type;
    for (size_t index = 0; (type = dp_itch_type_at(index)) != NULL; index++) {
        uint32_t offset = 0;
        for (uint32_t field = 0; field < type->field_count; field++) {
            CHECK_THAT(type->fields[field].offset == offset, "%s: %s stands at %u, not %u",
                type->name, type->fields[field].name, type->fields[field].offset, offset);
            offset += type->fields[field].length;
        }
        CHECK_EQUAL(offset, type->length);
    }
}

/* Locate 1, tracking 2, 09:30:00.000000001, order 3, sell 400 of "AB", at 12.34. */
static const uint8_t add_order[36] = {'A', 0, 1, 0, 2, 0x1f, 0x1a, 0xce, 0xd9, 0xf0, 0x01, 0, 0, 0,
    0, 0, 0, 0, 3, 'S', 0, 0, 1, 0x90, 'A', 'B', ' ', ' ', ' ', ' ', ' ', ' ', 0, 1, 0xe2, 0x08};

static void test_an_add_is_decoded_whole(void)
{
    struct dp_itch_message message;
    const uint8_t *data = guard_place(add_order, sizeof(add_order));
    CHECK_EQUAL(dp_itch_decode(data, sizeof(add_order), &message), DP_ITCH_OK);
    CHECK_EQUAL(message.type, 'A');
    CHECK_EQUAL(message.side, DP_SIDE_SELL);
    CHECK_EQUAL(message.stock_locate, 1);
    CHECK_EQUAL(message.tracking_number, 2);
    CHECK_EQUAL(message.timestamp_ns, 34200000000001);
    CHECK_EQUAL(message.order_ref, 3);
    CHECK_EQUAL(message.qty, 400);
    CHECK_EQUAL(message.price4, 123400);
    CHECK(message.stock == data + 24);
}

static void test_rendering_says_every_field(void)
{
    char text[DP_ITCH_TEXT_SIZE];
    CHECK(dp_itch_render(add_order, sizeof(add_order), false, text, sizeof(text)) == strlen(text));
    CHECK_TEXT(text,
        "09:30:00.000000001 add_order stock_locate=1 tracking_number=2 "
        "order_reference_number=3 side=S shares=400 stock=AB price=12.3400");
    CHECK(dp_itch_render(add_order, sizeof(add_order), true, text, sizeof(text)) == strlen(text));
    CHECK_TEXT(text,
        "{\"type\":\"A\",\"name\":\"add_order\",\"message_type\":\"A\",\"stock_locate\":1,"
        "\"tracking_number\":2,\"timestamp\":34200000000001,\"order_reference_number\":3,"
        "\"side\":\"S\",\"shares\":400,\"stock\":\"AB\",\"price\":123400}");
}

static void test_bytes_that_are_no_text_are_escaped(void)
{
    uint8_t message[12] = {'S', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1f};
    char text[DP_ITCH_TEXT_SIZE];
    static const struct {
        uint8_t byte;
        const char *json, *text;
    } rows[] = {{0x1f, "\"\\u001f\"}", "=\\u001f"}, {0xff, "\"\\u00ff\"}", "=\\u00ff"},
        {'"', "\"\\u0022\"}", "=\""}, {'\\', "\"\\u005c\"}", "=\\u005c"}, {' ', "\" \"}", "="}};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        message[11] = rows[row].byte;
        dp_itch_render(message, sizeof(message), true, text, sizeof(text));
        CHECK_TEXT(strrchr(text, ':') + 1, rows[row].json);
        dp_itch_render(message, sizeof(message), false, text, sizeof(text));
        CHECK_TEXT(strrchr(text, '='), rows[row].text);
    }
}

static void test_any_message_fits_and_a_smaller_room_gets_nothing(void)
{
    const struct dp_itch_type *type;
    for (size_t index = 0; (type = dp_itch_type_at(index)) != NULL; index++)
        for (int json = 0; json < 2; json++) {
            char text[DP_ITCH_TEXT_SIZE];
            const uint8_t *data = filled((uint8_t)type->type, 0xff, type->length);
            size_t size = dp_itch_render(data, type->length, json, text, sizeof(text));
            CHECK_THAT(size > 0 && size <= 700, "%s takes %zu characters", type->name, size);
            CHECK_EQUAL(dp_itch_render(data, type->length, json, text, size), 0);
            CHECK_EQUAL(dp_itch_render(data, type->length, json, text, size + 1), size);
            size_t cut = type->length - 1u;
            data = filled((uint8_t)type->type, 0xff, cut);
            CHECK_EQUAL(dp_itch_render(data, cut, json, text, sizeof(text)), 0);
        }
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_every_shorter_length_is_short),
        TEST(test_longer_messages_give_their_known_prefix),
        TEST(test_every_other_type_byte_is_unknown), TEST(test_no_code_letter_fails_a_message),
        TEST(test_only_two_sides_exist), TEST(test_fields_are_contiguous_and_fill_the_length),
        TEST(test_an_add_is_decoded_whole), TEST(test_rendering_says_every_field),
        TEST(test_bytes_that_are_no_text_are_escaped),
        TEST(test_any_message_fits_and_a_smaller_room_gets_nothing));
}
