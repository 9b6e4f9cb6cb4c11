/*
 * Where the common fields of each type stand. dp_itch_fields.c has all fields by name; a test holds
 * the two together.
 */
#include "dp_itch.h"

/* Four bytes are loaded as the lower half of eight. */
#define ORDER_REF(at) .order_ref_at = at, .order_ref_mask = UINT64_MAX
#define NEW_ORDER_REF(at) .new_order_ref_at = at, .new_order_ref_mask = UINT64_MAX
#define MATCH_NUMBER(at) .match_number_at = at, .match_number_mask = UINT64_MAX
#define QTY8(at) .qty_at = at, .qty_mask = UINT64_MAX
#define QTY4(at) .qty_at = at - 4, .qty_mask = UINT32_MAX
#define PRICE4(at) .price4_at = at, .price4_mask = UINT32_MAX
#define STOCK(at) .stock_at = at, .stock_mask = UINTPTR_MAX
#define SIDE(at) .side_at = at, .side_mask = UINT8_MAX
#define CODE(at) .code_at = at, .code_mask = UINT8_MAX
#define MARKET_CODE(at) .market_code_at = at, .market_code_mask = UINT8_MAX

const struct dp_itch_layout dp_itch_layouts[256] = {
    ['S'] = {.length = 12, CODE(11)},
    ['R'] = {.length = 39, STOCK(11)},
    ['H'] = {.length = 25, STOCK(11), CODE(19)},
    ['Y'] = {.length = 20, STOCK(11), CODE(19)},
    ['L'] = {.length = 26, STOCK(15)},
    ['V'] = {.length = 35},
    ['W'] = {.length = 12, CODE(11)},
    ['K'] = {.length = 28, STOCK(11)},
    ['J'] = {.length = 35, STOCK(11)},
    ['h'] = {.length = 21, STOCK(11), MARKET_CODE(19), CODE(20)},
    ['A'] = {.length = 36, ORDER_REF(11), SIDE(19), QTY4(20), STOCK(24), PRICE4(32)},
    ['F'] = {.length = 40, ORDER_REF(11), SIDE(19), QTY4(20), STOCK(24), PRICE4(32)},
    ['E'] = {.length = 31, ORDER_REF(11), QTY4(19), MATCH_NUMBER(23)},
    ['C'] = {.length = 36, ORDER_REF(11), QTY4(19), MATCH_NUMBER(23), CODE(31), PRICE4(32)},
    ['X'] = {.length = 23, ORDER_REF(11), QTY4(19)},
    ['D'] = {.length = 19, ORDER_REF(11)},
    ['U'] = {.length = 35, ORDER_REF(11), NEW_ORDER_REF(19), QTY4(27), PRICE4(31)},
    ['P'] =
        {.length = 44, ORDER_REF(11), SIDE(19), QTY4(20), STOCK(24), PRICE4(32), MATCH_NUMBER(36)},
    ['Q'] = {.length = 40, QTY8(11), STOCK(19), PRICE4(27), MATCH_NUMBER(31), CODE(39)},
    ['B'] = {.length = 19, MATCH_NUMBER(11)},
    ['I'] = {.length = 50, STOCK(28), CODE(48)},
    ['N'] = {.length = 20, STOCK(11)},
    ['O'] = {.length = 48, STOCK(11)},
};

static_assert(sizeof(struct dp_itch_layout) == DP_CACHE_LINE, "one type, one line");
static_assert(sizeof(struct dp_itch_message) == DP_CACHE_LINE, "one line to write, one to read");
