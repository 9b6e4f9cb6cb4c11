/* dp_order_claim: transitions of one order by two threads, and looks of a reader. A record has two
 * words here; a transition moves one share from the second to the first. */
#include "prove.h"

#define DP_ORDER_WORDS 3u
#define DP_ORDER_TRIES 2

#include "dp_order_claim.h"

#define SHARES 10u

static struct dp_order order;
static uint32_t changes[2];
static uint32_t refusals[2];

static uint64_t word_of(const struct dp_order *of, size_t word)
{
    return dp_load_relaxed(&dp_order_words(of)[word]);
}

static uint64_t version_state(uint32_t version)
{
    return DP_ORDER_STATE(DP_ORDER_NEW, DP_PENDING_NONE, 0, version);
}

static void setup(void)
{
    memset(&order, 0, sizeof(order));
    memset(changes, 0, sizeof(changes));
    memset(refusals, 0, sizeof(refusals));
    dp_store_relaxed(&dp_order_words(&order)[2], SHARES);
    dp_store_relaxed(&order.state, version_state(0));
}

static void change_once(void)
{
    struct dp_order copy;
    uint64_t state;
    uint32_t before = prove_steps();
    bool claimed = dp_order_claim(&order, &state);
    PROVE(prove_steps() - before <= 1 + 2 * DP_ORDER_TRIES); /* whatever the others do */
    if (!claimed) {
        refusals[prove_self()]++;
        return;
    }
    dp_order_copy_out(&order, state, &copy);
    dp_store_relaxed(&dp_order_words(&copy)[1], word_of(&copy, 1) + 1);
    dp_store_relaxed(&dp_order_words(&copy)[2], word_of(&copy, 2) - 1);
    dp_order_copy_in(&order, &copy);
    dp_order_publish(&order, version_state(DP_ORDER_VERSION(state) + 1));
    changes[prove_self()]++;
}

static void change_twice(void)
{
    change_once();
    change_once();
}

/* Of the version that it says, and of no other. */
static void look(void)
{
    struct dp_order copy;
    if (!dp_order_copy_whole(&order, &copy))
        return;
    uint64_t moved = DP_ORDER_VERSION(word_of(&copy, 0));
    PROVE_EQUAL(word_of(&copy, 1), moved);
    PROVE_EQUAL(word_of(&copy, 2), SHARES - moved);
}

/* None is lost: as many versions and shares as changes that came back. */
static void changes_add_up(void)
{
    uint64_t state = dp_load_relaxed(&order.state);
    PROVE((state & DP_ORDER_CHANGING) == 0);
    PROVE_EQUAL(DP_ORDER_VERSION(state), changes[0] + changes[1]);
    PROVE(changes[0] + changes[1] > 0); /* only one can be refused by the other */
    look();
}

/* A writer that died: what it left half done is marked, everything else is whole. */
static void only_marked_is_half_done(void)
{
    uint64_t state = dp_load_relaxed(&order.state);
    if ((state & DP_ORDER_CHANGING) == 0)
        look();
    else
        PROVE(!dp_order_claim(&order, &state));
}

static const struct prove_case cases[] = {
    {.name = "two changes beside a look",
        .setup = setup,
        .threads = {change_twice, look},
        .finally = changes_add_up},
    {.name = "two threads change",
        .setup = setup,
        .threads = {change_once, change_once},
        .finally = changes_add_up},
    {.name = "a writer dies",
        .setup = setup,
        .threads = {change_once, look},
        .finally = only_marked_is_half_done,
        .mortal = 1},
    {.name = "two threads change beside a look",
        .setup = setup,
        .threads = {change_once, change_once, look},
        .finally = changes_add_up,
        .preemptions_max = 3,
        .is_long = true},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
