#include "../check.h"
#include "dp_net.h"
#include "dp_ouch.h"
#include "dp_soup.h"
#include "dp_template.h"

static const struct dp_ouch_session session = {
    .us = {{2, 0, 0, 0, 0, 1}, 0x0a000001, 40001},
    .venue = {{2, 0, 0, 0, 0, 2}, 0x0a0000fe, 15000},
    .cl_ord_id_prefix = "TICK",
    .capacity = 'P',
    .display = 'Y',
};

/* Values that make carries and zero sums likely beside ordinary ones. */
static uint64_t random_value(uint64_t *seed)
{
    static const uint64_t edges[] = {0, 1, 0xff, 0xffff, 0x10000, 0xffff0000, 0xfffffffe,
        0xffffffff, 0xff00ff00, 0xffffffffffffffff, 0xffff0000ffff0000, 0x8000000000000000};
    uint64_t pick = check_random(seed);
    return pick % 3 == 0 ? edges[pick / 3 % (sizeof(edges) / sizeof(edges[0]))]
                         : check_random(seed);
}

static struct dp_template_fields random_fields(uint64_t *seed)
{
    return (struct dp_template_fields){
        .user_ref_num = (uint32_t)random_value(seed),
        .orig_user_ref_num = (uint32_t)random_value(seed),
        .qty = (uint32_t)random_value(seed),
        .price_wire = random_value(seed),
        .tcp_seq = (uint32_t)random_value(seed),
        .tcp_ack = (uint32_t)random_value(seed),
        .ip_id = (uint16_t)random_value(seed),
        .side_wire = "BSTE"[check_random(seed) % 4],
        .time_in_force_wire = "03"[check_random(seed) % 2],
    };
}

static struct dp_ouch_message message_of(
    uint8_t type, const struct dp_template_fields *fields, const char *prefix)
{
    struct dp_ouch_message message = {
        .type = type,
        .side = fields->side_wire,
        .time_in_force = fields->time_in_force_wire,
        .display = session.display,
        .capacity = session.capacity,
        .intermarket_sweep = 'N',
        .cross_type = 'N',
        .user_ref_num = fields->user_ref_num,
        .orig_user_ref_num = fields->orig_user_ref_num,
        .qty = fields->qty,
        .price_wire = fields->price_wire,
    };
    memcpy(message.symbol, "AAPL    ", 8);
    dp_cl_ord_id(prefix, fields->user_ref_num, message.cl_ord_id);
    return message;
}

/* The same frame from nothing: encode, frame, sum every byte. */
static uint32_t build_slowly(
    uint8_t type, const struct dp_template_fields *fields, const char *prefix, uint8_t *frame)
{
    uint8_t *soup = frame + DP_NET_TCP_HEADERS_SIZE;
    struct dp_ouch_message message = message_of(type, fields, prefix);
    size_t size = dp_ouch_encode(&message, DP_OUCH_INBOUND, soup + DP_SOUP_HEADER_SIZE, 64);
    size += dp_soup_build(soup, 'U', (uint32_t)size);
    return dp_net_build_tcp(frame, &session.us, &session.venue, (uint32_t)size, fields->ip_id,
        fields->tcp_seq, fields->tcp_ack);
}

static void check_frame(const struct dp_template *template_, uint8_t type, const char *prefix,
    const struct dp_template_fields *fields)
{
    uint8_t patched[DP_TEMPLATE_FRAME_MAX];
    uint8_t rebuilt[DP_TEMPLATE_FRAME_MAX];
    uint32_t size = dp_template_build(template_, fields, patched);
    CHECK_EQUAL(size, build_slowly(type, fields, prefix, rebuilt));
    CHECK_THAT(memcmp(patched, rebuilt, size) == 0, "%c of number %u differs from the slow frame",
        type, fields->user_ref_num);

    struct dp_net_packet packet;
    CHECK_EQUAL(dp_net_parse(patched, size, true, &packet), DP_NET_OK);
    CHECK_EQUAL(packet.payload_size, template_->payload_size);
    CHECK_EQUAL(packet.tcp_seq, fields->tcp_seq);
}

static void test_patched_frames_equal_rebuilt_ones_for_any_values(void)
{
    struct dp_template enter;
    struct dp_template replace;
    struct dp_template cancel;
    dp_ouch_enter_template(&enter, &session, "AAPL    ");
    dp_ouch_replace_template(&replace, &session);
    dp_ouch_cancel_template(&cancel, &session);

    uint64_t seed = 20260101;
    for (int round = 0; round < 20000; round++) {
        struct dp_template_fields fields = random_fields(&seed);
        check_frame(&enter, 'O', session.cl_ord_id_prefix, &fields);
        check_frame(&replace, 'U', session.cl_ord_id_prefix, &fields);
        check_frame(&cancel, 'X', session.cl_ord_id_prefix, &fields);
    }
}

static void test_every_length_of_prefix_moves_the_digits(void)
{
    static const char prefixes[][DP_CL_ORD_ID_PREFIX_MAX + 1] = {
        "", "A", "AB", "ABC", "ABCDE", "ABCDEF"};
    uint64_t seed = 7;
    for (size_t index = 0; index < sizeof(prefixes) / sizeof(prefixes[0]); index++) {
        struct dp_ouch_session other = session;
        memcpy(other.cl_ord_id_prefix, prefixes[index], sizeof(other.cl_ord_id_prefix));
        struct dp_template enter;
        dp_ouch_enter_template(&enter, &other, "AAPL    ");
        struct dp_template_fields fields = random_fields(&seed);
        check_frame(&enter, 'O', prefixes[index], &fields);
    }
}

static void test_cl_ord_id_is_prefix_and_eight_digits(void)
{
    static const struct {
        const char *prefix;
        uint32_t number;
        const char *expected;
    } rows[] = {
        {"TP", 0, "TP00000000    "},
        {"TP", 0x1234abcd, "TP1234ABCD    "},
        {"TP", 0xffffffff, "TPFFFFFFFF    "},
        {"", 0x9a09f90a, "9A09F90A      "},
        {"ABCDEF", 1, "ABCDEF00000001"},
        {"ABCDEFGH", 1, "ABCDEF00000001"},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        char text[DP_CL_ORD_ID_SIZE + 1] = {0};
        dp_cl_ord_id(rows[index].prefix, rows[index].number, text);
        CHECK_TEXT(text, rows[index].expected);
    }
}

static void test_every_nibble_has_its_digit(void)
{
    for (uint32_t number = 0; number < 1u << 16; number++) {
        char text[DP_CL_ORD_ID_SIZE + 1] = {0};
        char expected[DP_CL_ORD_ID_SIZE + 1];
        dp_cl_ord_id("", number << 8 | number >> 8, text);
        snprintf(expected, sizeof(expected), "%08X      ", number << 8 | number >> 8);
        CHECK_TEXT(text, expected);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_patched_frames_equal_rebuilt_ones_for_any_values),
        TEST(test_every_length_of_prefix_moves_the_digits),
        TEST(test_cl_ord_id_is_prefix_and_eight_digits), TEST(test_every_nibble_has_its_digit));
}
