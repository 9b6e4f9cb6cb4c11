/* What a login says, against the client's half and against every length and padding. */
#include "../check.h"
#include "../guard.h"
#include "dp_soup_server.h"
#include "dp_soup_session.h"

#define LOGIN_PAYLOAD_SIZE 46

static void make_login(uint8_t *packet, const char *user, const char *session, uint64_t sequence)
{
    struct dp_soup_session_config config = {.password = "Secret"};
    strcpy(config.username, user);
    struct dp_soup_session client;
    CHECK_EQUAL(dp_soup_session_init(&client, &config, NULL), 0);
    dp_soup_session_resume(&client, session, sequence);
    CHECK_EQUAL(dp_soup_session_connect(&client, packet, 0), DP_SOUP_LOGIN_SIZE);
}

static bool parse(const uint8_t *payload, size_t size, struct dp_soup_login *login)
{
    return dp_soup_login_parse(guard_place(payload, size), (uint32_t)size, login);
}

static void test_the_clients_login_is_read(void)
{
    uint8_t packet[DP_SOUP_LOGIN_SIZE];
    make_login(packet, "ALICE", "        42", UINT64_MAX);
    struct dp_soup_login login;
    CHECK(parse(packet + DP_SOUP_HEADER_SIZE, LOGIN_PAYLOAD_SIZE, &login));
    CHECK(memcmp(login.user, "alice ", 6) == 0);
    CHECK(memcmp(login.password, "secret    ", 10) == 0);
    CHECK(memcmp(login.session, "        42", 10) == 0);
    CHECK(login.sequence == UINT64_MAX);
}

static void test_no_other_length_is_a_login(void)
{
    uint8_t packet[DP_SOUP_LOGIN_SIZE + 1] = {0};
    make_login(packet, "alice", "          ", 1);
    struct dp_soup_login login;
    for (size_t size = 0; size <= LOGIN_PAYLOAD_SIZE + 1; size++)
        CHECK_THAT(
            parse(packet + DP_SOUP_HEADER_SIZE, size, &login) == (size == LOGIN_PAYLOAD_SIZE),
            "length %zu", size);
}

static void test_a_number_may_be_padded_on_either_side(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        {"                   7", true, 7},
        {"7                   ", true, 7},
        {"00000000000000000007", true, 7},
        {"                    ", true, 0},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"                  -1", false, 0},
        {"1 2                 ", false, 0},
        {"                 0x1", false, 0},
    };
    uint8_t packet[DP_SOUP_LOGIN_SIZE];
    make_login(packet, "alice", "          ", 1);
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_soup_login login;
        memcpy(packet + 29, rows[index].text, DP_SOUP_SEQUENCE_SIZE);
        bool ok = parse(packet + DP_SOUP_HEADER_SIZE, LOGIN_PAYLOAD_SIZE, &login);
        CHECK_THAT(ok == rows[index].ok, "'%s'", rows[index].text);
        if (ok)
            CHECK_THAT(login.sequence == rows[index].value, "'%s'", rows[index].text);
    }
}

static void read_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    (void)data;
    *(uint64_t *)context = sequence * 100 + size;
}

static void test_the_client_understands_the_answers(void)
{
    uint8_t stream[DP_SOUP_LOGIN_SIZE + DP_SOUP_ACCEPTED_SIZE];
    struct dp_soup_session client;
    const struct dp_soup_session_config config = {.username = "a", .password = "b"};
    dp_soup_session_init(&client, &config, NULL);
    dp_soup_session_resume(&client, "        42", 9);
    dp_soup_session_connect(&client, stream, 0);
    size_t size = dp_soup_accepted_build(stream, "        42", 9);
    CHECK_EQUAL(size, DP_SOUP_ACCEPTED_SIZE);
    memcpy(stream + size, (uint8_t[]){0, 3, 'S', 'x', 'y'}, 5);
    uint64_t seen = 0;
    size_t used;
    CHECK_EQUAL(dp_soup_session_read(&client, stream, size + 5, 0, read_message, &seen, &used),
        DP_SOUP_SESSION_OK);
    CHECK_EQUAL(seen, 902);

    dp_soup_session_lost(&client);
    dp_soup_session_connect(&client, stream, 0);
    size = dp_soup_rejected_build(stream, DP_SOUP_REJECT_SESSION);
    CHECK_EQUAL(dp_soup_session_read(&client, stream, size, 0, read_message, &seen, &used),
        DP_SOUP_SESSION_GONE);
}

static void test_a_session_is_the_same_on_either_side(void)
{
    CHECK(dp_soup_session_is("        42", "42        "));
    CHECK(dp_soup_session_is("          ", "          "));
    CHECK(!dp_soup_session_is("        42", "       142"));
    CHECK(!dp_soup_session_is("        42", "          "));
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_the_clients_login_is_read), TEST(test_no_other_length_is_a_login),
        TEST(test_a_number_may_be_padded_on_either_side),
        TEST(test_the_client_understands_the_answers),
        TEST(test_a_session_is_the_same_on_either_side));
}
