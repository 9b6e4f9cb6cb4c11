#include "check.h"
#include "dp_soup.h"
#include "dp_soup_session.h"
#include "guard.h"

#define SECOND 1000000000ll

/* What a session told. */
struct heard {
    uint32_t count;
    uint64_t sequences[64];
    char texts[64][16];
};

static void hear(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct heard *heard = context;
    CHECK(heard->count < 64 && size < 16);
    heard->sequences[heard->count] = sequence;
    memcpy(heard->texts[heard->count], data, size);
    heard->texts[heard->count++][size] = '\0';
}

static struct dp_soup_session new_session(void)
{
    struct dp_soup_session session;
    const struct dp_soup_session_config config = {.username = "desk", .password = "secret"};
    CHECK_EQUAL(dp_soup_session_init(&session, &config, NULL), 0);
    return session;
}

/* Appends a packet of the server's to a stream. */
static size_t put(uint8_t *stream, size_t at, char type, const char *payload)
{
    size_t size = strlen(payload);
    memcpy(stream + at + DP_SOUP_HEADER_SIZE, payload, size);
    dp_soup_build(stream + at, (uint8_t)type, (uint32_t)size);
    return at + DP_SOUP_HEADER_SIZE + size;
}

static enum dp_soup_session_verdict read_one(
    struct dp_soup_session *session, char type, const char *payload)
{
    uint8_t stream[128];
    struct heard heard = {0};
    size_t used;
    size_t size = put(stream, 0, type, payload);
    return dp_soup_session_read(session, stream, size, 0, hear, &heard, &used);
}

#define ACCEPTED_1 \
    "     DAY01" \
    "                   1"
#define ACCEPTED_7 \
    "     DAY01" \
    "                   7"

static struct dp_soup_session active_session(void)
{
    uint8_t login[DP_SOUP_LOGIN_SIZE];
    struct dp_soup_session session = new_session();
    dp_soup_session_connect(&session, login, 0);
    CHECK_EQUAL(read_one(&session, 'A', ACCEPTED_1), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(session.state, DP_SOUP_ACTIVE);
    return session;
}

static void test_the_login_is_what_the_specification_says(void)
{
    uint8_t login[DP_SOUP_LOGIN_SIZE + 1] = {0};
    struct dp_soup_session session = new_session();
    CHECK_EQUAL(dp_soup_session_connect(&session, login, 0), DP_SOUP_LOGIN_SIZE);
    CHECK_EQUAL(dp_load_be16(login), 47);
    CHECK_TEXT((const char *)login + 2,
        "L"
        "desk  "
        "secret    "
        "          "
        "                   1");
    dp_soup_session_lost(&session);
    dp_soup_session_resume(&session, "     DAY01", 1234567890123456789u);
    dp_soup_session_connect(&session, login, 0);
    CHECK_TEXT((const char *)login + 2,
        "L"
        "desk  "
        "secret    "
        "     DAY01"
        " 1234567890123456789");
}

/* However the stream is cut, the same messages with the same numbers come out. */
static void test_messages_are_numbered_wherever_the_stream_is_cut(void)
{
    uint8_t stream[256];
    size_t size = put(stream, 0, '+', "hello");
    size = put(stream, size, 'A', ACCEPTED_7);
    size = put(stream, size, 'S', "seven");
    size = put(stream, size, 'H', "");
    size = put(stream, size, 'S', "");
    size = put(stream, size, 'U', "not numbered");
    size = put(stream, size, 'S', "nine");
    for (size_t cut = 0; cut <= size; cut++) {
        uint8_t login[DP_SOUP_LOGIN_SIZE];
        struct heard heard = {0};
        struct dp_soup_session session = new_session();
        dp_soup_session_resume(&session, "     DAY01", 7);
        dp_soup_session_connect(&session, login, 0);
        size_t first;
        size_t second;
        CHECK_EQUAL(
            dp_soup_session_read(&session, guard_place(stream, cut), cut, 0, hear, &heard, &first),
            DP_SOUP_SESSION_OK);
        CHECK(first <= cut);
        CHECK_EQUAL(dp_soup_session_read(&session, guard_place(stream + first, size - first),
                        size - first, 0, hear, &heard, &second),
            DP_SOUP_SESSION_OK);
        CHECK_EQUAL(first + second, size);
        CHECK_EQUAL(heard.count, 3);
        CHECK_EQUAL(heard.sequences[0], 7);
        CHECK_EQUAL(heard.sequences[2], 9);
        CHECK_TEXT(heard.texts[0], "seven");
        CHECK_TEXT(heard.texts[1], "");
        CHECK_TEXT(heard.texts[2], "nine");
        CHECK_EQUAL(session.sequence_next, 10);
    }
}

struct login_row {
    const char *name;
    const char *asked_session;
    uint64_t asked_sequence;
    char type;
    const char *answer;
    enum dp_soup_session_verdict verdict;
};

static const struct login_row login_rows[] = {
    {"what was asked for", "     DAY01", 7, 'A', ACCEPTED_7, DP_SOUP_SESSION_OK},
    {"any session", "          ", 1, 'A', ACCEPTED_1, DP_SOUP_SESSION_OK},
    {"another session", "     DAY00", 7, 'A', ACCEPTED_7, DP_SOUP_SESSION_OTHER},
    {"older messages gone", "     DAY01", 3, 'A', ACCEPTED_7, DP_SOUP_SESSION_NUMBERING},
    {"numbers taken back", "     DAY01", 9, 'A', ACCEPTED_7, DP_SOUP_SESSION_NUMBERING},
    {"no number", "          ", 1, 'A', "     DAY01                    ", DP_SOUP_SESSION_PROTOCOL},
    {"a number with a letter", "          ", 1, 'A', "     DAY01                  1x",
        DP_SOUP_SESSION_PROTOCOL},
    {"a number of more than 64 bits", "          ", 1, 'A', "     DAY0118446744073709551616",
        DP_SOUP_SESSION_PROTOCOL},
    {"wrong password", "          ", 1, 'J', "A", DP_SOUP_SESSION_DENIED},
    {"no such session", "     DAY01", 7, 'J', "S", DP_SOUP_SESSION_GONE},
    {"data before the answer", "          ", 1, 'S', "x", DP_SOUP_SESSION_PROTOCOL},
    {"a heartbeat before the answer", "          ", 1, 'H', "", DP_SOUP_SESSION_PROTOCOL},
    {"a packet of a client", "          ", 1, 'R', "", DP_SOUP_SESSION_PROTOCOL},
    {"a packet of no type", "          ", 1, '?', "", DP_SOUP_SESSION_PROTOCOL},
};

static void test_every_answer_to_a_login(void)
{
    for (size_t index = 0; index < sizeof(login_rows) / sizeof(login_rows[0]); index++) {
        const struct login_row *row = &login_rows[index];
        uint8_t login[DP_SOUP_LOGIN_SIZE];
        struct dp_soup_session session = new_session();
        dp_soup_session_resume(&session, row->asked_session, row->asked_sequence);
        dp_soup_session_connect(&session, login, 0);
        enum dp_soup_session_verdict verdict = read_one(&session, row->type, row->answer);
        CHECK_THAT(verdict == row->verdict, "%s: %s", row->name, dp_soup_session_words(verdict));
        CHECK_EQUAL(
            session.state, row->verdict == DP_SOUP_SESSION_OK ? DP_SOUP_ACTIVE : DP_SOUP_LOGIN);
        CHECK_EQUAL(session.sequence_next, row->asked_sequence);
    }
}

static void test_the_end_is_final(void)
{
    struct dp_soup_session session = active_session();
    CHECK_EQUAL(read_one(&session, 'Z', ""), DP_SOUP_SESSION_ENDED);
    dp_soup_session_lost(&session);
    CHECK_EQUAL(session.state, DP_SOUP_ENDED);
    dp_soup_session_resume(&session, "          ", 1); /* the next day */
    CHECK_EQUAL(session.state, DP_SOUP_OFFLINE);
}

static void test_what_follows_a_verdict_is_not_taken(void)
{
    uint8_t stream[64];
    struct heard heard = {0};
    size_t used;
    struct dp_soup_session session = active_session();
    size_t end = put(stream, 0, 'S', "one");
    size_t size = put(stream, put(stream, end, 'Z', ""), 'S', "two");
    CHECK_EQUAL(dp_soup_session_read(&session, stream, size, 0, hear, &heard, &used),
        DP_SOUP_SESSION_ENDED);
    CHECK_EQUAL(heard.count, 1);
    CHECK_EQUAL(used, end + DP_SOUP_HEADER_SIZE);
}

static void test_a_second_login_answer_is_out_of_place(void)
{
    struct dp_soup_session session = active_session();
    CHECK_EQUAL(read_one(&session, 'A', ACCEPTED_1), DP_SOUP_SESSION_PROTOCOL);
    session = active_session();
    CHECK_EQUAL(read_one(&session, 'J', "A"), DP_SOUP_SESSION_PROTOCOL);
}

static void test_a_heartbeat_after_a_second_of_nothing(void)
{
    uint8_t out[DP_SOUP_HEARTBEAT_SIZE];
    size_t size;
    struct dp_soup_session session = active_session();
    CHECK_EQUAL(dp_soup_session_poll(&session, SECOND - 1, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(size, 0);
    CHECK_EQUAL(dp_soup_session_poll(&session, SECOND, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(size, 3);
    CHECK(memcmp(out, "\0\1R", 3) == 0);
    CHECK_EQUAL(dp_soup_session_poll(&session, 2 * SECOND - 1, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(size, 0);
    dp_soup_session_note_sent(&session, 2 * SECOND - 1);
    CHECK_EQUAL(dp_soup_session_poll(&session, 2 * SECOND, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(size, 0);
}

static void test_silence_is_noticed_at_its_limit(void)
{
    uint8_t out[DP_SOUP_HEARTBEAT_SIZE];
    size_t size;
    struct dp_soup_session session = active_session();
    CHECK_EQUAL(dp_soup_session_poll(&session, 15 * SECOND - 1, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(dp_soup_session_poll(&session, 15 * SECOND, out, &size), DP_SOUP_SESSION_SILENT);
    CHECK_EQUAL(size, 0);
    dp_soup_session_lost(&session);
    CHECK_EQUAL(dp_soup_session_poll(&session, 99 * SECOND, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(size, 0);
}

/* A login that is never answered ends the same way, and no heartbeat goes before it. */
static void test_an_unanswered_login_is_silence(void)
{
    uint8_t login[DP_SOUP_LOGIN_SIZE];
    uint8_t out[DP_SOUP_HEARTBEAT_SIZE];
    size_t size;
    struct dp_soup_session session = new_session();
    dp_soup_session_connect(&session, login, SECOND);
    CHECK_EQUAL(dp_soup_session_poll(&session, 3 * SECOND, out, &size), DP_SOUP_SESSION_OK);
    CHECK_EQUAL(size, 0);
    CHECK_EQUAL(dp_soup_session_poll(&session, 16 * SECOND, out, &size), DP_SOUP_SESSION_SILENT);
}

static void test_a_password_too_long_is_refused(void)
{
    struct dp_err err;
    struct dp_soup_session session;
    struct dp_soup_session_config config = {.username = "desk"};
    memset(config.password, 'x', sizeof(config.password));
    CHECK(dp_soup_session_init(&session, &config, &err) < 0);
    CHECK_TEXT(
        err.text, "soup session: username or password: too long; at most 6 and 10 characters");
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_the_login_is_what_the_specification_says),
        TEST(test_messages_are_numbered_wherever_the_stream_is_cut),
        TEST(test_every_answer_to_a_login), TEST(test_the_end_is_final),
        TEST(test_what_follows_a_verdict_is_not_taken),
        TEST(test_a_second_login_answer_is_out_of_place),
        TEST(test_a_heartbeat_after_a_second_of_nothing),
        TEST(test_silence_is_noticed_at_its_limit), TEST(test_an_unanswered_login_is_silence),
        TEST(test_a_password_too_long_is_refused));
}
