#include "dp_book_render.h"

#include "dp_book_layout.h"

/* Keys, brackets and a symbol of eight escaped bytes; then three numbers of at most 20 digits and
 * their signs. */
#define FRAME_SIZE 96
#define LEVEL_SIZE 68

size_t dp_book_render_size(const struct dp_books *books, uint32_t instrument_index)
{
    size_t bid_count = dp_book_level_count(books, instrument_index, DP_SIDE_BUY);
    size_t ask_count = dp_book_level_count(books, instrument_index, DP_SIDE_SELL);
    return FRAME_SIZE + LEVEL_SIZE * (bid_count + ask_count);
}

static char *put_text(char *text, const char *words)
{
    size_t size = strlen(words);
    memcpy(text, words, size);
    return text + size;
}

static char *put_number(char *text, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    memcpy(text, digits + at, sizeof(digits) - at);
    return text + sizeof(digits) - at;
}

static char *put_symbol(char *text, const char *symbol)
{
    for (; *symbol != '\0'; symbol++) {
        uint8_t code = (uint8_t)*symbol;
        if (code >= ' ' && code < 0x7f && code != '"' && code != '\\') {
            *text++ = (char)code;
        } else {
            text = put_text(text, "\\u00");
            *text++ = "0123456789abcdef"[code >> 4];
            *text++ = "0123456789abcdef"[code & 15];
        }
    }
    return text;
}

static char *put_side(const struct dp_books *books, uint32_t instrument_index, uint32_t side_index,
    uint32_t depth, char *text)
{
    const struct dp_skiplist_pool *pool = dp_books_pool(books);
    uint32_t number = dp_book_first_level(books, instrument_index, side_index);
    for (uint32_t count = 0; number != DP_SKIPLIST_NONE && count < depth; count++) {
        const struct dp_skiplist_level *level = &pool->levels[number];
        text = put_text(text, count == 0 ? "[" : ",[");
        text = put_number(text, (uint64_t)dp_load_relaxed(&level->price_nanos));
        *text++ = ',';
        text = put_number(text, dp_load_relaxed(&level->qty));
        *text++ = ',';
        text = put_number(text, dp_load_relaxed(&level->order_count));
        *text++ = ']';
        number = dp_book_skip_empty(pool, dp_skiplist_worse(pool, number));
    }
    return text;
}

size_t dp_book_render_json(
    const struct dp_books *books, uint32_t instrument_index, uint32_t depth, char *text)
{
    char symbol[9];
    char *at = text;
    dp_book_symbol(books, instrument_index, symbol);
    at = put_symbol(put_text(at, "{\"symbol\":\""), symbol);
    at = put_side(books, instrument_index, 0, depth, put_text(at, "\",\"bids\":["));
    at = put_side(books, instrument_index, 1, depth, put_text(at, "],\"asks\":["));
    at = put_text(at, "]}");
    return (size_t)(at - text);
}
