/*
 * Random operations on books, in blocks of ITCH messages and one by one in turn, against a model
 * too simple to be wrong (core/book_model.h).
 *
 *     engine_test_book_fuzz [OPERATIONS [SEED]]
 *
 * A session of some 20,000 operations has its own seed, which is printed when it fails: sizes of
 * the pools, ticks, how far prices go and how references are numbered all follow from it.
 */
#include "../core/book_model.h"
#include "dp_itch_apply.h"

#define INSTRUMENTS 4u
#define SESSION_OPERATIONS 20000u
#define BLOCK_OPERATIONS 400u
#define OPERATIONS_DEFAULT 400000u
#define FRAME_MAX 48u
#define PRICE4_NANOS 100000

struct session {
    uint64_t random;
    uint64_t ref_next;
    uint64_t ref_stride; /* 0: 1 to 16 */
    uint32_t tick4;      /* in 1e-4 */
    uint32_t middle4;
    uint32_t add_share;
    struct dp_books *books;
    uint64_t results[DP_BOOK_FULL + 1]; /* what the model said */
};

static struct dp_counters counters;

static uint64_t below(struct session *session, uint64_t end)
{
    return (check_random(&session->random) >> 11) % end;
}

/* ---- operations ---- */

/* One message, and what the model says to it. */
struct operation {
    char type; /* of ITCH */
    uint64_t order_ref;
    struct model_order order; /* of A and U; qty of E C X */
};

static uint64_t new_ref(struct session *session)
{
    if (below(session, 16) == 0) /* taken, or once taken */
        return session->ref_next - below(session, 64) * session->ref_stride;
    session->ref_next += session->ref_stride != 0 ? session->ref_stride : 1 + below(session, 16);
    return session->ref_next;
}

static uint64_t live_ref(struct session *session)
{
    return model.count == 0 || below(session, 32) == 0
        ? below(session, 1000)
        : model.orders[below(session, model.count)].order_ref;
}

/* Mostly near the middle, which wanders; sometimes far off, sometimes on no tick. */
static int64_t new_price(struct session *session)
{
    static const uint32_t reaches[8] = {8, 8, 20, 20, 40, 150, 600, 8000};
    uint32_t reach = reaches[below(session, 8)];
    int64_t away = (int64_t)below(session, 2 * reach + 1) - reach;
    session->middle4 += (uint32_t)(below(session, 3) - 1) * session->tick4 * (reach > 100);
    int64_t price4 = (int64_t)session->middle4 + away * session->tick4;
    price4 += below(session, 4000) == 0;
    return below(session, 500) == 0 || price4 < 0 ? 0 : price4 * PRICE4_NANOS;
}

static struct operation new_operation(struct session *session)
{
    static const char others[] = "EECXDDDDDDUU";
    struct operation operation = {
        .type = below(session, 100) < session->add_share ? 'A' : others[below(session, 12)],
        .order =
            {
                .price_nanos = new_price(session),
                .qty = below(session, 6),
                .instrument_index = (uint32_t)below(session, 40) % (INSTRUMENTS + 1),
                .side = below(session, 2) != 0 ? DP_SIDE_BUY : DP_SIDE_SELL,
            },
    };
    operation.order_ref = operation.type == 'A' ? new_ref(session) : live_ref(session);
    operation.order.order_ref = operation.type == 'A' ? operation.order_ref : new_ref(session);
    return operation;
}

static enum dp_book_result model_apply(const struct operation *operation)
{
    switch (operation->type) {
    case 'A': return model_add(&operation->order);
    case 'D': return model_remove(operation->order_ref);
    case 'U': return model_replace(operation->order_ref, operation->order);
    default: return model_reduce(operation->order_ref, operation->order.qty);
    }
}

static enum dp_book_result books_apply(struct dp_books *books, const struct operation *operation)
{
    const struct model_order *order = &operation->order;
    switch (operation->type) {
    case 'A':
        return dp_book_add(books, order->instrument_index, order->order_ref,
            (enum dp_side)order->side, order->qty, order->price_nanos, 1);
    case 'D': return dp_book_remove(books, operation->order_ref, 1);
    case 'U':
        return dp_book_replace(
            books, operation->order_ref, order->order_ref, order->qty, order->price_nanos, 1);
    default: return dp_book_reduce(books, operation->order_ref, order->qty, 1);
    }
}

/* ---- messages ---- */

static uint32_t length_of(char type)
{
    return type == 'A' ? 36 : type == 'D' ? 19 : type == 'U' ? 35 : type == 'X' ? 23 : 31;
}

/* Written out by hand, from the tables of the specification. Returns the bytes of the frame. The
 * stock locate beside a reference means nothing, and is wrong sometimes. */
static size_t put_frame(uint8_t *frame, const struct operation *operation, uint64_t instrument)
{
    const struct model_order *order = &operation->order;
    uint32_t length = operation->type == 'C' ? 36 : length_of(operation->type);
    uint8_t *data = frame + 2;
    memset(frame, 0, FRAME_MAX);
    dp_store_be16(frame, (uint16_t)length);
    data[0] = (uint8_t)operation->type;
    dp_store_be16(data + 1, (uint16_t)instrument);
    dp_store_be64(data + 11, operation->order_ref);
    if (operation->type == 'A') {
        dp_store_be16(data + 1, (uint16_t)order->instrument_index);
        data[19] = order->side == DP_SIDE_BUY ? 'B' : 'S';
        dp_store_be32(data + 20, (uint32_t)order->qty);
        dp_store_be32(data + 32, (uint32_t)(order->price_nanos / PRICE4_NANOS));
    } else if (operation->type == 'U') {
        dp_store_be64(data + 19, order->order_ref);
        dp_store_be32(data + 27, (uint32_t)order->qty);
        dp_store_be32(data + 31, (uint32_t)(order->price_nanos / PRICE4_NANOS));
    } else if (operation->type != 'D') {
        dp_store_be32(data + 19, (uint32_t)order->qty);
    }
    return 2 + length;
}

/* The instrument of a live order, most of the time. */
static uint64_t instrument_of(struct session *session, uint64_t order_ref)
{
    const struct model_order *order = model_find(order_ref);
    return order == NULL || below(session, 16) == 0 ? below(session, INSTRUMENTS)
                                                    : order->instrument_index;
}

static void run_block(struct session *session, uint64_t count)
{
    static uint8_t block[BLOCK_OPERATIONS * FRAME_MAX];
    size_t size = 0;
    for (uint64_t at = 0; at < count; at++) {
        struct operation operation = new_operation(session);
        size += put_frame(block + size, &operation, instrument_of(session, operation.order_ref));
        session->results[model_apply(&operation)]++;
    }
    uint64_t message_count = 0;
    CHECK_EQUAL(
        dp_itch_apply_block(session->books, &counters, block, size, 0, &message_count), size);
    CHECK_EQUAL(message_count, count);
    for (int result = DP_BOOK_UNKNOWN_ORDER; result <= DP_BOOK_FULL; result++)
        CHECK_EQUAL(dp_counter_read(
                        &counters, (enum dp_counter)(DP_COUNTER_BOOK_UNKNOWN_ORDER + result - 1)),
            session->results[result]);
}

static void run_one_by_one(struct session *session, uint64_t count)
{
    for (uint64_t at = 0; at < count && check_failures == 0; at++) {
        struct operation operation = new_operation(session);
        CHECK_EQUAL(books_apply(session->books, &operation), model_apply(&operation));
    }
}

/* ---- sessions ---- */

static struct session new_session(uint64_t seed)
{
    static const uint64_t strides[6] = {0, 0, 1, 7, 256, 1ull << 33};
    static const uint32_t ticks4[4] = {100, 100, 1, 2500};
    struct session session = {.random = seed * 2 + 1, .ref_next = seed << 20};
    struct dp_books_config config = {
        .instrument_count_max = INSTRUMENTS,
        .order_count_max = (uint32_t)(20 + below(&session, 240)),
        .level_count_max = (uint32_t)(10 + below(&session, 300)),
    };
    memset(&counters, 0, sizeof(counters));
    session.ref_stride = strides[below(&session, 6)];
    session.tick4 = ticks4[below(&session, 4)];
    session.middle4 = 10000 * session.tick4;
    session.books = model_new_books(&config);
    return session;
}

static void run_session(uint64_t seed, uint64_t operations)
{
    struct session session = new_session(seed);
    for (uint64_t done = 0; done < operations && check_failures == 0;) {
        uint64_t count = 1 + below(&session, BLOCK_OPERATIONS);
        session.add_share = below(&session, 2) ? 55 : 25;
        if (below(&session, 4) != 0)
            run_block(&session, count);
        else
            run_one_by_one(&session, count);
        model_compare(session.books);
        done += count;
    }
    free(session.books);
}

/* From the command line, or what `make test` runs. */
static uint64_t operations_wanted = OPERATIONS_DEFAULT;
static uint64_t seed_first = 1;

static void test_books_agree_with_the_model_over_random_operations(void)
{
    uint64_t seed = seed_first;
    for (uint64_t done = 0; done < operations_wanted; done += SESSION_OPERATIONS, seed++) {
        run_session(seed, SESSION_OPERATIONS);
        if (check_failures != 0) {
            printf("seed %llu: engine_test_book_fuzz %u %llu\n", (unsigned long long)seed,
                SESSION_OPERATIONS, (unsigned long long)seed);
            return;
        }
    }
    printf("seeds %llu to %llu, %u operations each\n", (unsigned long long)seed_first,
        (unsigned long long)seed - 1, SESSION_OPERATIONS);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        operations_wanted = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seed_first = strtoull(argv[2], NULL, 10);
    RUN_TESTS(TEST(test_books_agree_with_the_model_over_random_operations));
}
