#include "dp_ouch.h"

#define APPENDAGE_LENGTH_SIZE 2

static_assert(sizeof(struct dp_ouch_message) <= UINT8_MAX, "dp_ouch_field.member is one byte");

static uint64_t load_be(const uint8_t *data, uint32_t length)
{
    switch (length) {
    case 2: return dp_load_be16(data);
    case 4: return dp_load_be32(data);
    default: return dp_load_be64(data);
    }
}

static void store_be(uint8_t *data, uint32_t length, uint64_t value)
{
    switch (length) {
    case 2: dp_store_be16(data, (uint16_t)value); break;
    case 4: dp_store_be32(data, (uint32_t)value); break;
    default: dp_store_be64(data, value); break;
    }
}

/* Bytes a number takes in struct dp_ouch_message: a UINT of two (a length) is widened to four. */
static size_t member_size(const struct dp_ouch_field *field)
{
    if (field->kind == DP_OUCH_UINT && field->length == 2)
        return sizeof(uint32_t);
    return field->length;
}

static void load_field(const struct dp_ouch_field *field, const uint8_t *data, uint8_t *member)
{
    if (field->kind == DP_OUCH_CHAR || field->kind == DP_OUCH_ALPHA) {
        memcpy(member, data, field->length);
        return;
    }
    /* Little-endian in memory: the low bytes of the number are the member, whatever its width. */
    uint64_t value = load_be(data, field->length);
    memcpy(member, &value, member_size(field));
}

static void store_field(const struct dp_ouch_field *field, const uint8_t *member, uint8_t *data)
{
    if (field->kind == DP_OUCH_CHAR || field->kind == DP_OUCH_ALPHA) {
        memcpy(data, member, field->length);
        return;
    }
    uint64_t value = 0;
    memcpy(&value, member, member_size(field));
    store_be(data, field->length, value);
}

static bool options_are_whole(const uint8_t *options, uint32_t size)
{
    for (uint32_t cursor = 0; cursor < size;) {
        uint32_t length = options[cursor];
        if (length == 0 || length > size - cursor - 1)
            return false;
        cursor += 1 + length;
    }
    return true;
}

/* Behind the fixed part a message ends, or has a length (which a required appendage counts among
 * its fixed part) and exactly that many bytes of options. */
static bool load_options(const struct dp_ouch_type *type, const uint8_t *data, size_t size,
    struct dp_ouch_message *message)
{
    size_t options_offset = type->length;
    if (type->appendage != DP_OUCH_APPENDAGE_REQUIRED && size > options_offset) {
        if (type->appendage == DP_OUCH_APPENDAGE_NONE ||
            size < options_offset + APPENDAGE_LENGTH_SIZE)
            return false;
        message->options_size = dp_load_be16(data + options_offset);
        options_offset += APPENDAGE_LENGTH_SIZE;
    }
    if (message->options_size != size - options_offset)
        return false;
    if (message->options_size > 0)
        message->options = data + options_offset;
    return options_are_whole(data + options_offset, message->options_size);
}

enum dp_ouch_result dp_ouch_decode(const uint8_t *data, size_t size,
    enum dp_ouch_direction direction, struct dp_ouch_message *message)
{
    *message = (struct dp_ouch_message){0};
    if (size == 0)
        return DP_OUCH_SHORT;
    const struct dp_ouch_type *type = dp_ouch_type(data[0], direction);
    if (type == NULL)
        return DP_OUCH_UNKNOWN;
    if (size < type->length)
        return DP_OUCH_SHORT;

    for (uint32_t index = 0; index < type->field_count; index++) {
        const struct dp_ouch_field *field = &type->fields[index];
        load_field(field, data + field->offset, (uint8_t *)message + field->member);
    }
    return load_options(type, data, size, message) ? DP_OUCH_OK : DP_OUCH_MALFORMED;
}

size_t dp_ouch_encode(const struct dp_ouch_message *message, enum dp_ouch_direction direction,
    uint8_t *data, size_t size)
{
    const struct dp_ouch_type *type = dp_ouch_type(message->type, direction);
    uint32_t options_size = message->options_size;
    if (type == NULL || options_size > UINT16_MAX)
        return 0;
    if (type->appendage == DP_OUCH_APPENDAGE_NONE && options_size > 0)
        return 0;
    bool grows = type->appendage == DP_OUCH_APPENDAGE_OPTIONAL && options_size > 0;
    size_t options_offset = (size_t)type->length + (grows ? APPENDAGE_LENGTH_SIZE : 0);
    if (size < options_offset + options_size)
        return 0;

    for (uint32_t index = 0; index < type->field_count; index++) {
        const struct dp_ouch_field *field = &type->fields[index];
        store_field(field, (const uint8_t *)message + field->member, data + field->offset);
    }
    if (grows)
        dp_store_be16(data + type->length, (uint16_t)options_size);
    if (options_size > 0)
        memcpy(data + options_offset, message->options, options_size);
    return options_offset + options_size;
}

bool dp_ouch_next_option(const struct dp_ouch_message *message, uint32_t *cursor, uint8_t *tag,
    const uint8_t **value, uint32_t *value_size)
{
    if (*cursor >= message->options_size)
        return false;
    const uint8_t *option = message->options + *cursor;
    uint32_t length = option[0];
    if (length == 0 || length > message->options_size - *cursor - 1)
        return false;
    *tag = option[1];
    *value = option + 2;
    *value_size = length - 1;
    *cursor += 1 + length;
    return true;
}

uint32_t dp_ouch_length(uint8_t type, enum dp_ouch_direction direction)
{
    const struct dp_ouch_type *entry = dp_ouch_type(type, direction);
    return entry == NULL ? 0 : entry->length;
}
