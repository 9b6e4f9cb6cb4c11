/* dp_book: what a reader is given is the book between two changes, whatever the writer does. */
#include "prove.h"

#include "dp_book_read.c"

#define CENT 10000000
#define DEPTH 2u
#define CHANGES_MAX 8u

typedef void (*change)(void);

struct copy {
    struct dp_book_view view;
    struct dp_book_level_view bids[DEPTH];
    struct dp_book_level_view asks[DEPTH];
};

static const struct dp_books_config config = {1, 4, 4};
static alignas(DP_CACHE_LINE) unsigned char memory[8192];
static struct dp_books *const books = (struct dp_books *)(void *)memory;
static struct copy expected[CHANGES_MAX]; /* by sequence number */
static unsigned char image[sizeof(memory)];
static const change *prepared; /* whose states `expected` and `image` hold */

static bool look(struct copy *copy)
{
    memset(copy, 0, sizeof(*copy));
    copy->view.bids = copy->bids;
    copy->view.asks = copy->asks;
    return read_once(books, &books->book[0], DEPTH, &copy->view);
}

static void remember(void)
{
    struct copy copy;
    PROVE(look(&copy));
    expected[copy.view.sequence] = copy;
}

/* The prices of a case: on the rungs of the window, or on no tick of it, so that the lists alone
 * lead to them. */
static int64_t unit;

static void begin(void)
{
    struct dp_err err;
    PROVE(dp_books_size(&config) <= sizeof(memory));
    memset(memory, 0, sizeof(memory));
    PROVE_EQUAL(dp_books_init(books, &config, &err), 0);
    dp_book_open(books, 0, "TEST    ");
    dp_book_set_trading_state(books, 0, DP_TRADING_OPEN);
    dp_book_add(books, 0, 1, DP_SIDE_BUY, 5, 100 * unit, 1);
    dp_book_add(books, 0, 2, DP_SIDE_SELL, 6, 110 * unit, 2);
}

static void add(void)
{
    dp_book_add(books, 0, 3, DP_SIDE_BUY, 7, 101 * unit, 3);
}

static void add_above_window(void)
{
    dp_book_add(books, 0, 3, DP_SIDE_BUY, 7, 300 * unit, 3);
}

static void reduce(void)
{
    dp_book_reduce(books, 1, 2, 4);
}

static void remove_bid(void)
{
    dp_book_remove(books, 1, 6);
}

static void replace(void)
{
    dp_book_replace(books, 2, 4, 9, 109 * unit, 5);
}

static void flag(void)
{
    dp_book_set_flags(books, 0, DP_BOOK_STALE);
}

static void halt(void)
{
    dp_book_set_trading_state(books, 0, DP_TRADING_HALTED);
}

/* Remembers the book after each change, then starts from the image of before. */
static void setup(const change *script, int64_t price_unit)
{
    unit = price_unit;
    if (prepared != script) {
        prepared = script;
        begin();
        memcpy(image, memory, sizeof(memory));
        remember();
        for (const change *one = script; *one != NULL; one++) {
            (*one)();
            remember();
        }
    }
    memcpy(memory, image, sizeof(memory));
}

static void write(const change *script)
{
    for (; *script != NULL; script++)
        (*script)();
}

static bool same_levels(
    const struct dp_book_level_view *levels, const struct dp_book_level_view *others)
{
    for (uint32_t at = 0; at < DEPTH; at++)
        if (levels[at].price_nanos != others[at].price_nanos || levels[at].qty != others[at].qty ||
            levels[at].order_count != others[at].order_count)
            return false;
    return true;
}

static void reader(void)
{
    struct copy copy;
    if (!look(&copy))
        return;
    PROVE(copy.view.sequence < CHANGES_MAX);
    const struct copy *one = &expected[copy.view.sequence];
    PROVE_EQUAL(copy.view.time_ns, one->view.time_ns);
    PROVE_EQUAL(copy.view.flags, one->view.flags);
    PROVE_EQUAL(copy.view.trading_state, one->view.trading_state);
    PROVE_EQUAL(copy.view.bid_count, one->view.bid_count);
    PROVE_EQUAL(copy.view.ask_count, one->view.ask_count);
    PROVE(same_levels(copy.bids, one->bids));
    PROVE(same_levels(copy.asks, one->asks));
}

/* The other look: which symbol an instrument has. */
static void setup_closed(void)
{
    struct dp_err err;
    memset(memory, 0, sizeof(memory));
    dp_books_init(books, &config, &err);
    prepared = NULL;
}

static void opener(void)
{
    dp_book_open(books, 0, "TEST    ");
}

static void symbol_reader(void)
{
    char symbol[9];
    if (dp_books_instrument_count(books) == 0)
        return;
    dp_book_symbol(books, 0, symbol);
    PROVE_EQUAL(strcmp(symbol, "TEST"), 0);
}

static void open_reader(void)
{
    char symbol[9];
    if (!dp_book_is_open(books, 0))
        return;
    dp_book_symbol(books, 0, symbol);
    PROVE_EQUAL(strcmp(symbol, "TEST"), 0);
}

/* A case for a script: what the writer does beside one look. */
#define SCRIPT(name, unit, ...) \
    static const change script_##name[] = {__VA_ARGS__, NULL}; \
    static void setup_##name(void) \
    { \
        setup(script_##name, unit); \
    } \
    static void write_##name(void) \
    { \
        write(script_##name); \
    }

SCRIPT(add, CENT, add)
SCRIPT(add_off, 1, add)
SCRIPT(replace, CENT, replace)
SCRIPT(replace_off, 1, replace)
SCRIPT(above, CENT, add_above_window)
SCRIPT(two, CENT, reduce, add)
SCRIPT(recycled, CENT, add, remove_bid)
SCRIPT(state, CENT, flag, halt)

#define CASE(what, script) \
    .name = what, .setup = setup_##script, .threads = {write_##script, reader}

static const struct prove_case cases[] = {
    {CASE("a level is added", add)},
    {CASE("an order moves", replace)},
    {CASE("a level is added off the rungs", add_off)},
    {CASE("an order moves off the rungs", replace_off)},
    {CASE("a level is added above the window", above)},
    {CASE("flag and halt", state)},
    {CASE("two changes", two)},
    {CASE("a level comes, another one goes", recycled)},
    {.name = "an instrument is counted", .setup = setup_closed, .threads = {opener, symbol_reader}},
    {.name = "an instrument opens", .setup = setup_closed, .threads = {opener, open_reader}},
};

#define BY_SEQUENCE "a value out of its time is caught by another load of the same look"
#define BY_LIST "needed without a sequence number: see prove_skiplist"

static const struct prove_spared spared[] = {
    {"link_in", "link_of(pool, number, h)", BY_LIST},
    {"dp_skiplist_remove", "&level->links[0]", BY_LIST},
    {"dp_skiplist_next", "&level->links[0]", BY_LIST},
    {"dp_skiplist_begin_at", "&pool->levels[level].generation", BY_SEQUENCE},
    {"hang_on_rung", "dp_book_rung(book, side_index, rung)", BY_SEQUENCE},
    {"dp_book_side_first",
        "dp_book_rung(book, side_index, word * 64 + (uint32_t)__builtin_ctzll(bits))", BY_SEQUENCE},
    {"dp_book_side_first", "&side->before_count", BY_SEQUENCE},
    {"count_before", "count", BY_SEQUENCE},
    {"read_once", "&book->flags", "read twice: either would do alone"},
    {"state_of", "&book->flags", "read twice: either would do alone"},
    {"dp_book_open", "&dp_book_depth(book)->symbol", "no case opens a book a second time"},
    {"dp_book_symbol", "&dp_book_depth(&books->book[instrument_index])->symbol",
        "no case opens a book a second time"},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), spared,
        sizeof(spared) / sizeof(spared[0]));
}
