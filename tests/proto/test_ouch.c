#include "../check.h"
#include "../guard.h"
#include "dp_ouch.h"

#define MESSAGE_MAX 512

static enum dp_ouch_result decode(const void *data, size_t size, enum dp_ouch_direction direction,
    struct dp_ouch_message *message)
{
    return dp_ouch_decode(guard_place(data, size), size, direction, message);
}

static enum dp_ouch_direction direction_of(const struct dp_ouch_type *type)
{
    return (enum dp_ouch_direction)type->direction;
}

/* A message of that type with random bytes in every field and no options. */
static void fill(const struct dp_ouch_type *type, uint64_t *seed, uint8_t *data)
{
    /* Where options must be announced, the last two bytes say that there are none. */
    uint32_t announced = type->appendage == DP_OUCH_APPENDAGE_REQUIRED ? 2 : 0;
    for (uint32_t index = 0; index < type->length; index++)
        data[index] = index + announced < type->length ? (uint8_t)check_random(seed) : 0;
    data[0] = (uint8_t)type->type;
}

static void test_any_values_survive_decoding_and_encoding(void)
{
    uint64_t seed = 42;
    const struct dp_ouch_type *type;
    for (size_t index = 0; (type = dp_ouch_type_at(index)) != NULL; index++) {
        for (int round = 0; round < 1000; round++) {
            uint8_t data[MESSAGE_MAX];
            uint8_t again[MESSAGE_MAX];
            struct dp_ouch_message message;
            fill(type, &seed, data);
            CHECK_EQUAL(decode(data, type->length, direction_of(type), &message), DP_OUCH_OK);
            size_t size = dp_ouch_encode(&message, direction_of(type), again, sizeof(again));
            CHECK_EQUAL(size, type->length);
            CHECK_THAT(memcmp(data, again, size) == 0, "%s changed", type->name);
        }
    }
}

static void test_every_shorter_length_is_short(void)
{
    uint64_t seed = 1;
    const struct dp_ouch_type *type;
    for (size_t index = 0; (type = dp_ouch_type_at(index)) != NULL; index++) {
        uint8_t data[MESSAGE_MAX];
        struct dp_ouch_message message;
        fill(type, &seed, data);
        for (size_t size = 0; size < type->length; size++)
            CHECK_THAT(decode(data, size, direction_of(type), &message) == DP_OUCH_SHORT,
                "%s of %zu bytes passed", type->name, size);
    }
}

static void test_every_letter_is_known_or_unknown_by_direction(void)
{
    static const char *const letters[] = {"OUXMQCDE", "SAUCDEBJPITMRQXGK"};
    uint8_t data[DP_OUCH_FIXED_MAX] = {0};
    for (int direction = DP_OUCH_INBOUND; direction <= DP_OUCH_OUTBOUND; direction++) {
        for (int letter = 0; letter < 256; letter++) {
            bool known = letter != 0 && strchr(letters[direction], letter) != NULL;
            data[0] = (uint8_t)letter;
            uint32_t length = dp_ouch_length((uint8_t)letter, (enum dp_ouch_direction)direction);
            CHECK_EQUAL(length != 0, known);
            struct dp_ouch_message message;
            size_t size = known ? length : sizeof(data);
            CHECK_EQUAL(decode(data, size, (enum dp_ouch_direction)direction, &message),
                known ? DP_OUCH_OK : DP_OUCH_UNKNOWN);
            CHECK_EQUAL(message.type, known ? letter : 0);
        }
    }
}

static const uint8_t good_options[] = {5, 2, 'F', 'I', 'R', 'M', 2, 28, 1, 1, 99};

/* Puts options behind a message the way its type wants them; returns the whole size. */
static size_t append(
    const struct dp_ouch_type *type, uint8_t *data, const uint8_t *options, size_t size)
{
    size_t length_offset = type->length;
    if (type->appendage == DP_OUCH_APPENDAGE_REQUIRED)
        length_offset -= 2;
    data[length_offset] = (uint8_t)(size >> 8);
    data[length_offset + 1] = (uint8_t)size;
    memcpy(data + length_offset + 2, options, size);
    return length_offset + 2 + size;
}

static void test_options_follow_every_message_but_the_system_event(void)
{
    uint64_t seed = 3;
    const struct dp_ouch_type *type;
    for (size_t index = 0; (type = dp_ouch_type_at(index)) != NULL; index++) {
        uint8_t data[MESSAGE_MAX];
        uint8_t again[MESSAGE_MAX];
        struct dp_ouch_message message;
        fill(type, &seed, data);
        size_t size = append(type, data, good_options, sizeof(good_options));
        enum dp_ouch_result result = decode(data, size, direction_of(type), &message);
        if (type->appendage == DP_OUCH_APPENDAGE_NONE) {
            CHECK_EQUAL(result, DP_OUCH_MALFORMED);
            continue;
        }
        CHECK_EQUAL(result, DP_OUCH_OK);
        CHECK_EQUAL(message.options_size, sizeof(good_options));
        CHECK_EQUAL(dp_ouch_encode(&message, direction_of(type), again, size - 1), 0);
        CHECK_EQUAL(dp_ouch_encode(&message, direction_of(type), again, sizeof(again)), size);
        CHECK_THAT(memcmp(data, again, size) == 0, "%s changed", type->name);
    }
}

static void test_a_message_ends_where_its_options_end(void)
{
    uint64_t seed = 4;
    const struct dp_ouch_type *type;
    for (size_t index = 0; (type = dp_ouch_type_at(index)) != NULL; index++) {
        uint8_t data[MESSAGE_MAX] = {0};
        struct dp_ouch_message message;
        fill(type, &seed, data);
        size_t whole = append(type, data, good_options, sizeof(good_options));
        for (size_t size = type->length + 1u; size < whole + 20; size++) {
            enum dp_ouch_result expected =
                size == whole && type->appendage != DP_OUCH_APPENDAGE_NONE ? DP_OUCH_OK
                                                                           : DP_OUCH_MALFORMED;
            CHECK_THAT(decode(data, size, direction_of(type), &message) == expected,
                "%s of %zu bytes", type->name, size);
        }
    }
}

static void test_options_that_do_not_add_up_are_malformed(void)
{
    static const struct {
        const char *name;
        size_t size;
        uint8_t options[8];
        enum dp_ouch_result expected;
    } rows[] = {
        {"none", 0, {0}, DP_OUCH_OK},
        {"a tag alone", 2, {1, 7}, DP_OUCH_OK},
        {"an unknown tag", 4, {3, 250, 1, 2}, DP_OUCH_OK},
        {"length 0", 1, {0}, DP_OUCH_MALFORMED},
        {"length 0 behind a good one", 3, {1, 7, 0}, DP_OUCH_MALFORMED},
        {"a length without its tag", 1, {1}, DP_OUCH_MALFORMED},
        {"one byte past the end", 3, {3, 28, 1}, DP_OUCH_MALFORMED},
        {"the largest length", 3, {255, 28, 1}, DP_OUCH_MALFORMED},
        {"the second past the end", 5, {1, 7, 3, 28, 1}, DP_OUCH_MALFORMED},
    };
    const struct dp_ouch_type *type = dp_ouch_type('O', DP_OUCH_INBOUND);
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        uint8_t data[MESSAGE_MAX] = {'O'};
        struct dp_ouch_message message;
        size_t size = append(type, data, rows[index].options, rows[index].size);
        CHECK_THAT(decode(data, size, DP_OUCH_INBOUND, &message) == rows[index].expected, "%s",
            rows[index].name);
    }
}

static void test_options_are_walked_in_order(void)
{
    struct dp_ouch_message message = {
        .options = guard_place(good_options, sizeof(good_options)),
        .options_size = sizeof(good_options),
    };
    static const uint8_t tags[] = {2, 28, 99};
    static const uint32_t sizes[] = {4, 1, 0};
    uint32_t cursor = 0;
    uint8_t tag = 0;
    const uint8_t *value = NULL;
    uint32_t value_size = 0;
    for (size_t index = 0; index < 3; index++) {
        CHECK(dp_ouch_next_option(&message, &cursor, &tag, &value, &value_size));
        CHECK_EQUAL(tag, tags[index]);
        CHECK_EQUAL(value_size, sizes[index]);
    }
    CHECK(!dp_ouch_next_option(&message, &cursor, &tag, &value, &value_size));
    CHECK_EQUAL(cursor, sizeof(good_options));
}

static void test_random_bytes_never_pass_their_end(void)
{
    uint64_t seed = 5;
    for (int round = 0; round < 200000; round++) {
        uint8_t data[96];
        size_t size = check_random(&seed) % sizeof(data);
        for (size_t index = 0; index < size; index++)
            data[index] = (uint8_t)(check_random(&seed) % (index < 2 ? 256 : 4));
        if (size > 0)
            data[0] = (uint8_t) "OUXMQCDESABJPITRGK"[check_random(&seed) % 18];
        struct dp_ouch_message message;
        if (decode(data, size, round & 1, &message) != DP_OUCH_OK)
            continue;
        uint32_t cursor = 0;
        uint8_t tag = 0;
        const uint8_t *value = NULL;
        uint32_t value_size = 0;
        while (dp_ouch_next_option(&message, &cursor, &tag, &value, &value_size))
            CHECK(value + value_size <= guard_end);
    }
}

struct event_row {
    const char *name;
    struct dp_ouch_message message;
    struct dp_event event;
};

/* One row a message: what it says in FIX words. Midnight is at 1,000. */
static const struct event_row event_rows[] = {
    {"accepted",
        {
            .type = 'A',
            .timestamp_ns = 5,
            .user_ref_num = 7,
            .side = 'B',
            .qty = 100,
            .price_wire = 1234500,
            .time_in_force = '0',
            .order_ref = 9,
            .order_state = 'L',
        },
        {
            .kind = DP_EVENT_ACCEPTED,
            .time_ns = 1005,
            .user_ref_num = 7,
            .side = DP_SIDE_BUY,
            .qty = 100,
            .price_nanos = 123450000000,
            .time_in_force = '0',
            .venue_order_id = 9,
            .order_state = 'L',
        }},
    {"accepted dead", {.type = 'A', .side = 'T', .order_state = 'D'},
        {.kind = DP_EVENT_ACCEPTED, .time_ns = 1000, .side = DP_SIDE_SELL, .order_state = 'D'}},
    {"accepted at a price no int64 holds", {.type = 'A', .side = 'E', .price_wire = UINT64_MAX},
        {
            .kind = DP_EVENT_ACCEPTED,
            .time_ns = 1000,
            .side = DP_SIDE_SELL,
            .price_nanos = DP_PRICE_NONE,
        }},
    {"replaced",
        {
            .type = 'U',
            .user_ref_num = 8,
            .orig_user_ref_num = 7,
            .side = 'S',
            .qty = 60,
            .price_wire = 1,
            .order_ref = 3,
            .order_state = 'L',
            .time_in_force = '3',
        },
        {
            .kind = DP_EVENT_REPLACED,
            .time_ns = 1000,
            .user_ref_num = 8,
            .orig_user_ref_num = 7,
            .side = DP_SIDE_SELL,
            .qty = 60,
            .price_nanos = 100000,
            .venue_order_id = 3,
            .order_state = 'L',
            .time_in_force = '3',
        }},
    {"executed",
        {
            .type = 'E',
            .user_ref_num = 7,
            .qty = 40,
            .price_wire = 2,
            .liquidity_flag = 'A',
            .match_number = 77,
        },
        {
            .kind = DP_EVENT_FILLED,
            .time_ns = 1000,
            .user_ref_num = 7,
            .qty = 40,
            .price_nanos = 200000,
            .liquidity = 'A',
            .exec_id = 77,
        }},
    {"cancelled on request", {.type = 'C', .user_ref_num = 7, .qty = 40, .reason = 'U'},
        {.kind = DP_EVENT_CANCELED, .time_ns = 1000, .user_ref_num = 7, .qty = 40, .reason = 'U'}},
    {"cancelled, time over", {.type = 'C', .qty = 40, .reason = 'T'},
        {.kind = DP_EVENT_EXPIRED, .time_ns = 1000, .qty = 40, .reason = 'T'}},
    {"cancelled, day over", {.type = 'C', .qty = 40, .reason = 'E'},
        {.kind = DP_EVENT_EXPIRED, .time_ns = 1000, .qty = 40, .reason = 'E'}},
    {"cancelled, remainder of an IOC", {.type = 'C', .qty = 1, .reason = 'I'},
        {.kind = DP_EVENT_CANCELED, .time_ns = 1000, .qty = 1, .reason = 'I'}},
    {"self-match",
        {
            .type = 'D',
            .qty = 10,
            .qty_prevented = 20,
            .price_wire = 5,
            .reason = 'Q',
            .liquidity_flag = 'A',
            .aiq_strategy = 'D',
        },
        {.kind = DP_EVENT_CANCELED, .time_ns = 1000, .qty = 10, .reason = 'Q', .liquidity = 'A'}},
    {"rejected", {.type = 'J', .user_ref_num = 7, .reject_code = 0x101},
        {.kind = DP_EVENT_REJECTED, .time_ns = 1000, .user_ref_num = 7, .reason = 0x101}},
    {"cancel pending", {.type = 'P', .user_ref_num = 7},
        {.kind = DP_EVENT_CANCEL_PENDING, .time_ns = 1000, .user_ref_num = 7}},
    {"cancel reject", {.type = 'I', .user_ref_num = 7},
        {.kind = DP_EVENT_CANCEL_REJECTED, .time_ns = 1000, .user_ref_num = 7}},
    {"priority update", {.type = 'T', .user_ref_num = 7, .price_wire = 1, .order_ref = 4},
        {
            .kind = DP_EVENT_RESTATED,
            .time_ns = 1000,
            .user_ref_num = 7,
            .price_nanos = 100000,
            .venue_order_id = 4,
        }},
    {"restated", {.type = 'R', .user_ref_num = 7, .reason = 'P'},
        {.kind = DP_EVENT_RESTATED, .time_ns = 1000, .user_ref_num = 7, .reason = 'P'}},
    {"modified", {.type = 'M', .user_ref_num = 7, .side = 'T', .qty = 5},
        {
            .kind = DP_EVENT_RESTATED,
            .time_ns = 1000,
            .user_ref_num = 7,
            .side = DP_SIDE_SELL,
            .qty = 5,
        }},
    {"broken", {.type = 'B', .user_ref_num = 7, .match_number = 77, .reason = 'E'},
        {
            .kind = DP_EVENT_BROKEN,
            .time_ns = 1000,
            .user_ref_num = 7,
            .exec_id = 77,
            .reason = 'E',
        }},
};

static void test_each_answer_becomes_its_event(void)
{
    for (size_t index = 0; index < sizeof(event_rows) / sizeof(event_rows[0]); index++) {
        const struct event_row *row = &event_rows[index];
        struct dp_event event;
        memset(&event, 0xee, sizeof(event));
        CHECK(dp_ouch_event(&row->message, 1000, &event));
        CHECK_THAT(memcmp(&event, &row->event, sizeof(event)) == 0, "%s", row->name);
    }
}

static void test_messages_about_no_order_are_no_events(void)
{
    for (const char *letter = "SQXGK?"; *letter != 0; letter++) {
        struct dp_ouch_message message = {.type = (uint8_t)*letter};
        struct dp_event event;
        CHECK_THAT(!dp_ouch_event(&message, 0, &event), "%c made an event", *letter);
    }
}

static void test_an_encoder_without_room_or_type_writes_nothing(void)
{
    uint8_t data[DP_OUCH_FIXED_MAX];
    struct dp_ouch_message message = {.type = 'A'};
    CHECK_EQUAL(dp_ouch_encode(&message, DP_OUCH_OUTBOUND, data, 63), 0);
    CHECK_EQUAL(dp_ouch_encode(&message, DP_OUCH_OUTBOUND, data, 64), 64);
    CHECK_EQUAL(dp_ouch_encode(&message, DP_OUCH_INBOUND, data, 64), 0);
    message = (struct dp_ouch_message){.type = 'S', .options = good_options, .options_size = 1};
    CHECK_EQUAL(dp_ouch_encode(&message, DP_OUCH_OUTBOUND, data, 64), 0);
    message = (struct dp_ouch_message){.type = 'O', .options = good_options, .options_size = 65536};
    CHECK_EQUAL(dp_ouch_encode(&message, DP_OUCH_INBOUND, data, SIZE_MAX), 0);
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_any_values_survive_decoding_and_encoding),
        TEST(test_every_shorter_length_is_short),
        TEST(test_every_letter_is_known_or_unknown_by_direction),
        TEST(test_options_follow_every_message_but_the_system_event),
        TEST(test_a_message_ends_where_its_options_end),
        TEST(test_options_that_do_not_add_up_are_malformed), TEST(test_options_are_walked_in_order),
        TEST(test_random_bytes_never_pass_their_end), TEST(test_each_answer_becomes_its_event),
        TEST(test_messages_about_no_order_are_no_events),
        TEST(test_an_encoder_without_room_or_type_writes_nothing));
}
