/* dp_credit: lanes that lease from one pool, one that dies anywhere, a limit that changes. */
#include "prove.h"

#include "dp_credit.c"

#define LIMIT 5
#define ORDERS 2

static struct dp_credit_pool pool;
static struct dp_credit_hold holds[2];
static int64_t frees[2];
/* What the orders of a lane use: written where the product writes the order's record. */
static _Atomic int64_t recorded[2];
static int64_t limit;
static bool mended;

static void setup(void)
{
    memset(&pool, 0, sizeof(pool));
    memset(holds, 0, sizeof(holds));
    memset(frees, 0, sizeof(frees));
    for (int lane = 0; lane < 2; lane++)
        dp_store_relaxed(&recorded[lane], 0);
    limit = LIMIT;
    mended = false;
    dp_credit_grow(&pool, LIMIT);
}

/* One order: lease what is lacking, reserve, record. */
static bool order(uint32_t lane, int64_t need)
{
    if (frees[lane] < need && !dp_credit_lease(&pool, lane, &holds[lane], &frees[lane], need, 4))
        return false;
    frees[lane] -= need;
    dp_store_relaxed(&recorded[lane], dp_load_relaxed(&recorded[lane]) + need);
    return true;
}

static void submitter(uint32_t lane)
{
    for (int count = 0; count < ORDERS; count++)
        order(lane, 1 + count);
}

static void first(void)
{
    submitter(0);
}
static void second(void)
{
    submitter(1);
}

/* Reserves, is done with it, and gives back what it holds. */
static void giver(void)
{
    if (!order(1, 3))
        return;
    dp_store_relaxed(&recorded[1], 0);
    frees[1] += 3;
    dp_credit_give(&pool, 1, &holds[1], &frees[1], frees[1]);
}

/* Takes over the lane of the dead one, and goes on with it. */
static void heir(void)
{
    order(1, 1);
    if (!prove_is_dead(0))
        return;
    dp_credit_mend(&pool, 0, &holds[0], &frees[0], dp_load_relaxed(&recorded[0]));
    mended = true;
    order(0, 1);
}

static void changer(void)
{
    dp_credit_grow(&pool, -2);
    dp_credit_grow(&pool, 1);
}

static void within_the_limit(void)
{
    PROVE(dp_load_relaxed(&recorded[0]) + dp_load_relaxed(&recorded[1]) <= LIMIT);
}

static void conserved(void)
{
    int64_t sum = dp_credit_free(&pool);
    for (int lane = 0; lane < 2; lane++) {
        int64_t leased = dp_load_relaxed(&holds[lane].leased);
        sum += leased;
        PROVE_EQUAL(dp_load_relaxed(&holds[lane].moving), 0);
        PROVE_EQUAL(leased - frees[lane], dp_load_relaxed(&recorded[lane]));
    }
    PROVE_EQUAL(sum, limit);
}

static void conserved_when_mended(void)
{
    within_the_limit();
    if (mended)
        conserved();
}

static void conserved_at_three(void)
{
    limit = LIMIT - 1;
    conserved();
}

static const struct prove_case cases[] = {
    {.name = "two lanes",
        .setup = setup,
        .threads = {first, second},
        .always = within_the_limit,
        .finally = conserved},
    {.name = "one gives back",
        .setup = setup,
        .threads = {first, giver},
        .always = within_the_limit,
        .finally = conserved},
    {.name = "a lane dies and has an heir",
        .setup = setup,
        .threads = {first, heir},
        .always = within_the_limit,
        .finally = conserved_when_mended,
        .mortal = 1},
    {.name = "the limit changes",
        .setup = setup,
        .threads = {first, changer},
        .finally = conserved_at_three},
};

/* A thread that stops here has done its steps in the order of the source. A process that is killed
 * has done its instructions in their order, and the compiler must not have changed it. */
#define KILLED "keeps the compiler from moving it, for a process that is killed in between"

static const struct prove_spared spared[] = {
    {"move", "&pool->word", KILLED},
    {"settle", "&hold->moving", KILLED},
    {"dp_credit_mend", "&hold->moving", KILLED},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), spared,
        sizeof(spared) / sizeof(spared[0]));
}
