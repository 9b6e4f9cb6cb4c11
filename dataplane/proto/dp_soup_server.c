#include "dp_soup_server.h"

enum {
    USER_AT = 0,
    PASSWORD_AT = USER_AT + DP_SOUP_USER_SIZE,
    SESSION_AT = PASSWORD_AT + DP_SOUP_PASSWORD_SIZE,
    SEQUENCE_AT = SESSION_AT + DP_SOUP_SERVER_SESSION_SIZE,
    LOGIN_PAYLOAD_SIZE = SEQUENCE_AT + DP_SOUP_SEQUENCE_SIZE,
    ACCEPTED_PAYLOAD_SIZE = DP_SOUP_SERVER_SESSION_SIZE + DP_SOUP_SEQUENCE_SIZE,
};

static_assert(DP_SOUP_HEADER_SIZE + LOGIN_PAYLOAD_SIZE == 49, "SoupBinTCP 3.00, L");
static_assert(
    DP_SOUP_ACCEPTED_SIZE == DP_SOUP_HEADER_SIZE + ACCEPTED_PAYLOAD_SIZE, "SoupBinTCP 3.00, A");

/* Cuts the spaces at both ends. */
static const char *trim(const char *text, size_t *size)
{
    while (*size > 0 && text[*size - 1] == ' ')
        --*size;
    while (*size > 0 && text[0] == ' ') {
        text++;
        --*size;
    }
    return text;
}

static bool parse_decimal(const uint8_t *bytes, uint64_t *value)
{
    size_t size = DP_SOUP_SEQUENCE_SIZE;
    const char *digits = trim((const char *)bytes, &size);
    *value = 0;
    for (size_t index = 0; index < size; index++) {
        uint64_t digit = (uint64_t)(digits[index] - '0');
        if (digits[index] < '0' || digits[index] > '9' || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

void dp_soup_store_decimal(uint8_t *bytes, size_t size, uint64_t value)
{
    memset(bytes, ' ', size);
    do {
        DP_ASSERT(size > 0);
        bytes[--size] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
}

static void load_lower(char *text, const uint8_t *bytes, size_t size)
{
    for (size_t index = 0; index < size; index++) {
        char letter = (char)bytes[index];
        text[index] = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
    }
}

bool dp_soup_login_parse(const uint8_t *payload, uint32_t payload_size, struct dp_soup_login *login)
{
    if (payload_size != LOGIN_PAYLOAD_SIZE)
        return false;
    load_lower(login->user, payload + USER_AT, sizeof(login->user));
    load_lower(login->password, payload + PASSWORD_AT, sizeof(login->password));
    memcpy(login->session, payload + SESSION_AT, sizeof(login->session));
    return parse_decimal(payload + SEQUENCE_AT, &login->sequence);
}

size_t dp_soup_accepted_build(
    uint8_t *data, const char session[DP_SOUP_SERVER_SESSION_SIZE], uint64_t sequence)
{
    uint8_t *payload = data + dp_soup_build(data, 'A', ACCEPTED_PAYLOAD_SIZE);
    memcpy(payload, session, DP_SOUP_SERVER_SESSION_SIZE);
    dp_soup_store_decimal(payload + DP_SOUP_SERVER_SESSION_SIZE, DP_SOUP_SEQUENCE_SIZE, sequence);
    return DP_SOUP_ACCEPTED_SIZE;
}

size_t dp_soup_rejected_build(uint8_t *data, char reason)
{
    dp_soup_build(data, 'J', 1);
    data[DP_SOUP_HEADER_SIZE] = (uint8_t)reason;
    return DP_SOUP_REJECTED_SIZE;
}

bool dp_soup_session_is(
    const char left[DP_SOUP_SERVER_SESSION_SIZE], const char right[DP_SOUP_SERVER_SESSION_SIZE])
{
    size_t left_size = DP_SOUP_SERVER_SESSION_SIZE;
    size_t right_size = DP_SOUP_SERVER_SESSION_SIZE;
    const char *left_text = trim(left, &left_size);
    const char *right_text = trim(right, &right_size);
    return left_size == right_size && memcmp(left_text, right_text, left_size) == 0;
}
