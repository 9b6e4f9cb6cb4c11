#include "../check.h"
#include "../guard.h"
#include "dp_soup.h"

static enum dp_soup_result parse(const void *data, size_t size, struct dp_soup_packet *packet)
{
    return dp_soup_parse(guard_place(data, size), size, packet);
}

static void test_a_built_packet_is_parsed_back(void)
{
    static const uint32_t sizes[] = {0, 1, 47, 64, 255, 256, 4096, DP_SOUP_PAYLOAD_MAX};
    static uint8_t data[DP_SOUP_HEADER_SIZE + DP_SOUP_PAYLOAD_MAX];
    for (size_t index = 0; index < sizeof(sizes) / sizeof(sizes[0]); index++) {
        CHECK_EQUAL(dp_soup_build(data, 'S', sizes[index]), DP_SOUP_HEADER_SIZE);
        size_t size = DP_SOUP_HEADER_SIZE + sizes[index];
        /* The largest packet is one byte longer than the guarded room. */
        bool guarded = size <= 65536;
        const uint8_t *placed = guarded ? guard_place(data, size) : data;
        struct dp_soup_packet packet;
        CHECK_EQUAL(dp_soup_parse(placed, size, &packet), DP_SOUP_OK);
        CHECK_EQUAL(packet.type, 'S');
        CHECK_EQUAL(packet.payload_size, sizes[index]);
        CHECK_EQUAL(packet.size, size);
        CHECK(packet.payload == placed + DP_SOUP_HEADER_SIZE);
    }
}

static void test_every_shorter_length_asks_for_more(void)
{
    uint8_t data[DP_SOUP_HEADER_SIZE + 40] = {0};
    dp_soup_build(data, 'U', 40);
    struct dp_soup_packet packet;
    for (size_t size = 0; size < sizeof(data); size++)
        CHECK_THAT(parse(data, size, &packet) == DP_SOUP_MORE, "length %zu did not ask", size);
    CHECK_EQUAL(parse(data, sizeof(data), &packet), DP_SOUP_OK);
}

static void test_what_follows_is_left_alone(void)
{
    uint8_t data[2 * DP_SOUP_HEADER_SIZE + 2] = {0, 3, 'S', 'a', 'b', 0, 1, 'H'};
    struct dp_soup_packet packet;
    CHECK_EQUAL(parse(data, sizeof(data), &packet), DP_SOUP_OK);
    CHECK_EQUAL(packet.size, 5);
    CHECK_EQUAL(parse(data + packet.size, sizeof(data) - packet.size, &packet), DP_SOUP_OK);
    CHECK_EQUAL(packet.type, 'H');
    CHECK_EQUAL(packet.payload_size, 0);
}

static int length_allowed(int type, int length)
{
    switch (type) {
    case 'S':
    case 'U':
    case '+': return length >= 1;
    case 'H':
    case 'R':
    case 'O':
    case 'Z': return length == 1;
    case 'J': return length == 2;
    case 'A': return length == 31;
    case 'L': return length == 47;
    default: return 0;
    }
}

static void test_every_type_with_every_length_is_judged(void)
{
    uint8_t data[2 + 80] = {0};
    for (int type = 0; type < 256; type++) {
        for (int length = 0; length <= 80; length++) {
            data[1] = (uint8_t)length;
            data[2] = (uint8_t)type;
            struct dp_soup_packet packet;
            enum dp_soup_result result = parse(data, (size_t)length + 2, &packet);
            enum dp_soup_result expected =
                length_allowed(type, length) ? DP_SOUP_OK : DP_SOUP_MALFORMED;
            CHECK_THAT(result == expected, "type %d, length %d: %d", type, length, (int)result);
        }
    }
}

static void test_a_bad_type_is_seen_before_its_packet_is_whole(void)
{
    const uint8_t data[] = {0xff, 0xff, 'X'};
    struct dp_soup_packet packet;
    CHECK_EQUAL(parse(data, 3, &packet), DP_SOUP_MALFORMED);
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_a_built_packet_is_parsed_back),
        TEST(test_every_shorter_length_asks_for_more), TEST(test_what_follows_is_left_alone),
        TEST(test_every_type_with_every_length_is_judged),
        TEST(test_a_bad_type_is_seen_before_its_packet_is_whole));
}
