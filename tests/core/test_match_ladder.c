/* The tree of bitmaps against a plain array of what is there. */
#include "check.h"
#include "dp_match_ladder.h"

#define KEYS 5000u
#define NODES 600u

struct model {
    uint32_t levels[KEYS]; /* by key; 0: none */
};

static uint32_t model_after(const struct model *model, uint32_t key_least, uint32_t *found)
{
    for (uint32_t key = key_least; key < KEYS; key++)
        if (model->levels[key] != 0) {
            *found = key;
            return model->levels[key];
        }
    *found = DP_MATCH_KEY_NONE;
    return 0;
}

static uint32_t model_before(const struct model *model, uint32_t key_most, uint32_t *found)
{
    for (uint32_t key = key_most + 1; key-- > 0;)
        if (model->levels[key] != 0) {
            *found = key;
            return model->levels[key];
        }
    *found = DP_MATCH_KEY_NONE;
    return 0;
}

static struct dp_match_nodes *open_nodes(uint32_t capacity)
{
    struct dp_match_nodes *nodes = malloc(dp_match_nodes_size(capacity));
    CHECK(nodes != NULL);
    dp_match_nodes_init(nodes, capacity);
    return nodes;
}

static void compare(struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes,
    const struct model *model, uint32_t key)
{
    uint32_t found;
    uint32_t wanted;
    CHECK_EQUAL(dp_match_ladder_find(ladder, nodes, key), model->levels[key]);
    uint32_t glance = dp_match_ladder_glance(ladder, nodes, key);
    CHECK(glance == 0 || glance == model->levels[key]);
    CHECK_EQUAL(
        dp_match_ladder_at_or_after(ladder, nodes, key, &found), model_after(model, key, &wanted));
    CHECK_EQUAL(found, wanted);
    CHECK_EQUAL(dp_match_ladder_at_or_before(ladder, nodes, key, &found),
        model_before(model, key, &wanted));
    CHECK_EQUAL(found, wanted);
    uint32_t best = model_after(model, 0, &wanted);
    CHECK_EQUAL(ladder->best_key, wanted);
    CHECK(best == 0 || ladder->best_level == best);
}

static void walk(uint64_t seed, bool is_bid, uint32_t spread)
{
    static struct model model;
    struct dp_match_nodes *nodes = open_nodes(NODES);
    struct dp_match_ladder ladder;
    uint64_t random = seed;
    memset(&model, 0, sizeof(model));
    dp_match_ladder_init(&ladder, KEYS - 1, is_bid);
    CHECK_EQUAL(ladder.height, 3);
    for (uint32_t step = 1; step <= 20000; step++) {
        uint32_t key = (uint32_t)(check_random(&random) % spread) * (KEYS / spread);
        if (model.levels[key] != 0) {
            dp_match_ladder_remove(&ladder, nodes, key);
            model.levels[key] = 0;
        } else if (dp_match_ladder_insert(&ladder, nodes, key, step)) {
            model.levels[key] = step;
        } else {
            CHECK(nodes->capacity - nodes->live_count < ladder.height);
        }
        compare(&ladder, nodes, &model, (uint32_t)(check_random(&random) % KEYS));
    }
    for (uint32_t key = 0; key < KEYS; key++)
        if (model.levels[key] != 0)
            dp_match_ladder_remove(&ladder, nodes, key);
    CHECK_EQUAL(nodes->live_count, 0);
    CHECK_EQUAL(ladder.level_count, 0);
    free(nodes);
}

static void test_a_ladder_agrees_with_an_array(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        walk(seed, seed % 2 == 0, KEYS);
        walk(seed, seed % 2 == 0, 50);
        walk(seed, seed % 2 == 0, 5);
    }
}

static void test_a_ladder_without_nodes_refuses_and_recovers(void)
{
    struct dp_match_nodes *nodes = open_nodes(5);
    struct dp_match_ladder ladder;
    dp_match_ladder_init(&ladder, (1u << 30) - 1, false);
    CHECK_EQUAL(ladder.height, 5);
    CHECK(dp_match_ladder_insert(&ladder, nodes, 7, 1));
    CHECK(dp_match_ladder_insert(&ladder, nodes, 8, 2));
    CHECK(!dp_match_ladder_insert(&ladder, nodes, 1u << 29, 3));
    CHECK_EQUAL(ladder.level_count, 2);
    dp_match_ladder_remove(&ladder, nodes, 7);
    dp_match_ladder_remove(&ladder, nodes, 8);
    CHECK(dp_match_ladder_insert(&ladder, nodes, 1u << 29, 3));
    CHECK_EQUAL(ladder.best_key, 1u << 29);
    free(nodes);
}

static void test_keys_of_bids_turn_round(void)
{
    struct dp_match_ladder ladder;
    dp_match_ladder_init(&ladder, 100, true);
    CHECK(dp_match_ladder_key(&ladder, 100) < dp_match_ladder_key(&ladder, 99));
    CHECK_EQUAL(dp_match_ladder_key(&ladder, dp_match_ladder_key(&ladder, 42)), 42);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_ladder_agrees_with_an_array),
        TEST(test_a_ladder_without_nodes_refuses_and_recovers), TEST(test_keys_of_bids_turn_round));
}
