#include "dp_moldudp.h"

#include "check.h"
#include "guard.h"

#define END DP_MOLDUDP_END_OF_SESSION
#define PACKET_SIZE_MAX 256

/* What came out: message numbers as they are, gaps, sessions and ends as marks between them. */
struct out {
    char text[512];
};

static void say(struct out *out, const char *form, uint64_t first, uint64_t last)
{
    size_t size = strlen(out->text);
    snprintf(out->text + size, sizeof(out->text) - size, form, first, last);
}

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    (void)time_ns;
    CHECK_EQUAL(size, 1);
    CHECK_EQUAL(data[0], (uint8_t)sequence);
    say(context, "%" PRIu64 " ", sequence, 0);
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    (void)time_ns;
    say(context, "gap:%" PRIu64 "-%" PRIu64 " ", first, last);
}

static void on_session(void *context, const uint8_t *session)
{
    say(context, "session:%" PRIu64 " ", session[0], 0);
}

static void on_end(void *context)
{
    say(context, "end ", 0, 0);
}

/* A message's only byte is its number; `session` stands in the first byte of the session. */
static size_t build(uint8_t *data, uint8_t session, uint64_t sequence, uint16_t count)
{
    uint8_t name[10] = {session};
    size_t size = dp_moldudp_build(data, name, sequence, count);
    for (uint32_t index = 0; count != END && index < count; index++, size += 3) {
        dp_store_be16(data + size, 1);
        data[size + 2] = (uint8_t)(sequence + index);
    }
    return size;
}

/* ---- parsing ---- */

static void test_every_shorter_length_is_malformed(void)
{
    uint8_t data[PACKET_SIZE_MAX];
    size_t size = build(data, 1, 5, 4);
    struct dp_moldudp_packet packet;
    for (size_t cut = 0; cut < size; cut++)
        CHECK_THAT(
            !dp_moldudp_parse(guard_place(data, cut), cut, &packet), "length %zu passed", cut);
    CHECK(dp_moldudp_parse(guard_place(data, size), size, &packet));
    CHECK_EQUAL(packet.sequence, 5);
    CHECK_EQUAL(packet.message_count, 4);
    CHECK_EQUAL(packet.blocks_size, 12);
    CHECK(!dp_moldudp_parse(guard_place(data, size + 1), size + 1, &packet));
}

static void test_any_byte_anywhere_reads_nothing_outside(void)
{
    uint8_t data[PACKET_SIZE_MAX];
    size_t size = build(data, 1, 5, 4);
    for (size_t at = 0; at < size; at++)
        for (int byte = 0; byte < 256; byte++) {
            uint8_t saved = data[at];
            data[at] = (uint8_t)byte;
            struct dp_moldudp_packet packet;
            dp_moldudp_parse(guard_place(data, size), size, &packet);
            data[at] = saved;
        }
}

static void test_numbers_end_at_64_bits(void)
{
    uint8_t data[PACKET_SIZE_MAX];
    struct dp_moldudp_packet packet;
    CHECK(dp_moldudp_parse(data, build(data, 1, UINT64_MAX - 2, 2), &packet));
    CHECK(!dp_moldudp_parse(data, build(data, 1, UINT64_MAX - 2, 3), &packet));
    CHECK(dp_moldudp_parse(data, build(data, 1, UINT64_MAX, 0), &packet));
    CHECK(dp_moldudp_parse(data, build(data, 1, UINT64_MAX, END), &packet));
}

static void test_heartbeat_and_end_carry_nothing(void)
{
    uint8_t data[PACKET_SIZE_MAX] = {0};
    struct dp_moldudp_packet packet;
    size_t size = build(data, 1, 9, END);
    CHECK(dp_moldudp_parse(data, size, &packet));
    CHECK(!dp_moldudp_parse(data, size + 2, &packet));
    size = build(data, 1, 9, 0);
    CHECK(dp_moldudp_parse(data, size, &packet));
    CHECK(!dp_moldudp_parse(data, size + 2, &packet));
}

static void test_an_empty_message_uses_up_a_number(void)
{
    uint8_t data[22] = {0};
    dp_store_be64(data + 10, 1);
    dp_store_be16(data + 18, 1);
    struct dp_moldudp_packet packet;
    CHECK(dp_moldudp_parse(guard_place(data, 22), 22, &packet));
    CHECK_EQUAL(packet.message_count, 1);
}

/* ---- the sequence: what goes in, what comes out ---- */

struct step {
    uint8_t session; /* 0: no packet, only poll(time), or a jump to sequence when there is one */
    uint64_t sequence;
    uint16_t count;
    int64_t time_ns;
};

#define STEPS_MAX 8
#define POLL_ALL \
    { \
        0, 0, 0, INT64_MAX \
    }

static const struct scenario {
    const char *name;
    uint64_t sequence_first;
    struct step steps[STEPS_MAX]; /* to the first all-zero one */
    const char *out;
} scenarios[] = {
    {"in order", 1, {{1, 1, 2, 1}, {1, 3, 1, 1}}, "1 2 3 "},
    {"the slower line is dropped", 1, {{1, 1, 2, 1}, {1, 1, 2, 1}, {1, 1, 1, 2}}, "1 2 "},
    {"a packet that straddles gives its rest", 1, {{1, 1, 2, 1}, {1, 1, 4, 1}}, "1 2 3 4 "},
    {"a hole closes", 1, {{1, 1, 1, 1}, {1, 3, 1, 1}, {1, 5, 1, 1}, {1, 2, 1, 1}, {1, 4, 1, 1}},
        "1 2 3 4 5 "},
    {"a hole closes with more than it missed", 1, {{1, 3, 2, 1}, {1, 1, 3, 1}}, "1 2 3 4 "},
    {"two cuts of the same messages are held", 1,
        {{1, 3, 2, 1}, {1, 3, 3, 1}, {1, 4, 1, 1}, {1, 1, 2, 1}}, "1 2 3 4 5 "},
    {"a hole is given up when its time is up", 1, {{1, 1, 1, 1}, {1, 3, 1, 5}, {0, 0, 0, 16}},
        "1 gap:2-2 3 "},
    {"not before", 1, {{1, 1, 1, 1}, {1, 3, 1, 5}, {0, 0, 0, 15}}, "1 "},
    {"the next packet also tells the time", 1, {{1, 1, 1, 1}, {1, 3, 1, 5}, {1, 4, 1, 16}},
        "1 gap:2-2 3 4 "},
    {"a second hole has its own time", 1, {{1, 2, 1, 1}, {1, 4, 1, 8}, {0, 0, 0, 12}},
        "gap:1-1 2 "},
    {"a hole is as old as the first news of it", 1, {{1, 5, 1, 1}, {1, 3, 1, 8}, {0, 0, 0, 12}},
        "gap:1-2 3 gap:4-4 5 "},
    {"time that goes back stands still", 1, {{1, 2, 1, 9}, {1, 4, 1, 3}, {0, 0, 0, 19}}, ""},
    {"a heartbeat shows a hole", 1, {{1, 3, 0, 1}, {0, 0, 0, 12}}, "gap:1-2 "},
    {"heartbeats behind each other keep their time", 1, {{1, 3, 0, 1}, {1, 5, 0, 6}, {0, 0, 0, 12}},
        "gap:1-2 "},
    {"a heartbeat of the past says nothing", 1, {{1, 1, 3, 1}, {1, 2, 0, 1}}, "1 2 3 "},
    {"a full hold gives up its first hole", 1,
        {{1, 2, 1, 1}, {1, 4, 1, 1}, {1, 6, 1, 1}, {1, 8, 1, 1}, {1, 10, 1, 1}, {1, 12, 1, 1}},
        "gap:1-1 2 gap:3-3 4 "},
    {"a full hold knows the new packet too", 1,
        {{1, 5, 1, 1}, {1, 7, 1, 1}, {1, 9, 1, 1}, {1, 11, 1, 1}, {1, 3, 2, 1}}, "gap:1-2 3 4 5 "},
    {"a late start takes what comes", 0, {{1, 100, 2, 1}, {1, 102, 1, 1}}, "100 101 102 "},
    {"a late start is a hole when the first is known", 1, {{1, 100, 1, 1}, POLL_ALL},
        "gap:1-99 100 "},
    {"the end comes once", 1, {{1, 1, 1, 1}, {1, 2, END, 1}, {1, 2, END, 1}, {1, 2, 0, 2}},
        "1 end "},
    {"the end waits for a hole", 1, {{1, 3, END, 1}, {1, 3, END, 1}, {1, 1, 2, 1}}, "1 2 end "},
    {"a heartbeat does not stand for the end", 1, {{1, 3, 0, 1}, {1, 3, END, 1}, {1, 1, 2, 1}},
        "1 2 end "},
    {"the end after a loss", 1, {{1, 3, END, 1}, POLL_ALL}, "gap:1-2 end "},
    {"nothing is added behind the end", 1, {{1, 1, END, 1}, {1, 1, 1, 1}, {1, 5, 1, 1}, POLL_ALL},
        "end "},
    {"not even what was held", 1, {{1, 3, 1, 1}, {1, 2, END, 1}, {1, 1, 1, 1}, POLL_ALL}, "1 end "},
    {"another session starts at 1", 1, {{1, 1, 1, 1}, {1, 3, 1, 1}, {2, 2, 1, 1}, {2, 1, 1, 1}},
        "1 gap:2-2 3 session:2 1 2 "},
    {"an old session stays over", 1,
        {{1, 1, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1}, {3, 1, 1, 1}, {2, 2, 1, 1}},
        "1 session:2 1 session:3 1 "},
    {"number 0 does not exist", 1, {{1, 0, 2, 1}, {1, 1, 1, 1}}, "1 "},
    {"unless the first packet says so", 0, {{1, 0, 2, 1}, {1, 2, 1, 1}}, "0 1 2 "},
};

static const struct dp_moldudp_config config = {
    .hold_count_max = 4, .packet_size_max = PACKET_SIZE_MAX, .gap_timeout_ns = 10};

static struct dp_moldudp_feed *new_feed(const struct dp_moldudp_config *wanted)
{
    struct dp_moldudp_feed *feed = malloc(dp_moldudp_feed_size(wanted));
    struct dp_err err;
    if (feed == NULL || dp_moldudp_feed_init(feed, wanted, &err) != 0)
        exit(1);
    return feed;
}

static enum dp_moldudp_verdict take(
    struct dp_moldudp_feed *feed, const struct step *step, struct out *out)
{
    struct dp_moldudp_handler handler = {out, on_message, on_gap, on_session, on_end};
    if (step->session == 0 && step->sequence != 0) {
        bool jumped = dp_moldudp_feed_jump(feed, step->sequence, &handler);
        say(out, jumped ? "jump " : "stay ", 0, 0);
        return DP_MOLDUDP_IDLE;
    }
    if (step->session == 0) {
        dp_moldudp_feed_poll(feed, step->time_ns, &handler);
        return DP_MOLDUDP_IDLE;
    }
    uint8_t data[PACKET_SIZE_MAX];
    size_t size = build(data, step->session, step->sequence, step->count);
    return dp_moldudp_feed_push(feed, guard_place(data, size), size, step->time_ns, &handler);
}

static void run(const struct scenario *scenario, const struct dp_moldudp_config *wanted)
{
    struct dp_moldudp_feed *feed = new_feed(wanted);
    struct out out = {""};
    for (int index = 0; index < STEPS_MAX && scenario->steps[index].time_ns != 0; index++)
        take(feed, &scenario->steps[index], &out);
    CHECK_THAT(strcmp(out.text, scenario->out) == 0, "%s: came '%s'; expected '%s'", scenario->name,
        out.text, scenario->out);
    free(feed);
}

static void test_scenarios(void)
{
    for (size_t row = 0; row < sizeof(scenarios) / sizeof(scenarios[0]); row++) {
        struct dp_moldudp_config wanted = config;
        wanted.sequence_first = scenarios[row].sequence_first;
        run(&scenarios[row], &wanted);
    }
}

/* A gap that a snapshot will mend: everything waits for the jump. */
static void test_scenarios_with_a_pause(void)
{
    static const struct scenario rows[] = {
        {"a gap is told once and nothing follows", 1,
            {{1, 1, 1, 1}, {1, 3, 1, 1}, {0, 0, 0, 12}, {1, 5, 1, 13}, {0, 0, 0, 99}},
            "1 gap:2-2 "},
        {"not even what fills the hole", 1,
            {{1, 1, 1, 1}, {1, 3, 1, 1}, {0, 0, 0, 12}, {1, 2, 1, 13}}, "1 gap:2-2 "},
        {"a jump goes on at its number", 1,
            {{1, 3, 1, 1}, {0, 0, 0, 12}, {1, 4, 2, 13}, {0, 5, 0, 14}, {1, 6, 1, 15}},
            "gap:1-2 5 jump 6 "},
        {"a jump beyond all that was heard", 1,
            {{1, 3, 1, 1}, {0, 0, 0, 12}, {0, 9, 0, 14}, {1, 4, 2, 15}, {1, 9, 1, 16}},
            "gap:1-2 jump 9 "},
        {"no jump goes back", 1, {{1, 1, 4, 1}, {1, 7, 1, 1}, {0, 0, 0, 12}, {0, 4, 0, 14}},
            "1 2 3 4 gap:5-6 stay "},
        {"a full hold loses the earliest", 1,
            {{1, 2, 1, 1}, {1, 4, 1, 1}, {1, 6, 1, 1}, {1, 8, 1, 1}, {1, 10, 1, 1}, {1, 11, 1, 1},
                {0, 10, 0, 2}},
            "gap:1-1 10 11 jump "},
        {"what a hold lost behind the jump is another hole", 1,
            {{1, 2, 1, 1}, {1, 4, 1, 1}, {1, 6, 1, 1}, {1, 8, 1, 1}, {1, 10, 1, 1}, {0, 2, 0, 2},
                {0, 0, 0, 13}},
            "gap:1-1 jump gap:2-3 "},
        {"another session ends the wait", 1,
            {{1, 3, 1, 1}, {0, 0, 0, 12}, {1, 4, 1, 13}, {2, 1, 1, 14}, {1, 5, 1, 15}},
            "gap:1-2 session:2 1 "},
        {"another session that begins beside a hole", 1, {{1, 3, 1, 1}, {2, 1, 1, 2}},
            "gap:1-2 session:2 1 "},
        {"the end waits too", 1, {{1, 3, END, 1}, {0, 0, 0, 12}, {0, 3, 0, 13}},
            "gap:1-2 end jump "},
    };
    struct dp_moldudp_config wanted = config;
    wanted.sequence_first = 1;
    wanted.pause_at_gap = true;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        run(&rows[row], &wanted);
}

static void test_scenarios_where_a_session_is_confirmed(void)
{
    static const struct scenario rows[] = {
        {"one packet is noise", 1, {{1, 1, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1}}, "1 2 "},
        {"its second begins it, and the first was kept", 1,
            {{1, 1, 1, 1}, {2, 1, 1, 1}, {2, 2, 1, 1}, {1, 2, 1, 1}}, "1 session:2 1 2 "},
        {"its copy from the other line says no more", 1,
            {{1, 1, 1, 1}, {2, 1, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1}}, "1 2 "},
        {"the session before goes on: both were noise", 1,
            {{1, 1, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1}, {2, 2, 1, 1}, {1, 3, 1, 1}}, "1 2 3 "},
        {"two noises are none", 1, {{1, 1, 1, 1}, {2, 1, 1, 1}, {3, 1, 1, 1}, {1, 2, 1, 1}},
            "1 2 "},
        {"behind an end mark the first is enough", 1, {{1, 1, 1, 1}, {1, 2, END, 1}, {2, 1, 1, 1}},
            "1 end session:2 1 "},
        {"noise before the first packet is outlived", 1,
            {{2, 7, 1, 1}, {1, 1, 1, 1}, {1, 2, 1, 1}, {1, 3, 1, 1}}, "gap:1-6 7 session:1 1 2 3 "},
    };
    struct dp_moldudp_config wanted = config;
    wanted.sequence_first = 1;
    wanted.confirm_session = true;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        run(&rows[row], &wanted);
}

static void test_a_sender_that_begins_anew_is_followed(void)
{
    struct dp_moldudp_config wanted = config;
    wanted.sequence_first = 1;
    struct dp_moldudp_feed *feed = new_feed(&wanted);
    struct out out = {""};
    struct dp_moldudp_handler handler = {&out, on_message, on_gap, on_session, on_end};
    dp_moldudp_feed_restart(feed, &handler);
    CHECK(dp_moldudp_feed_session(feed) == NULL);
    take(feed, &(struct step){1, 1, 2, 1}, &out);
    take(feed, &(struct step){1, 5, 1, 1}, &out);
    CHECK(dp_moldudp_feed_session(feed) != NULL);
    dp_moldudp_feed_restart(feed, &handler);
    take(feed, &(struct step){1, 2, 1, 1}, &out);
    dp_moldudp_feed_give_up(feed, &handler);
    CHECK_TEXT(out.text, "1 2 session:1 gap:1-1 2 ");
    free(feed);
}

static void test_verdicts(void)
{
    static const struct {
        struct step step;
        enum dp_moldudp_verdict verdict;
    } rows[] = {
        {{1, 1, 2, 1}, DP_MOLDUDP_DELIVERED},
        {{1, 1, 2, 1}, DP_MOLDUDP_DUPLICATE},
        {{1, 5, 2, 1}, DP_MOLDUDP_HELD},
        {{1, 5, 2, 1}, DP_MOLDUDP_DUPLICATE},
        {{1, 6, 1, 1}, DP_MOLDUDP_DUPLICATE},
        {{1, 8, 0, 1}, DP_MOLDUDP_HELD},
        {{1, 3, 0, 1}, DP_MOLDUDP_IDLE},
        {{1, 3, 2, 1}, DP_MOLDUDP_DELIVERED},
        {{1, 0, 2, 1}, DP_MOLDUDP_MALFORMED},
        {{1, 7, END, 1}, DP_MOLDUDP_IDLE},
        {{1, 7, 1, 1}, DP_MOLDUDP_OLD_SESSION},
        {{2, 1, 1, 1}, DP_MOLDUDP_DELIVERED},
        {{1, 8, 1, 1}, DP_MOLDUDP_OLD_SESSION},
    };
    struct dp_moldudp_config wanted = config;
    wanted.sequence_first = 1;
    struct dp_moldudp_feed *feed = new_feed(&wanted);
    struct out out = {""};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        enum dp_moldudp_verdict verdict = take(feed, &rows[row].step, &out);
        CHECK_THAT(verdict == rows[row].verdict, "row %zu: %d", row, (int)verdict);
    }
    CHECK_EQUAL(dp_moldudp_feed_expected(feed), 2);
    free(feed);
}

static void test_without_a_hold_a_hole_is_given_up_at_once(void)
{
    struct dp_moldudp_config wanted = config;
    wanted.sequence_first = 1;
    wanted.hold_count_max = 0;
    struct dp_moldudp_feed *feed = new_feed(&wanted);
    struct out out = {""};
    CHECK_EQUAL(take(feed, &(struct step){1, 3, 1, 1}, &out), DP_MOLDUDP_DELIVERED);
    CHECK_TEXT(out.text, "gap:1-2 3 ");
    free(feed);
}

static void test_a_packet_above_the_size_is_malformed(void)
{
    struct dp_moldudp_config wanted = config;
    wanted.packet_size_max = 22;
    struct dp_moldudp_feed *feed = new_feed(&wanted);
    struct out out = {""};
    CHECK_EQUAL(take(feed, &(struct step){1, 1, 1, 1}, &out), DP_MOLDUDP_MALFORMED);
    free(feed);
}

static void test_settings_are_checked(void)
{
    static const struct {
        struct dp_moldudp_config config;
        const char *text;
    } rows[] = {
        {{65537, 1500, 0, 1, false, false}, "moldudp: hold_count_max: 65537; give at most 65536"},
        {{1, 19, 0, 1, false, false}, "moldudp: packet_size_max: 19; give 20 to 65535"},
        {{1, 65536, 0, 1, false, false}, "moldudp: packet_size_max: 65536; give 20 to 65535"},
        {{1, 1500, -1, 1, false, false}, "moldudp: gap_timeout_ns: -1; give 0 or more"},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct dp_err err = {0, ""};
        CHECK(dp_moldudp_feed_init(NULL, &rows[row].config, &err) < 0);
        CHECK_TEXT(err.text, rows[row].text);
    }
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_every_shorter_length_is_malformed),
        TEST(test_any_byte_anywhere_reads_nothing_outside), TEST(test_numbers_end_at_64_bits),
        TEST(test_heartbeat_and_end_carry_nothing), TEST(test_an_empty_message_uses_up_a_number),
        TEST(test_scenarios), TEST(test_scenarios_with_a_pause),
        TEST(test_scenarios_where_a_session_is_confirmed),
        TEST(test_a_sender_that_begins_anew_is_followed), TEST(test_verdicts),
        TEST(test_without_a_hold_a_hole_is_given_up_at_once),
        TEST(test_a_packet_above_the_size_is_malformed), TEST(test_settings_are_checked));
}
