#include "check.h"

#include "dp_generate.h"
#include "dp_generate_lines.h"
#include "dp_itch.h"
#include "dp_moldudp.h"
#include "dp_net.h"

#define COUNT 20000
#define SYMBOLS 40

static struct dp_generate *open_session(
    uint64_t seed, uint64_t message_count, uint32_t symbol_count)
{
    struct dp_err err = {0};
    struct dp_generate_config config = {seed, message_count, symbol_count};
    struct dp_generate *generate = dp_generate_open(&config, &err);
    CHECK_THAT(generate != NULL, "%s", err.text);
    return generate;
}

static void test_every_message_has_the_length_of_its_type(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct dp_generate *generate = open_session(seed, COUNT, SYMBOLS);
        uint8_t bytes[DP_GENERATE_MESSAGE_MAX];
        struct dp_itch_message message;
        uint64_t count = 0;
        int64_t before_ns = 0;
        for (uint32_t size; (size = dp_generate_next(generate, bytes)) != 0; count++) {
            CHECK_EQUAL(dp_itch_decode(bytes, size, &message), DP_ITCH_OK);
            CHECK(message.timestamp_ns >= before_ns);
            before_ns = message.timestamp_ns;
        }
        CHECK_EQUAL(count, COUNT);
        CHECK_EQUAL(dp_generate_written(generate), COUNT);
        CHECK_EQUAL(dp_generate_next(generate, bytes), 0);
        dp_generate_close(generate);
    }
}

static void test_filling_gives_the_messages_behind_their_lengths(void)
{
    struct dp_generate *one = open_session(3, COUNT, SYMBOLS);
    struct dp_generate *other = open_session(3, COUNT, SYMBOLS);
    uint8_t message[DP_GENERATE_MESSAGE_MAX];
    uint8_t buf[DP_GENERATE_FRAMED_MAX + 100]; /* room for two to six messages */
    for (size_t used; (used = dp_generate_fill(one, buf, sizeof(buf))) != 0;) {
        for (size_t at = 0; at < used;) {
            uint32_t size = dp_generate_next(other, message);
            CHECK_EQUAL(dp_load_be16(buf + at), size);
            CHECK(memcmp(buf + at + 2, message, size) == 0);
            at += 2 + size;
        }
    }
    CHECK_EQUAL(dp_generate_next(other, message), 0);
    dp_generate_close(one);
    dp_generate_close(other);
}

static void test_what_cannot_be_generated_is_refused_in_words(void)
{
    static const struct {
        const char *name;
        struct dp_generate_config config;
        const char *text;
    } rows[] = {
        {"no symbols", {1, 1000, 0}, "generate: symbols is 0; it must be from 1 to 8000"},
        {"too many symbols", {1, 1000000, 8001},
            "generate: symbols is 8001; it must be from 1 to 8000"},
        {"too few messages", {1, 16, 1},
            "generate: messages is 16; a day of 1 symbols needs at least 17, or ask for "
            "fewer symbols"},
        {"too many messages", {1, 4000000001, 1},
            "generate: messages is 4000000001; it must be at most 4000000000"},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct dp_err err = {0};
        CHECK_THAT(dp_generate_open(&rows[row].config, &err) == NULL, "%s", rows[row].name);
        CHECK_TEXT(err.text, rows[row].text);
    }
    CHECK_EQUAL(dp_generate_count_min(1), 17);
}

/* What comes out of the two lines when they are joined. */
struct joined {
    struct dp_generate *expected;
    uint64_t sequence;
    uint32_t gap_count;
    struct dp_generate_gap gaps[16];
    bool ended;
};

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct joined *joined = context;
    uint8_t message[DP_GENERATE_MESSAGE_MAX];
    (void)time_ns;
    CHECK_EQUAL(sequence, ++joined->sequence);
    CHECK_EQUAL(dp_generate_next(joined->expected, message), size);
    CHECK(memcmp(message, data, size) == 0);
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct joined *joined = context;
    uint8_t message[DP_GENERATE_MESSAGE_MAX];
    (void)time_ns;
    joined->gaps[joined->gap_count++ % 16] = (struct dp_generate_gap){first, last};
    for (; joined->sequence < last; joined->sequence++)
        dp_generate_next(joined->expected, message);
}

static void on_session(void *context, const uint8_t *session)
{
    (void)context;
    (void)session;
}

static void on_end(void *context)
{
    ((struct joined *)context)->ended = true;
}

static void join(struct dp_generate_lines *lines, struct joined *joined)
{
    struct dp_moldudp_config config = {
        .hold_count_max = 256,
        .packet_size_max = 1472,
        .gap_timeout_ns = 10000000,
        .sequence_first = 1,
    };
    struct dp_moldudp_handler handler = {joined, on_message, on_gap, on_session, on_end};
    struct dp_err err = {0};
    struct dp_moldudp_feed *feed = calloc(1, dp_moldudp_feed_size(&config));
    CHECK_THAT(dp_moldudp_feed_init(feed, &config, &err) == 0, "%s", err.text);

    const uint8_t *frame;
    uint32_t size;
    int64_t time_ns;
    int64_t before_ns = 0;
    while ((frame = dp_generate_lines_next(lines, &size, &time_ns)) != NULL) {
        struct dp_net_packet packet;
        CHECK_EQUAL(dp_net_parse(frame, size, true, &packet), DP_NET_OK);
        CHECK_EQUAL(packet.target_port, 26477);
        CHECK(time_ns >= before_ns);
        before_ns = time_ns;
        dp_moldudp_feed_push(feed, packet.payload, packet.payload_size, time_ns, &handler);
        dp_moldudp_feed_poll(feed, time_ns, &handler);
    }
    dp_moldudp_feed_poll(feed, INT64_MAX, &handler);
    CHECK_EQUAL(joined->sequence, COUNT);
    CHECK(joined->ended);
    free(feed);
}

static void test_the_lines_together_carry_the_session(void)
{
    static const struct dp_generate_lines_config rows[] = {
        {{1, COUNT, SYMBOLS}, {0, 0}, 0, 0, 0},
        {{2, COUNT, SYMBOLS}, {200000, 0}, 0, 0, 0},
        {{3, COUNT, SYMBOLS}, {0, 1000000}, 0, 0, 0},
        {{4, COUNT, SYMBOLS}, {1000000, 1000000}, 0, 0, 0},
        {{5, COUNT, SYMBOLS}, {100000, 100000}, 100000, 100000, 0},
        {{6, COUNT, SYMBOLS}, {0, 0}, 1000000, 1000000, 0},
        {{7, COUNT, SYMBOLS}, {10000, 10000}, 10000, 10000, 5},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct dp_err err = {0};
        struct dp_generate_lines *lines = dp_generate_lines_open(&rows[row], &err);
        CHECK_THAT(lines != NULL, "%s", err.text);
        struct joined joined = {.expected = open_session(rows[row].session.seed, COUNT, SYMBOLS)};
        join(lines, &joined);
        CHECK_EQUAL(dp_generate_lines_written(lines), COUNT);
        CHECK_EQUAL(dp_generate_lines_gap_count(lines), rows[row].lose_both_count);
        CHECK_EQUAL(joined.gap_count, rows[row].lose_both_count);
        for (uint32_t gap = 0; gap < joined.gap_count; gap++) {
            CHECK_EQUAL(joined.gaps[gap].first, dp_generate_lines_gap(lines, gap).first);
            CHECK_EQUAL(joined.gaps[gap].last, dp_generate_lines_gap(lines, gap).last);
        }
        dp_generate_close(joined.expected);
        dp_generate_lines_close(lines);
    }
}

static void test_line_options_out_of_range_are_refused_in_words(void)
{
    struct dp_generate_lines_config config = {{1, COUNT, SYMBOLS}, {0, 1000001}, 0, 0, 0};
    struct dp_err err = {0};
    CHECK(dp_generate_lines_open(&config, &err) == NULL);
    CHECK_TEXT(err.text, "generate: loss-b is 1000001; it must be at most 1000000");
    config.loss_ppm[1] = 0;
    config.lose_both_count = COUNT;
    CHECK(dp_generate_lines_open(&config, &err) == NULL);
    CHECK_TEXT(err.text,
        "generate: lose-both is 20000; a session of 20000 messages has room for 156 gaps");
}

int main(void)
{
    RUN_TESTS(TEST(test_every_message_has_the_length_of_its_type),
        TEST(test_filling_gives_the_messages_behind_their_lengths),
        TEST(test_what_cannot_be_generated_is_refused_in_words),
        TEST(test_the_lines_together_carry_the_session),
        TEST(test_line_options_out_of_range_are_refused_in_words));
}
