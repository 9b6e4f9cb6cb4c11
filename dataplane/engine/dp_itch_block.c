/*
 * The block path of dp_itch_apply: groups of messages whose memory is on its way while an older
 * group is applied. Each step runs over a whole group before the next one begins: short loops over
 * registers, and every load has the time that some dozen messages take.
 */
#include "dp_book_ahead.h"
#include "dp_book_change.h"
#include "dp_itch_apply.h"

/* Measured: docs/performance.md. Far, mid and near run three, two and one group ahead. */
#define GROUP 8u
#define GROUPS 4u

struct item {
    const uint8_t *data;
    size_t size;
    struct dp_book_hint hint;
};

struct group {
    uint32_t count;
    struct item items[GROUP];
};

struct block {
    struct dp_books *books;
    struct dp_counters *counters;
    int64_t midnight_ns;
    const uint8_t *next; /* the frame to hop to */
    const uint8_t *end;
    struct dp_book_ahead ahead;
    struct group groups[GROUPS];
};

static int64_t price_nanos_at(const uint8_t *bytes)
{
    return (int64_t)dp_load_be32(bytes) * DP_ITCH_NANOS_PER_PRICE4;
}

/* Reads the fields where an add has them; of other types they are noise that nobody looks at. */
static inline void look_far(const struct dp_book_ahead *ahead, struct item *item)
{
    const uint8_t *data = item->data;
    if (DP_UNLIKELY(item->size < 19)) {
        item->hint = (struct dp_book_hint){.top = &ahead->no_top};
        return;
    }
    bool is_add = ((data[0] == 'A') | (data[0] == 'F')) & (item->size >= 36);
    dp_book_ahead_far(ahead, &item->hint, dp_load_be16(data + 1), dp_load_be64(data + 11), is_add,
        data[18 + is_add] == 'S', price_nanos_at(data + 32 * (size_t)is_add));
}

/* Takes the next whole messages into a group; an empty group says that none are left. */
static void fill(struct block *block, struct group *group)
{
    const uint8_t *next = block->next;
    uint32_t count = 0;
    while (count < GROUP && block->end - next >= 2) {
        size_t size = dp_load_be16(next);
        if (DP_UNLIKELY((size_t)(block->end - next) - 2 < size))
            break;
        struct item *item = &group->items[count];
        item->data = next + 2;
        item->size = size;
        next = item->data + size;
        if (DP_UNLIKELY(size == 0))
            continue;
        look_far(&block->ahead, item);
        count++;
    }
    block->next = next;
    group->count = count;
}

/* Any message, by way of the decoder; with everything that is to be counted. */
static __attribute__((noinline)) void apply_any(
    const struct block *block, const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    if (result == DP_ITCH_OK || dp_itch_note_odd(block->books, block->counters, data, size, result))
        dp_itch_apply(block->books, block->counters, &message, block->midnight_ns);
}

/* The messages that change books, straight from the wire. False when it is another one, or it was
 * refused: nothing has changed then, and apply_any() does or counts it. */
static bool apply_straight(const struct block *block, const uint8_t *data)
{
    struct dp_books *books = block->books;
    int64_t time_ns = block->midnight_ns + (int64_t)dp_load_be48(data + 5);
    uint64_t order_ref = dp_load_be64(data + 11);
    switch (data[0]) {
    case 'A':
    case 'F':
        return dp_book_change_add(books, dp_load_be16(data + 1), order_ref,
                   (enum dp_side)dp_itch_side(data[19]), dp_load_be32(data + 20),
                   price_nanos_at(data + 32), time_ns) == DP_BOOK_OK;
    case 'D': return dp_book_change_remove(books, order_ref, time_ns) == DP_BOOK_OK;
    case 'U':
        return dp_book_change_replace(books, order_ref, dp_load_be64(data + 19),
                   dp_load_be32(data + 27), price_nanos_at(data + 31), time_ns) == DP_BOOK_OK;
    case 'E':
    case 'C':
    case 'X':
        return dp_book_change_reduce(books, order_ref, dp_load_be32(data + 19), time_ns) ==
            DP_BOOK_OK;
    default: return false;
    }
}

static void apply_group(const struct block *block, const struct group *group)
{
    for (uint32_t index = 0; index < group->count; index++) {
        const struct item *item = &group->items[index];
        if (DP_UNLIKELY(item->size != dp_itch_length(item->data[0]) || item->size < 19 ||
                !apply_straight(block, item->data)))
            apply_any(block, item->data, item->size);
    }
}

static void look_mid(const struct dp_book_ahead *ahead, struct group *group)
{
    for (uint32_t index = 0; index < group->count; index++)
        dp_book_ahead_mid(ahead, &group->items[index].hint);
}

static void look_near(const struct dp_book_ahead *ahead, const struct group *group)
{
    for (uint32_t index = 0; index < group->count; index++)
        dp_book_ahead_near(ahead, &group->items[index].hint);
}

size_t dp_itch_apply_block(struct dp_books *books, struct dp_counters *counters,
    const uint8_t *data, size_t size, int64_t midnight_ns, uint64_t *message_count)
{
    struct block block = {.books = books,
        .counters = counters,
        .midnight_ns = midnight_ns,
        .next = data,
        .end = data + size};
    struct group *groups = block.groups;
    uint64_t count = 0;

    dp_book_ahead_init(&block.ahead, books);
    for (uint32_t turn = 0; turn < GROUPS - 1; turn++)
        fill(&block, &groups[turn]);
    look_mid(&block.ahead, &groups[0]);
    look_mid(&block.ahead, &groups[1]);
    for (uint32_t turn = 0; groups[turn % GROUPS].count != 0; turn++) {
        fill(&block, &groups[(turn + 3) % GROUPS]);
        look_mid(&block.ahead, &groups[(turn + 2) % GROUPS]);
        look_near(&block.ahead, &groups[(turn + 1) % GROUPS]);
        apply_group(&block, &groups[turn % GROUPS]);
        count += groups[turn % GROUPS].count;
    }
    dp_counter_add(counters, DP_COUNTER_ITCH_MESSAGES, count);
    *message_count += count;
    return (size_t)(block.next - data);
}
