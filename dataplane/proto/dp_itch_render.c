/*
 * Decoding for people. A line is first written without bounds checks into room that holds the
 * longest one: names and punctuation of a type are constant, every number has at most 20 digits,
 * every byte of text at most six characters.
 */
#include "dp_itch.h"

#define NS_PER_SECOND 1000000000u

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

/* With at least `digits_min` digits. */
static char *put_uint(char *at, uint64_t value, int digits_min)
{
    char digits[20]; /* of UINT64_MAX */
    char *first = digits + sizeof(digits);
    while (value != 0 || digits + sizeof(digits) - first < digits_min) {
        *--first = (char)('0' + value % 10);
        value /= 10;
    }
    size_t size = (size_t)(digits + sizeof(digits) - first);
    memcpy(at, first, size);
    return at + size;
}

static char *put_decimal(char *at, uint64_t value, uint64_t unit, int decimals)
{
    at = put_uint(at, value / unit, 1);
    *at++ = '.';
    return put_uint(at, value % unit, decimals);
}

static char *put_time(char *at, uint64_t time_ns)
{
    uint64_t seconds = time_ns / NS_PER_SECOND;
    at = put_uint(at, seconds / 3600, 2);
    *at++ = ':';
    at = put_uint(at, seconds / 60 % 60, 2);
    *at++ = ':';
    at = put_uint(at, seconds % 60, 2);
    *at++ = '.';
    return put_uint(at, time_ns % NS_PER_SECOND, 9);
}

static char *put_escape(char *at, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    at = put_text(at, "\\u00");
    *at++ = hex[byte >> 4];
    *at++ = hex[byte & 15];
    return at;
}

static char *put_bytes(char *at, const uint8_t *bytes, size_t size, bool json)
{
    for (size_t index = 0; index < size; index++) {
        uint8_t byte = bytes[index];
        bool plain = byte > ' ' && byte < 0x7f && byte != '\\' && !(json && byte == '"');
        if (plain || (json && byte == ' '))
            *at++ = (char)byte;
        else
            at = put_escape(at, byte);
    }
    return at;
}

static uint64_t load_uint(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t index = 0; index < size; index++)
        value = value << 8 | bytes[index];
    return value;
}

static size_t stripped_size(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == ' ')
        size--;
    return size;
}

static char *put_json_value(char *at, const struct dp_itch_field *field, const uint8_t *bytes)
{
    if (field->kind != DP_ITCH_CHAR && field->kind != DP_ITCH_ALPHA)
        return put_uint(at, load_uint(bytes, field->length), 1);

    size_t size = field->kind == DP_ITCH_CHAR ? 1 : stripped_size(bytes, field->length);
    *at++ = '"';
    at = put_bytes(at, bytes, size, true);
    *at++ = '"';
    return at;
}

static char *put_text_value(char *at, const struct dp_itch_field *field, const uint8_t *bytes)
{
    switch (field->kind) {
    case DP_ITCH_PRICE4: return put_decimal(at, load_uint(bytes, 4), 10000, 4);
    case DP_ITCH_PRICE8: return put_decimal(at, load_uint(bytes, 8), 100000000, 8);
    case DP_ITCH_CHAR:
    case DP_ITCH_ALPHA: return put_bytes(at, bytes, stripped_size(bytes, field->length), false);
    default: return put_uint(at, load_uint(bytes, field->length), 1);
    }
}

static char *put_json(char *at, const struct dp_itch_type *type, const uint8_t *data)
{
    at = put_text(at, "{\"type\":\"");
    *at++ = type->type;
    at = put_text(at, "\",\"name\":\"");
    at = put_text(at, type->name);
    *at++ = '"';
    for (uint32_t index = 0; index < type->field_count; index++) {
        const struct dp_itch_field *field = &type->fields[index];
        at = put_text(at, ",\"");
        at = put_text(at, field->name);
        at = put_text(at, "\":");
        at = put_json_value(at, field, data + field->offset);
    }
    *at++ = '}';
    return at;
}

static char *put_line(char *at, const struct dp_itch_type *type, const uint8_t *data)
{
    at = put_time(at, dp_load_be48(data + 5));
    *at++ = ' ';
    at = put_text(at, type->name);
    for (uint32_t index = 0; index < type->field_count; index++) {
        const struct dp_itch_field *field = &type->fields[index];
        if (field->offset == 0 || field->kind == DP_ITCH_TIME6)
            continue; /* both stand in front already */
        *at++ = ' ';
        at = put_text(at, field->name);
        *at++ = '=';
        at = put_text_value(at, field, data + field->offset);
    }
    return at;
}

size_t dp_itch_render(const uint8_t *data, size_t data_size, bool json, char *text, size_t size)
{
    const struct dp_itch_type *type = data_size == 0 ? NULL : dp_itch_type(data[0]);
    if (type == NULL || data_size < type->length)
        return 0;

    char line[DP_ITCH_TEXT_SIZE];
    char *end = json ? put_json(line, type, data) : put_line(line, type, data);
    size_t line_size = (size_t)(end - line);
    if (line_size >= size)
        return 0;
    memcpy(text, line, line_size);
    text[line_size] = '\0';
    return line_size;
}
