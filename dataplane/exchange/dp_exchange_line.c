#include "dp_exchange_line.h"

#define PPM 1000000u

struct held {
    int64_t due_ns;
    uint64_t number; /* order of arrival: decides between equal times */
    uint32_t slot;
    uint32_t size;
};

/* heap[0] is due first; slots[held_count ..] are the free ones. */
struct dp_exchange_line {
    struct dp_exchange_line_config config;
    uint64_t random;
    uint64_t number;
    uint32_t held_count;
    struct held heap[DP_EXCHANGE_LINE_HELD_MAX];
    uint32_t slots[DP_EXCHANGE_LINE_HELD_MAX];
    uint8_t packets[DP_EXCHANGE_LINE_HELD_MAX][DP_EXCHANGE_PACKET_MAX];
};

struct dp_exchange_line *dp_exchange_line_open(void)
{
    struct dp_exchange_line *line = malloc(sizeof(*line));
    if (line == NULL)
        return NULL;
    memset(line, 0, offsetof(struct dp_exchange_line, packets)); /* these need no beginning */
    for (uint32_t index = 0; index < DP_EXCHANGE_LINE_HELD_MAX; index++)
        line->slots[index] = index;
    dp_exchange_line_set(line, &(struct dp_exchange_line_config){0});
    return line;
}

void dp_exchange_line_close(struct dp_exchange_line *line)
{
    free(line);
}

void dp_exchange_line_set(
    struct dp_exchange_line *line, const struct dp_exchange_line_config *config)
{
    line->config = *config;
    line->random = config->seed * 0x9e3779b97f4a7c15ull | 1; /* xorshift may not begin at 0 */
}

static bool draw(struct dp_exchange_line *line, uint32_t ppm)
{
    line->random ^= line->random >> 12;
    line->random ^= line->random << 25;
    line->random ^= line->random >> 27;
    return (line->random * 0x2545f4914f6cdd1dull >> 32) % PPM < ppm;
}

static bool is_before(const struct held *left, const struct held *right)
{
    return left->due_ns != right->due_ns ? left->due_ns < right->due_ns
                                         : left->number < right->number;
}

static void swap(struct held *left, struct held *right)
{
    struct held kept = *left;
    *left = *right;
    *right = kept;
}

static void rise(struct held *heap, uint32_t index)
{
    while (index > 0 && is_before(&heap[index], &heap[(index - 1) / 2])) {
        swap(&heap[index], &heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
}

static void sink(struct held *heap, uint32_t count)
{
    uint32_t index = 0;
    for (;;) {
        uint32_t first = index;
        for (uint32_t child = 2 * index + 1; child <= 2 * index + 2 && child < count; child++)
            if (is_before(&heap[child], &heap[first]))
                first = child;
        if (first == index)
            return;
        swap(&heap[index], &heap[first]);
        index = first;
    }
}

static bool hold(struct dp_exchange_line *line, const uint8_t *data, uint32_t size, int64_t due_ns)
{
    if (line->held_count == DP_EXCHANGE_LINE_HELD_MAX)
        return false;
    uint32_t slot = line->slots[line->held_count];
    memcpy(line->packets[slot], data, size);
    line->heap[line->held_count] =
        (struct held){.due_ns = due_ns, .number = line->number++, .slot = slot, .size = size};
    rise(line->heap, line->held_count++);
    return true;
}

bool dp_exchange_line_push(
    struct dp_exchange_line *line, const uint8_t *data, uint32_t size, int64_t now_ns)
{
    DP_ASSERT(size <= DP_EXCHANGE_PACKET_MAX);
    /* All three are drawn every time: a line's losses do not depend on its other faults. */
    bool lost = draw(line, line->config.loss_ppm);
    bool overtaken = draw(line, line->config.reorder_ppm);
    bool twice = draw(line, line->config.duplicate_ppm);
    if (lost)
        return false;
    int64_t due_ns = now_ns + line->config.delay_ns + (overtaken ? DP_EXCHANGE_REORDER_NS : 0);
    bool held = hold(line, data, size, due_ns);
    if (held && twice)
        hold(line, data, size, due_ns);
    return held;
}

const uint8_t *dp_exchange_line_pop(struct dp_exchange_line *line, int64_t now_ns, uint32_t *size)
{
    if (line->held_count == 0 || line->heap[0].due_ns > now_ns)
        return NULL;
    struct held first = line->heap[0];
    line->heap[0] = line->heap[--line->held_count];
    sink(line->heap, line->held_count);
    line->slots[line->held_count] = first.slot;
    *size = first.size;
    return line->packets[first.slot];
}

int64_t dp_exchange_line_next_ns(const struct dp_exchange_line *line)
{
    return line->held_count == 0 ? INT64_MAX : line->heap[0].due_ns;
}
