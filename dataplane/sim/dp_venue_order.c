#include "dp_venue_state.h"

struct dp_venue_order *dp_venue_order_at(const struct dp_venue *venue, uint32_t index)
{
    return index == DP_VENUE_NONE ? NULL : &venue->orders[index];
}

struct dp_venue_order *dp_venue_find(const struct dp_venue *venue, uint32_t user_ref_num)
{
    uint32_t low = 0;
    uint32_t high = venue->order_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (venue->orders[middle].user_ref_num < user_ref_num)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == venue->order_count)
        return NULL;
    struct dp_venue_order *order = &venue->orders[low];
    return order->user_ref_num == user_ref_num && order->leaves_qty > 0 ? order : NULL;
}

struct dp_venue_order *dp_venue_order_make(struct dp_venue *venue, uint32_t user_ref_num)
{
    if (venue->order_count == venue->config.order_count_max)
        return NULL;
    struct dp_venue_order *order = &venue->orders[venue->order_count++];
    *order = (struct dp_venue_order){
        .order_ref = venue->order_ref_next++,
        .user_ref_num = user_ref_num,
        .next = DP_VENUE_NONE,
    };
    return order;
}

static bool is_better(const struct dp_venue_order *order, const struct dp_venue_order *other)
{
    return order->book_side == DP_SIDE_BUY ? order->price_nanos > other->price_nanos
                                           : order->price_nanos < other->price_nanos;
}

static uint32_t *list_of(struct dp_venue *venue, const struct dp_venue_order *order)
{
    return &venue->instruments[order->instrument_index].first[order->book_side == DP_SIDE_SELL];
}

void dp_venue_rest(struct dp_venue *venue, struct dp_venue_order *order)
{
    order->priority = dp_books_priority_next(venue->books);
    uint32_t *link = list_of(venue, order);
    while (*link != DP_VENUE_NONE && !is_better(order, &venue->orders[*link]))
        link = &venue->orders[*link].next;
    order->next = *link;
    order->resting = true;
    *link = (uint32_t)(order - venue->orders);
    dp_venue_touch(venue, order->instrument_index);
}

void dp_venue_unrest(struct dp_venue *venue, struct dp_venue_order *order)
{
    if (!order->resting)
        return;
    uint32_t index = (uint32_t)(order - venue->orders);
    uint32_t *link = list_of(venue, order);
    while (*link != index)
        link = &venue->orders[*link].next;
    *link = order->next;
    order->next = DP_VENUE_NONE;
    order->resting = false;
    dp_venue_touch(venue, order->instrument_index);
}

void dp_venue_touch(struct dp_venue *venue, uint32_t instrument_index)
{
    const struct dp_venue_instrument *instrument = &venue->instruments[instrument_index];
    venue->touched[instrument_index] = instrument->first[0] != DP_VENUE_NONE ||
        instrument->first[1] != DP_VENUE_NONE || instrument->used_count > 0;
}

static bool has_symbol(const struct dp_venue *venue, uint32_t instrument_index, const char *trimmed)
{
    char symbol[9];
    dp_book_symbol(venue->books, instrument_index, symbol);
    return strcmp(symbol, trimmed) == 0;
}

static void trim(const char symbol[8], char trimmed[9])
{
    size_t size = 8;
    while (size > 0 && symbol[size - 1] == ' ')
        size--;
    memcpy(trimmed, symbol, size);
    trimmed[size] = '\0';
}

uint32_t dp_venue_instrument(struct dp_venue *venue, const char symbol[8])
{
    char trimmed[9];
    trim(symbol, trimmed);
    if (trimmed[0] == '\0')
        return DP_BOOK_NONE;
    uint64_t word;
    memcpy(&word, symbol, sizeof(word));
    uint64_t hash = word * 0x9e3779b97f4a7c15ull >> 32;
    struct dp_venue_symbol *slot = &venue->symbols[hash % DP_VENUE_SYMBOL_SLOTS];
    /* The books are asked again each time: a new session may give the index to another symbol. */
    if (memcmp(slot->symbol, symbol, sizeof(slot->symbol)) == 0 &&
        has_symbol(venue, slot->instrument_index, trimmed))
        return slot->instrument_index;

    uint32_t found = dp_books_find(venue->books, trimmed);
    if (found != DP_BOOK_NONE) {
        memcpy(slot->symbol, symbol, sizeof(slot->symbol));
        slot->instrument_index = found;
    }
    return found;
}

bool dp_venue_is_trading(const struct dp_venue *venue, uint32_t instrument_index)
{
    return !venue->closed &&
        dp_book_trading_state(venue->books, instrument_index) == DP_TRADING_OPEN;
}
