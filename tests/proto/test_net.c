#include "dp_net.h"

#include "check.h"
#include "guard.h"

static const struct dp_net_endpoint source = {{2, 0, 0, 0, 0, 1}, 0x0a000001, 1234};
static const struct dp_net_endpoint target = {{2, 0, 0, 0, 0, 2}, 0xe9360c65, 26477};

/* "hello" in a frame; its size in *size. */
static const uint8_t *build(uint8_t frame[128], uint8_t protocol, uint32_t *size)
{
    uint32_t offset = protocol == DP_NET_UDP ? DP_NET_UDP_HEADERS_SIZE : DP_NET_TCP_HEADERS_SIZE;
    memcpy(frame + offset, "hello", 5);
    *size = protocol == DP_NET_UDP ? dp_net_build_udp(frame, &source, &target, 5, 7)
                                   : dp_net_build_tcp(frame, &source, &target, 5, 7, 100, 200);
    return frame;
}

static const uint8_t protocols[] = {DP_NET_UDP, DP_NET_TCP};

static void test_what_is_built_is_parsed(void)
{
    for (size_t index = 0; index < sizeof(protocols); index++) {
        uint8_t frame[128];
        uint32_t size;
        build(frame, protocols[index], &size);
        struct dp_net_packet packet;
        CHECK_EQUAL(dp_net_parse(guard_place(frame, size), size, true, &packet), DP_NET_OK);
        CHECK_EQUAL(packet.payload_size, 5);
        CHECK(memcmp(packet.payload, "hello", 5) == 0);
        CHECK_EQUAL(packet.protocol, protocols[index]);
        CHECK_EQUAL(packet.source_ip, source.ip);
        CHECK_EQUAL(packet.target_ip, target.ip);
        CHECK_EQUAL(packet.source_port, source.port);
        CHECK_EQUAL(packet.target_port, target.port);
        CHECK_EQUAL(packet.vlan, 0);
        CHECK_EQUAL(packet.tcp_seq, protocols[index] == DP_NET_TCP ? 100 : 0);
        CHECK_EQUAL(packet.tcp_ack, protocols[index] == DP_NET_TCP ? 200 : 0);
        CHECK_EQUAL(packet.tcp_flags, protocols[index] == DP_NET_TCP ? 0x18 : 0);
    }
}

static void test_every_shorter_capture_is_short(void)
{
    for (size_t index = 0; index < sizeof(protocols); index++) {
        uint8_t frame[128];
        uint32_t size;
        build(frame, protocols[index], &size);
        for (uint32_t cut = 0; cut < size; cut++) {
            struct dp_net_packet packet;
            CHECK_THAT(dp_net_parse(guard_place(frame, cut), cut, true, &packet) == DP_NET_SHORT,
                "length %u passed", cut);
            CHECK(packet.payload == NULL);
        }
    }
}

static void test_one_wrong_bit_behind_ethernet_is_noticed(void)
{
    for (size_t index = 0; index < sizeof(protocols); index++) {
        uint8_t frame[128];
        uint32_t size;
        build(frame, protocols[index], &size);
        for (uint32_t bit = 14 * 8; bit < size * 8; bit++) {
            struct dp_net_packet packet;
            frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_THAT(dp_net_parse(guard_place(frame, size), size, true, &packet) != DP_NET_OK,
                "bit %u of byte %u", bit % 8, bit / 8);
            frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void test_any_byte_anywhere_reads_nothing_outside(void)
{
    for (size_t index = 0; index < sizeof(protocols); index++) {
        uint8_t frame[128];
        uint32_t size;
        build(frame, protocols[index], &size);
        for (uint32_t at = 12; at < size; at++)
            for (int byte = 0; byte < 256; byte++) {
                uint8_t saved = frame[at];
                frame[at] = (uint8_t)byte;
                struct dp_net_packet packet;
                const uint8_t *placed = guard_place(frame, size);
                if (dp_net_parse(placed, size, false, &packet) == DP_NET_OK)
                    CHECK(packet.payload + packet.payload_size <= placed + size);
                dp_net_parse(placed, size, true, &packet);
                frame[at] = saved;
            }
    }
}

static void test_lengths_that_contradict_themselves(void)
{
    static const struct {
        const char *name;
        uint32_t offset;
        uint16_t value;
        enum dp_net_result result;
    } rows[] = {
        {"ip total below its header", 16, 19, DP_NET_MALFORMED},
        {"ip total without room for udp", 16, 27, DP_NET_MALFORMED},
        {"ip total behind the capture", 16, 34, DP_NET_SHORT},
        {"udp below its header", 38, 7, DP_NET_MALFORMED},
        {"udp longer than ip", 38, 14, DP_NET_MALFORMED},
        {"udp shorter than ip", 38, 12, DP_NET_OK},
        {"ip header of four words", 14, 0x4400, DP_NET_MALFORMED},
        {"ip version 6", 14, 0x6500, DP_NET_MALFORMED},
        {"ip header longer than the packet", 14, 0x4f00, DP_NET_MALFORMED},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        uint8_t frame[128];
        uint32_t size;
        build(frame, DP_NET_UDP, &size);
        dp_store_be16(frame + rows[row].offset, rows[row].value);
        struct dp_net_packet packet;
        enum dp_net_result result = dp_net_parse(guard_place(frame, size), size, false, &packet);
        CHECK_THAT(result == rows[row].result, "%s: %d", rows[row].name, (int)result);
    }
}

/* A checksum that would come out as 0 is sent as 0xffff: 0 says that there is none. */
static void test_no_udp_frame_is_built_without_a_checksum(void)
{
    int ones = 0;
    for (uint32_t value = 0; value < 65536; value++) {
        uint8_t frame[128];
        dp_store_be16(frame + DP_NET_UDP_HEADERS_SIZE, (uint16_t)value);
        uint32_t size = dp_net_build_udp(frame, &source, &target, 2, 1);
        uint16_t checksum = dp_load_be16(frame + 40);
        CHECK(checksum != 0);
        ones += checksum == 0xffff;
        struct dp_net_packet packet;
        CHECK_EQUAL(dp_net_parse(frame, size, true, &packet), DP_NET_OK);
    }
    CHECK(ones >= 1);
}

/* The sum, two bytes at a time, as the RFC words it. */
static uint16_t slow_checksum(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;
    for (size_t at = 0; at < size; at++) {
        sum += at % 2 == 0 ? (uint32_t)data[at] << 8 : data[at];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static void test_the_sum_is_that_of_16_bit_words_at_any_length(void)
{
    uint64_t random = 5;
    uint8_t data[300];
    for (size_t size = 0; size <= sizeof(data); size++) {
        for (size_t at = 0; at < size; at++)
            data[at] = size % 3 == 0 ? 0xff : (uint8_t)check_random(&random);
        const uint8_t *placed = guard_place(data, size);
        CHECK_EQUAL(dp_net_fold(dp_net_sum(placed, size, 0)), slow_checksum(data, size));
    }
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_what_is_built_is_parsed), TEST(test_every_shorter_capture_is_short),
        TEST(test_one_wrong_bit_behind_ethernet_is_noticed),
        TEST(test_any_byte_anywhere_reads_nothing_outside),
        TEST(test_lengths_that_contradict_themselves),
        TEST(test_no_udp_frame_is_built_without_a_checksum),
        TEST(test_the_sum_is_that_of_16_bit_words_at_any_length));
}
