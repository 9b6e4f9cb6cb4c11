#include "check.h"
#include "dp_capture.h"
#include "dp_port.h"

#include <errno.h>
#include <unistd.h>

static char path_in[] = "/tmp/test_port_in_XXXXXX";
static char path_out[] = "/tmp/test_port_out_XXXXXX";

static struct dp_packet packet_of(const char *text, int64_t time_ns)
{
    uint32_t size = (uint32_t)strlen(text);
    return (struct dp_packet){
        .data = (const uint8_t *)text, .size = size, .original_size = size, .time_ns = time_ns};
}

static void check_packet(const struct dp_packet *packet, const char *text, int64_t time_ns)
{
    CHECK_EQUAL(packet->size, strlen(text));
    CHECK_EQUAL(packet->original_size, strlen(text));
    CHECK_EQUAL(packet->time_ns, time_ns);
    CHECK(memcmp(packet->data, text, strlen(text)) == 0);
}

/* ---- loop ---- */

static void test_each_end_hears_what_the_other_sends(void)
{
    struct dp_port *a = NULL;
    struct dp_port *b = NULL;
    CHECK_EQUAL(dp_port_loop_open(&a, &b, 4, NULL), 0);
    struct dp_packet sent[] = {packet_of("one", 1), packet_of("two", 2)};
    struct dp_packet got[4];
    CHECK_EQUAL(dp_port_send(a, sent, 2), 2);
    CHECK_EQUAL(dp_port_receive(a, got, 4), 0);
    CHECK_EQUAL(dp_port_receive(b, got, 4), 2);
    check_packet(&got[0], "one", 1);
    check_packet(&got[1], "two", 2);
    CHECK_EQUAL(dp_port_send(b, sent, 1), 1);
    CHECK_EQUAL(dp_port_receive(a, got, 4), 1);
    check_packet(&got[0], "one", 1);
    CHECK_EQUAL(a->stats.tx_packets, 2);
    CHECK_EQUAL(a->stats.tx_bytes, 6);
    CHECK_EQUAL(b->stats.rx_packets, 2);
    CHECK_EQUAL(b->stats.rx_bytes, 6);
    dp_port_close(a, NULL);
    CHECK_EQUAL(dp_port_send(b, sent, 1), 1); /* to nobody */
    dp_port_close(b, NULL);
}

static void test_received_frames_stay_until_the_next_receive(void)
{
    struct dp_port *a = NULL;
    struct dp_port *b = NULL;
    CHECK_EQUAL(dp_port_loop_open(&a, &b, 2, NULL), 0);
    struct dp_packet sent[] = {packet_of("one", 1), packet_of("two", 2), packet_of("three", 3)};
    struct dp_packet got[4];
    CHECK_EQUAL(dp_port_send(a, sent, 3), 2);
    CHECK_EQUAL(dp_port_receive(b, got, 1), 1);
    CHECK_EQUAL(dp_port_send(a, &sent[2], 1), 0); /* the frame being looked at holds its slot */
    check_packet(&got[0], "one", 1);
    CHECK_EQUAL(dp_port_receive(b, got, 4), 1);
    check_packet(&got[0], "two", 2);
    CHECK_EQUAL(dp_port_send(a, &sent[2], 1), 1);
    check_packet(&got[0], "two", 2);
    CHECK_EQUAL(a->stats.tx_refused, 0);
    dp_port_close(b, NULL);
    dp_port_close(a, NULL);
}

static void test_a_loop_agrees_with_counting(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dp_port *a = NULL;
        struct dp_port *b = NULL;
        uint64_t state = seed;
        int64_t sent = 0;
        int64_t received = 0;
        CHECK_EQUAL(dp_port_loop_open(&a, &b, 8, NULL), 0);
        for (int step = 0; step < 1000; step++) {
            struct dp_packet packets[16];
            uint32_t count = (uint32_t)(check_random(&state) % 12);
            for (uint32_t index = 0; index < count; index++)
                packets[index] = packet_of("frame", sent + index);
            sent += dp_port_send(a, packets, count);
            count = dp_port_receive(b, packets, 1 + (uint32_t)(check_random(&state) % 12));
            for (uint32_t index = 0; index < count; index++)
                CHECK_EQUAL(packets[index].time_ns, received++);
        }
        CHECK_THAT(sent - received <= 8, "seed %llu", (unsigned long long)seed);
        dp_port_close(a, NULL);
        dp_port_close(b, NULL);
    }
}

static void test_a_frame_that_never_fits_is_taken_and_refused(void)
{
    static const uint8_t large[DP_PORT_FRAME_MAX + 1];
    struct dp_port *a = NULL;
    struct dp_port *b = NULL;
    CHECK_EQUAL(dp_port_loop_open(&a, &b, 2, NULL), 0);
    struct dp_packet sent[] = {
        {.data = large, .size = sizeof(large)}, {.data = large, .size = DP_PORT_FRAME_MAX}};
    struct dp_packet got[4];
    CHECK_EQUAL(dp_port_send(a, sent, 2), 2);
    CHECK_EQUAL(dp_port_receive(b, got, 4), 1);
    CHECK_EQUAL(got[0].size, DP_PORT_FRAME_MAX);
    CHECK_EQUAL(a->stats.tx_refused, 1);
    CHECK_EQUAL(a->stats.tx_packets, 1);
    dp_port_close(a, NULL);
    dp_port_close(b, NULL);
}

static void test_slots_are_a_power_of_two(void)
{
    static const uint32_t bad[] = {0, 3, 131072};
    static const char *const texts[] = {
        "loop port: slot_count is 0; it must be a power of two, at most 65536",
        "loop port: slot_count is 3; it must be a power of two, at most 65536",
        "loop port: slot_count is 131072; it must be a power of two, at most 65536"};
    for (size_t index = 0; index < 3; index++) {
        struct dp_err err = {0};
        struct dp_port *a = NULL;
        struct dp_port *b = NULL;
        CHECK_EQUAL(dp_port_loop_open(&a, &b, bad[index], &err), -EINVAL);
        CHECK_TEXT(err.text, texts[index]);
    }
}

/* ---- pcap ---- */

static void write_capture(const char *path)
{
    struct dp_capture_writer *writer = dp_capture_writer_open(path, NULL);
    dp_capture_writer_add(writer, 5, (const uint8_t *)"one", 3);
    dp_capture_writer_add(writer, 6, (const uint8_t *)"two", 3);
    CHECK_EQUAL(dp_capture_writer_close(writer, NULL), 0);
}

static void test_a_capture_comes_in_and_a_capture_goes_out(void)
{
    write_capture(path_in);
    struct dp_packet got[4];
    struct dp_port *port = dp_port_pcap_open(path_in, path_out, NULL);
    CHECK_EQUAL(dp_port_receive(port, got, 4), 2);
    check_packet(&got[0], "one", 5);
    check_packet(&got[1], "two", 6);
    CHECK_EQUAL(dp_port_send(port, got, 2), 2);
    CHECK_EQUAL(dp_port_receive(port, got, 4), 0);
    CHECK_EQUAL(dp_capture_status(dp_port_pcap_capture(port), NULL), 0);
    CHECK_EQUAL(port->stats.rx_bytes, 6);
    CHECK_EQUAL(port->stats.tx_bytes, 6);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);

    port = dp_port_pcap_open(path_out, NULL, NULL);
    CHECK_EQUAL(dp_port_receive(port, got, 4), 2);
    check_packet(&got[1], "two", 6);
    CHECK_EQUAL(dp_port_send(port, got, 2), 2); /* counted and forgotten */
    CHECK_EQUAL(port->stats.tx_packets, 2);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
}

static void test_a_full_disk_is_told_at_the_end(void)
{
    static const uint8_t frame[200000];
    struct dp_err err = {0};
    struct dp_packet packet = {.data = frame, .size = sizeof(frame)};
    write_capture(path_in);
    struct dp_port *port = dp_port_pcap_open(path_in, "/dev/full", NULL);
    for (int count = 0; count < 4; count++)
        CHECK_EQUAL(dp_port_send(port, &packet, 1), 1);
    CHECK_EQUAL(port->stats.tx_packets, 1); /* the first stood in the buffer */
    CHECK_EQUAL(port->stats.tx_refused, 3);
    CHECK_EQUAL(dp_port_close(port, &err), -ENOSPC);
    CHECK_TEXT(err.text,
        "/dev/full: writing failed: No space left on device; free some space or name another file");
}

static void check_refused(const char *rx_path, const char *tx_path, const char *expected)
{
    struct dp_err err = {0};
    char text[256];
    snprintf(text, sizeof(text), expected, rx_path);
    CHECK(dp_port_pcap_open(rx_path, tx_path, &err) == NULL);
    CHECK_TEXT(err.text, text);
}

static void test_what_is_no_capture_is_refused(void)
{
    write_capture(path_in);
    check_refused(path_in, path_in, "%s: is the capture being read; name another file to write");
    check_refused("/nowhere/x", NULL, "%s: no such file; name a recorded session");
    FILE *file = fopen(path_in, "wb");
    fputs("\1x", file);
    fclose(file);
    check_refused(
        path_in, NULL, "%s: is a BinaryFILE, which has no packets; name a pcap or pcapng");
}

static int run(void)
{
    RUN_TESTS(TEST(test_each_end_hears_what_the_other_sends),
        TEST(test_received_frames_stay_until_the_next_receive),
        TEST(test_a_loop_agrees_with_counting),
        TEST(test_a_frame_that_never_fits_is_taken_and_refused),
        TEST(test_slots_are_a_power_of_two), TEST(test_a_capture_comes_in_and_a_capture_goes_out),
        TEST(test_a_full_disk_is_told_at_the_end), TEST(test_what_is_no_capture_is_refused));
}

int main(void)
{
    close(mkstemp(path_in));
    close(mkstemp(path_out));
    int status = run();
    unlink(path_in);
    unlink(path_out);
    return status;
}
