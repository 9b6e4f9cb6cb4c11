/* Records of live orders against an array: found by key, linked by account, oldest first. */
#include "check.h"
#include "dp_exchange_order.h"

#define ACCOUNTS 3u
#define NUMBERS 512u
#define COUNT_MAX 500u /* nearly half of the slots: many share a home */
#define STEPS 200000u

struct model {
    bool live[ACCOUNTS][NUMBERS];
    uint64_t born[ACCOUNTS][NUMBERS];
    uint32_t count;
};

static void check_list(const struct dp_exchange_orders *orders,
    const struct dp_exchange_order_list *list, const struct model *model, uint32_t account)
{
    uint64_t born_last = 0;
    uint32_t previous = DP_EXCHANGE_ORDER_NONE;
    uint32_t count = 0;
    for (uint32_t index = list->first; index != DP_EXCHANGE_ORDER_NONE;
         index = orders->records[index].account_next) {
        const struct dp_exchange_order *order = &orders->records[index];
        uint64_t born = model->born[account][order->key & (NUMBERS - 1)];
        CHECK(order->key >> 40 == account && born > born_last);
        CHECK_EQUAL(order->account_previous, previous);
        born_last = born;
        previous = index;
        count++;
    }
    CHECK_EQUAL(list->last, previous);
    uint32_t wanted = 0;
    for (uint32_t number = 0; number < NUMBERS; number++)
        wanted += model->live[account][number];
    CHECK_EQUAL(count, wanted);
}

static void step(struct dp_exchange_orders *orders, struct dp_exchange_order_list *lists,
    struct model *model, uint64_t random, uint64_t time)
{
    uint32_t account = (uint32_t)(random >> 8) % ACCOUNTS;
    uint32_t number = 1 + (uint32_t)(random >> 32) % (NUMBERS - 1);
    dp_exchange_order_key key = dp_exchange_order_key_of(account, (uint8_t)account, number);
    struct dp_exchange_order *order = dp_exchange_orders_find(orders, key);
    CHECK((order != NULL) == model->live[account][number]);
    if (order != NULL) {
        CHECK(order->key == key);
        dp_exchange_orders_drop(orders, order, &lists[account]);
        model->live[account][number] = false;
        model->count--;
        return;
    }
    order = dp_exchange_orders_add(orders, key, &lists[account]);
    CHECK((order != NULL) == (model->count < COUNT_MAX));
    if (order == NULL)
        return;
    CHECK(order->leaves_qty == 0 && order->feed_ref == 0);
    order->leaves_qty = 7; /* a record that is used again is clean */
    model->live[account][number] = true;
    model->born[account][number] = time;
    model->count++;
}

static void test_orders_agree_with_an_array(void)
{
    struct dp_exchange_orders orders = {0};
    struct dp_exchange_order_list lists[ACCOUNTS];
    static struct model model;
    uint64_t random = 11;
    CHECK(dp_exchange_orders_open(&orders, COUNT_MAX));
    for (uint32_t account = 0; account < ACCOUNTS; account++)
        lists[account] =
            (struct dp_exchange_order_list){DP_EXCHANGE_ORDER_NONE, DP_EXCHANGE_ORDER_NONE};
    for (uint32_t time = 1; time <= STEPS && check_failures == 0; time++) {
        step(&orders, lists, &model, check_random(&random), time);
        if (time % 64 == 0)
            check_list(&orders, &lists[time / 64 % ACCOUNTS], &model, time / 64 % ACCOUNTS);
    }
    dp_exchange_orders_close(&orders);
}

int main(void)
{
    RUN_TESTS(TEST(test_orders_agree_with_an_array));
}
