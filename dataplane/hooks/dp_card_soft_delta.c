/*
 * Books in the card: the same ones that the program keeps (core/dp_book.h), of armed instruments,
 * and for each message the levels that it changed as they are now. A delta that is missing makes
 * every later picture wrong, so the first message that cannot be followed ends them.
 */
#include "dp_book.h"
#include "dp_card_soft.h"
#include "dp_itch.h"

#define WAITING_MAX 8192u /* deltas that nobody has taken; a power of two */

struct dp_card_soft_deltas {
    struct dp_card_delta waiting[WAITING_MAX];
    uint64_t made, taken;
    bool is_lost;
    struct dp_books *books;
};

static const struct dp_books_config sizes = {
    .instrument_count_max = DP_CARD_INSTRUMENTS,
    .order_count_max = 1u << 18,
    .level_count_max = 1u << 17,
};

bool dp_card_soft_turn_deltas(struct dp_card_soft *soft, bool on)
{
    if (soft->deltas != NULL) {
        free(soft->deltas->books);
        free(soft->deltas);
        soft->deltas = NULL;
    }
    if (!on)
        return true;
    size_t size = dp_round_up(dp_books_size(&sizes), DP_CACHE_LINE);
    struct dp_card_soft_deltas *deltas = calloc(1, sizeof(*deltas));
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    if (deltas == NULL || books == NULL) {
        free(deltas);
        free(books);
        return false;
    }
    memset(books, 0, size);
    dp_books_init(books, &sizes, NULL);
    deltas->books = books;
    soft->deltas = deltas;
    return true;
}

/* ---- one message ---- */

struct level {
    uint16_t stock_locate;
    uint32_t side; /* enum dp_side */
    int64_t price_nanos;
};

/* The levels that a message is going to change; returns how many. An order that is not there: -1.
 */
static int find_levels(
    const struct dp_books *books, const struct dp_itch_message *message, struct level levels[2])
{
    struct dp_book_order_view order;
    int64_t price_nanos = (int64_t)message->price4 * DP_ITCH_NANOS_PER_PRICE4;
    if (message->type == 'A' || message->type == 'F') {
        levels[0] = (struct level){message->stock_locate, message->side, price_nanos};
        return 1;
    }
    if (!dp_book_order(books, message->order_ref, &order))
        return -1;
    levels[0] = (struct level){message->stock_locate, order.side, order.price_nanos};
    levels[1] = (struct level){message->stock_locate, order.side, price_nanos};
    return message->type == 'U' && order.price_nanos != price_nanos ? 2 : 1;
}

static enum dp_book_result apply(struct dp_books *books, const struct dp_itch_message *message)
{
    int64_t price_nanos = (int64_t)message->price4 * DP_ITCH_NANOS_PER_PRICE4;
    int64_t time_ns = message->timestamp_ns;
    switch (message->type) {
    case 'A':
    case 'F':
        if (!dp_book_is_open(books, message->stock_locate))
            dp_book_open(books, message->stock_locate, (const char *)message->stock);
        return dp_book_add(books, message->stock_locate, message->order_ref,
            (enum dp_side)message->side, message->qty, price_nanos, time_ns);
    case 'D': return dp_book_remove(books, message->order_ref, time_ns);
    case 'U':
        return dp_book_replace(
            books, message->order_ref, message->new_order_ref, message->qty, price_nanos, time_ns);
    default: return dp_book_reduce(books, message->order_ref, message->qty, time_ns);
    }
}

static void tell(struct dp_card_soft_deltas *deltas, const struct level *level, uint64_t sequence)
{
    struct dp_book_level_view view = {0};
    dp_book_level_at(
        deltas->books, level->stock_locate, (enum dp_side)level->side, level->price_nanos, &view);
    deltas->waiting[deltas->made++ % WAITING_MAX] = (struct dp_card_delta){
        .sequence = sequence,
        .qty = view.qty,
        .price4 = (uint32_t)(level->price_nanos / DP_ITCH_NANOS_PER_PRICE4),
        .stock_locate = level->stock_locate,
        .side = level->side == DP_SIDE_BUY ? 'B' : 'S',
    };
}

/* False: it cannot be followed. */
static bool follow_message(
    struct dp_card_soft_deltas *deltas, const struct dp_itch_message *message, uint64_t sequence)
{
    struct level levels[2];
    int count = find_levels(deltas->books, message, levels);
    if (count < 0 || deltas->made + 2 - deltas->taken > WAITING_MAX ||
        apply(deltas->books, message) != DP_BOOK_OK)
        return false;
    for (int index = 0; index < count; index++)
        tell(deltas, &levels[index], sequence);
    return true;
}

/* ---- packets ---- */

static bool changes_books(const struct dp_card_soft *soft, const uint8_t *data, uint32_t size,
    struct dp_itch_message *message)
{
    return size > 0 && memchr("AFECXDU", data[0], 7) != NULL &&
        dp_itch_decode(data, size, message) == DP_ITCH_OK &&
        dp_card_soft_is_armed(soft, message->stock_locate);
}

void dp_card_soft_follow(
    struct dp_card_soft *soft, const struct dp_moldudp_packet *packet, uint64_t expected)
{
    struct dp_card_soft_deltas *deltas = soft->deltas;
    struct dp_itch_message message;
    uint64_t sequence = packet->sequence;
    if (packet->message_count == 0 || packet->message_count == DP_MOLDUDP_END_OF_SESSION)
        return;
    if (expected == 0 || sequence > expected || !(soft->control & DP_CARD_ARBITRATE))
        deltas->is_lost = true;
    for (size_t at = 0; at < packet->blocks_size; sequence++) {
        uint32_t size = dp_load_be16(packet->blocks + at);
        const uint8_t *data = packet->blocks + at + 2;
        at += 2 + size;
        if (sequence < expected || !changes_books(soft, data, size, &message))
            continue;
        deltas->is_lost = deltas->is_lost || !follow_message(deltas, &message, sequence);
        if (deltas->is_lost)
            soft->counts[DP_CARD_COUNT_DELTAS_LOST]++;
    }
}

uint32_t dp_card_soft_take_deltas(struct dp_card *card, struct dp_card_delta *deltas, uint32_t max)
{
    struct dp_card_soft_deltas *kept = ((struct dp_card_soft *)card)->deltas;
    uint32_t count = 0;
    for (; kept != NULL && count < max && kept->taken != kept->made; count++)
        deltas[count] = kept->waiting[kept->taken++ % WAITING_MAX];
    return count;
}
