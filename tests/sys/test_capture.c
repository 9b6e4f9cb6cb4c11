/*
 * Records straddle refills: every file is read through windows hardly larger than a record, in
 * batches of all sizes, and must give what the big window gives.
 */
#include "capture_file.h"

#include <errno.h>

/* ---- BinaryFILE ---- */

/* count messages of random sizes and letters; what must be read of them goes to expected. */
static void put_messages(struct bytes *bytes, uint64_t seed, uint32_t count, char *expected)
{
    for (uint32_t message = 0; message < count; message++) {
        uint32_t size = 1 + (uint32_t)(check_random(&seed) % 60);
        expected += sprintf(expected, "%zu:0:%u/%u:", bytes->size, size, size);
        put(bytes, (uint8_t[]){0, (uint8_t)size}, 2);
        for (uint32_t index = 0; index < size; index++) {
            char letter = (char)('a' + check_random(&seed) % 26);
            put(bytes, &letter, 1);
            *expected++ = letter;
        }
        *expected++ = '\n';
    }
    *expected = '\0';
}

static void test_messages_of_any_size_come_out_whole(void)
{
    static char expected[1 << 16];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct bytes bytes = {.size = 0};
        put_messages(&bytes, seed, 200, expected);
        char name[32];
        snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
        check_bytes(name, bytes.data, bytes.size, expected);
    }
}

static void test_gzip_members_give_what_the_plain_file_gives(void)
{
    static char expected[1 << 16];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct bytes plain = {.size = 0};
        struct bytes packed = {.size = 0};
        put_messages(&plain, seed, 100, expected);
        size_t cut = check_random(&(uint64_t){seed}) % plain.size;
        put_gzip(&packed, plain.data, cut);
        put_gzip(&packed, "", 0);
        put_gzip(&packed, plain.data + cut, plain.size - cut);
        packed.size += seed % 2 * 600; /* zeros behind the last member */
        check_bytes("gzip", packed.data, packed.size, expected);
    }
}

static void test_every_cut_delivers_the_whole_messages_before_it(void)
{
    static const uint8_t data[] = "\0\3abc\0\1d\0\5efghi";
    static const char *const whole[] = {
        "", "0:0:3/3:abc\n", "0:0:3/3:abc\n5:0:1/1:d\n", "0:0:3/3:abc\n5:0:1/1:d\n8:0:5/5:efghi\n"};
    static const size_t starts[] = {0, 5, 8, 15};
    for (size_t size = 1; size < sizeof(data); size++) {
        size_t count = size < 5 ? 0 : size < 8 ? 1 : size < 15 ? 2 : 3;
        size_t left = size - starts[count];
        char expected[256];
        if (left == 0)
            snprintf(expected, sizeof(expected), "%s", whole[count]);
        else if (left == 1)
            snprintf(expected, sizeof(expected),
                "%s%d: byte %zu: record header of 2 bytes is cut short after 1", whole[count],
                EBADMSG, starts[count]);
        else
            snprintf(expected, sizeof(expected),
                "%s%d: byte %zu: record of %d bytes is cut short after %zu", whole[count], EBADMSG,
                starts[count], data[starts[count] + 1], left - 2);
        check_bytes("cut", data, size, expected);
    }
}

struct row {
    const char *name;
    const char *data;
    size_t size;
    const char *expected; /* %d: EBADMSG */
};

#define DATA(text) text, sizeof(text) - 1

static const struct row rows[] = {
    {"a session without messages", DATA("\0\0"), ""},
    {"bytes behind the end are not read", DATA("\0\1a\0\0\0\1b"), "0:0:1/1:a\n"},
    {"one byte", DATA("\0"), "74: byte 0: record header of 2 bytes is cut short after 1"},
    {"zeros", DATA("\0\0\0\0\0\0"),
        "22: byte 0: zero length and no message type behind it; this is no BinaryFILE"},
    {"bare", DATA("\0\0S\0\0\0\0000123456\0\0S\0\0\0\0000123456\0\0"),
        "0:0:12/12:S\n14:0:12/12:S\n"},
    {"bare, cut in a message", DATA("\0\0S\0\0\0\0000123456\0\0S\0\0"),
        "0:0:12/12:S\n74: byte 14: record of 12 bytes is cut short after 3"},
    {"bare, cut in a length", DATA("\0\0S\0\0\0\0000123456\0"),
        "0:0:12/12:S\n74: byte 14: record header of 2 bytes is cut short after 1"},
    {"bare, unknown type", DATA("\0\0S\0\0\0\0000123456\0\0z\0\0"),
        "0:0:12/12:S\n74: byte 14: message type 0x7a is unknown and its length is zero; nothing "
        "tells where the next one begins"},
    {"bare, a length after all", DATA("\0\0S\0\0\0\0000123456\0\14S\0\0"),
        "0:0:12/12:S\n74: byte 14: length is 12 in a file whose lengths are all zero"},
    {"pcap, cut in its header", DATA("\xd4\xc3\xb2\xa1\2\0\4\0"),
        "74: byte 0: pcap header of 24 bytes is cut short after 8"},
};

static void test_each_file_gives_its_records_and_its_fault(void)
{
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        const struct row *row = &rows[index];
        write_file(row->data, row->size);
        for (size_t window = 0; window < CAPTURE_WINDOW_COUNT; window++) {
            const char *text = read_all(window_sizes[window], 4);
            /* A bare message holds zeros, where %.*s stops: sizes and offsets say enough. */
            CHECK_THAT(strcmp(text, row->expected) == 0, "%s, window %zu: '%s'; expected '%s'",
                row->name, window_sizes[window], text, row->expected);
        }
    }
}

static void test_bytes_behind_the_end_of_the_session_are_counted(void)
{
    struct bytes packed = {.size = 0};
    put_gzip(&packed, "\0\1a\0\0behind", 11);
    for (int gzip = 0; gzip < 2; gzip++) {
        if (gzip)
            write_file(packed.data, packed.size);
        else
            write_file("\0\1a\0\0behind", 11);
        struct dp_capture_record record;
        struct dp_capture *capture = dp_capture_open_window(capture_path, 64, NULL);
        CHECK_EQUAL(dp_capture_read(capture, &record, 1), 1);
        CHECK_EQUAL(dp_capture_read(capture, &record, 1), 0);
        CHECK_EQUAL(dp_capture_read(capture, &record, 1), 0);
        CHECK_EQUAL(dp_capture_skipped(capture), 6);
        CHECK_EQUAL(dp_capture_position(capture), dp_capture_size(capture));
        CHECK_EQUAL(dp_capture_status(capture, NULL), 0);
        dp_capture_close(capture);
    }
}

static void test_what_follows_the_end_does_not_disturb_the_last_messages(void)
{
    struct bytes plain = {.size = 0};
    struct bytes packed = {.size = 0};
    put(&plain, "\0\3abc\0\1d\0\0", 10);
    memset(plain.data + plain.size, 'z', 50000); /* many windows, all stepped over */
    put_gzip(&packed, plain.data, plain.size + 50000);
    check_bytes("gzip", packed.data, packed.size, "0:0:3/3:abc\n5:0:1/1:d\n");
}

static void test_a_record_larger_than_the_window_is_a_fault(void)
{
    write_file("\0\1a\1\0b", 6);
    CHECK_TEXT(
        read_all(64, 4), "0:0:1/1:a\n74: byte 3: record of 258 bytes; more than 64 are not read");
}

/* ---- gzip ---- */

static void test_a_gzip_cut_anywhere_delivers_what_is_whole_and_says_so(void)
{
    static char expected[1 << 16];
    struct bytes plain = {.size = 0};
    struct bytes packed = {.size = 0};
    put_messages(&plain, 7, 50, expected);
    put_gzip(&packed, plain.data, plain.size);
    for (size_t size = 3; size < packed.size; size++) {
        write_file(packed.data, size);
        const char *text = read_all(100, 5);
        const char *fault = strstr(text, "74: byte ");
        CHECK_THAT(fault != NULL && strstr(fault, "the gzip data is cut short") != NULL,
            "cut at %zu: '%s'", size, text);
        CHECK_THAT(fault == NULL || strncmp(text, expected, (size_t)(fault - text)) == 0,
            "cut at %zu: other records: '%s'", size, text);
    }
}

static void test_a_damaged_gzip_is_a_fault(void)
{
    struct bytes packed = {.size = 0};
    put_gzip(&packed, "\0\1a\0\1b", 6);
    packed.data[packed.size - 6] ^= 1; /* the checksum */
    write_file(packed.data, packed.size);
    const char *text = read_all(64, 4);
    CHECK_THAT(strstr(text, "the gzip data is damaged; fetch it again") != NULL, "'%s'", text);
}

/* ---- opening and writing ---- */

static void check_open(const char *path, int code, const char *expected)
{
    struct dp_err err = {0};
    CHECK(dp_capture_open(path, &err) == NULL);
    CHECK_EQUAL(err.code, code);
    CHECK_TEXT(err.text, expected);
}

static void test_what_cannot_be_opened_is_told(void)
{
    check_open("/nowhere/x", ENOENT, "/nowhere/x: no such file; name a recorded session");
    check_open("/tmp", EISDIR, "/tmp: is a directory; name a recorded session");
    check_open("/dev/null", EINVAL, "/dev/null: is empty; name a recorded session");
    check_open("/dev/zero", EINVAL,
        "/dev/zero: byte 0: zero length and no message type behind it; this is no BinaryFILE");
    struct bytes packed = {.size = 0};
    put_gzip(&packed, "", 0);
    write_file(packed.data, packed.size);
    CHECK_TEXT(read_all(64, 1), "22: is empty; name a recorded session");
}

static void test_what_is_written_is_read(void)
{
    struct dp_err err = {0};
    write_file("", 0);
    struct dp_capture_writer *writer = dp_capture_writer_open(capture_path, &err);
    CHECK_EQUAL(dp_capture_writer_add(writer, 1600000000123456789, (const uint8_t *)"abc", 3), 0);
    CHECK_EQUAL(dp_capture_writer_add(writer, 0, (const uint8_t *)"", 0), 0);
    CHECK_EQUAL(dp_capture_writer_close(writer, &err), 0);
    check_reads("written", "24:1600000000123456789:3/3:abc\n43:0:0/0:\n");
}

static void test_a_full_disk_is_told_with_the_path(void)
{
    static const uint8_t frame[1000];
    struct dp_err err = {0};
    struct dp_capture_writer *writer = dp_capture_writer_open("/dev/full", &err);
    int result = 0;
    for (int count = 0; count < 1000; count++)
        result = dp_capture_writer_add(writer, count, frame, sizeof(frame));
    CHECK_EQUAL(result, -ENOSPC);
    CHECK_EQUAL(dp_capture_writer_close(writer, &err), -ENOSPC);
    CHECK_TEXT(err.text,
        "/dev/full: writing failed: No space left on device; free some space or name another file");
    CHECK(dp_capture_writer_open("/nowhere/x", &err) == NULL);
    CHECK_TEXT(
        err.text, "/nowhere/x: cannot be written: No such file or directory; name another file");
}

static void test_what_a_pcap_cannot_hold_is_refused(void)
{
    static const uint8_t frame[300 << 10];
    static const struct {
        int64_t time_ns;
        uint32_t size;
        const char *text;
    } bad[] = {
        {-1, 1, "/dev/null: time in nanoseconds since 1970: -1; a pcap cannot hold it"},
        {INT64_MAX, 1,
            "/dev/null: time in nanoseconds since 1970: 9223372036854775807; "
            "a pcap cannot hold it"},
        {0, sizeof(frame), "/dev/null: frame size: 307200; a pcap cannot hold it"},
    };
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct dp_err err = {0};
        struct dp_capture_writer *writer = dp_capture_writer_open("/dev/null", &err);
        CHECK_EQUAL(
            dp_capture_writer_add(writer, bad[index].time_ns, frame, bad[index].size), -EINVAL);
        CHECK_EQUAL(dp_capture_writer_add(writer, 0, frame, 1), -EINVAL);
        CHECK_EQUAL(dp_capture_writer_close(writer, &err), -EINVAL);
        CHECK_TEXT(err.text, bad[index].text);
    }
}

static void test_random_bytes_end_in_a_fault_or_an_end(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct bytes bytes = {.size = 0};
        uint64_t state = seed;
        static const char *const heads[] = {
            "", "\x0a\x0d\x0d\x0a", "\xd4\xc3\xb2\xa1", "\x1f\x8b\x08"};
        put(&bytes, heads[seed % 4], strlen(heads[seed % 4]));
        for (uint32_t index = 0; index < 3000; index++)
            put(&bytes, &(uint8_t){(uint8_t)check_random(&state)}, 1);
        write_file(bytes.data, bytes.size);
        char *big = strdup(read_all(DP_CAPTURE_WINDOW_SIZE, 16));
        CHECK_THAT(strcmp(read_all(70000, 3), big) == 0, "seed %llu", (unsigned long long)seed);
        free(big);
    }
}

static int run(void)
{
    RUN_TESTS(TEST(test_messages_of_any_size_come_out_whole),
        TEST(test_gzip_members_give_what_the_plain_file_gives),
        TEST(test_every_cut_delivers_the_whole_messages_before_it),
        TEST(test_each_file_gives_its_records_and_its_fault),
        TEST(test_bytes_behind_the_end_of_the_session_are_counted),
        TEST(test_what_follows_the_end_does_not_disturb_the_last_messages),
        TEST(test_a_record_larger_than_the_window_is_a_fault),
        TEST(test_a_gzip_cut_anywhere_delivers_what_is_whole_and_says_so),
        TEST(test_a_damaged_gzip_is_a_fault), TEST(test_what_cannot_be_opened_is_told),
        TEST(test_what_is_written_is_read), TEST(test_a_full_disk_is_told_with_the_path),
        TEST(test_what_a_pcap_cannot_hold_is_refused),
        TEST(test_random_bytes_end_in_a_fault_or_an_end));
}

int main(void)
{
    int status = run();
    unlink(capture_path);
    return status;
}
