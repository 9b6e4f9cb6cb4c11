/*
 * pcap and pcapng: byte orders, resolutions, sections, and lengths that contradict each other.
 */
#include "capture_file.h"

/* ---- pcap ---- */

static void test_pcap_is_read_in_both_orders_and_resolutions(void)
{
    static const struct {
        const char *name;
        uint32_t magic;
        bool big_endian;
        const char *expected;
    } kinds[] = {
        {"micro, little", 0xa1b2c3d4, false, "24:5000007000:3/3:abc\n43:6000008000:5/5:defgh\n"},
        {"micro, big", 0xa1b2c3d4, true, "24:5000007000:3/3:abc\n43:6000008000:5/5:defgh\n"},
        {"nano, little", 0xa1b23c4d, false, "24:5000000007:3/3:abc\n43:6000000008:5/5:defgh\n"},
        {"nano, big", 0xa1b23c4d, true, "24:5000000007:3/3:abc\n43:6000000008:5/5:defgh\n"},
    };
    for (size_t index = 0; index < sizeof(kinds) / sizeof(kinds[0]); index++) {
        struct bytes bytes = {.big_endian = kinds[index].big_endian};
        put_pcap_header(&bytes, kinds[index].magic, 1);
        put_pcap_record(&bytes, 5, 7, "abc");
        put_pcap_record(&bytes, 6, 8, "defgh");
        check_bytes(kinds[index].name, bytes.data, bytes.size, kinds[index].expected);
    }
}

static void test_a_frame_that_no_wire_carries_is_a_fault(void)
{
    struct bytes bytes = {.size = 0};
    put_pcap_header(&bytes, 0xa1b2c3d4, 1);
    put_pcap_record(&bytes, 5, 7, "abc");
    const uint32_t header[] = {0, 0, 262145, 262145};
    put(&bytes, header, sizeof(header));
    check_bytes("too large", bytes.data, bytes.size,
        "24:5000007000:3/3:abc\n74: byte 43: record of 262145 bytes; no frame has "
        "more than 262144: the file is damaged here");
}

static void test_another_link_type_is_named(void)
{
    struct bytes bytes = {.size = 0};
    put_pcap_header(&bytes, 0xa1b2c3d4, 113);
    check_bytes("pcap", bytes.data, bytes.size,
        "22: link type is 113 (LINUX_SLL); only Ethernet (1) is read; capture on the interface "
        "itself");
    bytes.size = 0;
    put_section(&bytes);
    put_interface(&bytes, 113, 0, -1);
    put_enhanced(&bytes, 0, 1, "abc");
    check_bytes("pcapng", bytes.data, bytes.size,
        "22: link type is 113 (LINUX_SLL); only Ethernet (1) is read; capture on the interface "
        "itself");
}

/* ---- pcapng ---- */

static void test_each_resolution_of_a_pcapng_gives_nanoseconds(void)
{
    static const struct {
        int resolution;
        uint64_t ticks;
        long long time_ns;
    } resolutions[] = {
        {-1, 1234567, 1234567000},
        {0, 3, 3000000000},
        {3, 5, 5000000},
        {6, 7, 7000},
        {9, 1600000000123456789, 1600000000123456789},
        {12, 1234567, 1234},
        {18, 5000000000, 5},
        {0x80, 2, 2000000000},
        {0x8a, 512, 500000000},
        {0xa0, 1ull << 31, 500000000},
        {0, UINT64_MAX, INT64_MAX},
    };
    for (size_t index = 0; index < sizeof(resolutions) / sizeof(resolutions[0]); index++) {
        struct bytes bytes = {.big_endian = index % 2 == 1};
        put_section(&bytes);
        put_interface(&bytes, 1, 0, resolutions[index].resolution);
        size_t offset = bytes.size;
        put_enhanced(&bytes, 0, resolutions[index].ticks, "abc");
        char expected[64];
        snprintf(
            expected, sizeof(expected), "%zu:%lld:3/3:abc\n", offset, resolutions[index].time_ns);
        check_bytes("resolution", bytes.data, bytes.size, expected);
    }
}

static void test_sections_interfaces_and_odd_blocks_are_walked(void)
{
    struct bytes bytes = {.size = 0};
    struct bytes body = {.size = 5000}; /* larger than most windows */
    put_section(&bytes);
    put_block(&bytes, 0x0bad0bad, &body);
    put_interface(&bytes, 113, 0, -1);
    put_interface(&bytes, 1, 0, 9);
    put_enhanced(&bytes, 0, 1, "other");
    put_enhanced(&bytes, 1, 2, "a");
    put_block(&bytes, 5, &body);
    bytes.big_endian = true; /* another section, the other byte order, its own interfaces */
    put_section(&bytes);
    put_interface(&bytes, 1, 4, 9);
    body = (struct bytes){.big_endian = true};
    put32(&body, 6);
    put(&body, "wxyz", 4);
    put_block(&bytes, 3, &body);
    put_enhanced(&bytes, 0, 4, "b");
    check_bytes("walk", bytes.data, bytes.size, "5132:2:1/1:a\n10240:0:4/6:wxyz\n10260:4:1/1:b\n");

    struct dp_capture_record records[8];
    struct dp_capture *capture = dp_capture_open_window(capture_path, 64, NULL);
    while (dp_capture_read(capture, records, 8) > 0)
        continue;
    CHECK_EQUAL(dp_capture_skipped(capture), 3); /* two blocks and a frame */
    dp_capture_close(capture);
}

/* The second block of a section is given its words by hand. */
static void check_block(const char *name, const uint32_t *words, size_t count, const char *expected)
{
    struct bytes bytes = {.size = 0};
    put_section(&bytes);
    put_interface(&bytes, 1, 0, -1);
    put(&bytes, words, count * sizeof(*words));
    check_bytes(name, bytes.data, bytes.size, expected);
}

#define CHECK_BLOCK(name, expected, ...) \
    do { \
        static const uint32_t block_words[] = {__VA_ARGS__}; \
        check_block(name, block_words, sizeof(block_words) / sizeof(block_words[0]), expected); \
    } while (0)

static void test_what_contradicts_itself_in_a_pcapng_is_a_fault(void)
{
    CHECK_BLOCK("size 8", "74: byte 48: block size: 8; the file is damaged here", 5, 8, 8);
    CHECK_BLOCK("size 13", "74: byte 48: block size: 13; the file is damaged here", 5, 13, 0, 13);
    CHECK_BLOCK(
        "frame block of 12", "74: byte 48: block size: 12; the file is damaged here", 6, 12, 12);
    CHECK_BLOCK("two sizes",
        "74: byte 48: block's two lengths differ; the second: 16; the file is "
        "damaged here",
        5, 12, 16);
    CHECK_BLOCK("no interface 1", "74: byte 48: no such interface: 1; the file is damaged here", 6,
        32, 1, 0, 0, 0, 0, 32);
    CHECK_BLOCK("frame of 5 in room for 4",
        "74: byte 48: frame runs past its block; frame size: 5;"
        " the file is damaged here",
        6, 36, 0, 0, 0, 5, 5, 0, 36);
    CHECK_BLOCK("frame of 4 GiB",
        "74: byte 48: frame runs past its block; frame size: 4294967295;"
        " the file is damaged here",
        6, 36, 0, 0, 0, 0xffffffff, 5, 0, 36);
    CHECK_BLOCK("option past the block",
        "74: byte 48: option runs past its block; option size: 9;"
        " the file is damaged here",
        1, 28, 1, 0, 9 | 9 << 16, 0, 28);
    CHECK_BLOCK("resolution 19", "74: byte 48: if_tsresol: 19; the file is damaged here", 1, 28, 1,
        0, 9 | 1 << 16, 19, 28);
    CHECK_BLOCK("byte order",
        "74: byte 48: byte-order magic of a section: 67305985; the file is "
        "damaged here",
        0x0a0d0d0a, 28, 0x01020304, 0, 0, 0, 28);
    CHECK_BLOCK("cut", "74: byte 48: record of 20 bytes is cut short after 4", 6, 32, 0, 0);
    CHECK_BLOCK(
        "cut in a header", "74: byte 48: record header of 12 bytes is cut short after 8", 6, 32);
}

static void test_more_interfaces_than_we_hold_are_a_fault(void)
{
    struct bytes bytes = {.size = 0};
    put_section(&bytes);
    for (uint32_t index = 0; index <= DP_CAPTURE_INTERFACE_MAX; index++)
        put_interface(&bytes, 1, 0, -1);
    check_bytes("interfaces", bytes.data, bytes.size,
        "74: byte 5148: interfaces in one section, too many: 257; the file is damaged here");
}

static int run(void)
{
    RUN_TESTS(TEST(test_pcap_is_read_in_both_orders_and_resolutions),
        TEST(test_a_frame_that_no_wire_carries_is_a_fault), TEST(test_another_link_type_is_named),
        TEST(test_each_resolution_of_a_pcapng_gives_nanoseconds),
        TEST(test_sections_interfaces_and_odd_blocks_are_walked),
        TEST(test_what_contradicts_itself_in_a_pcapng_is_a_fault),
        TEST(test_more_interfaces_than_we_hold_are_a_fault));
}

int main(void)
{
    int status = run();
    unlink(capture_path);
    return status;
}
