#include "dp_bench_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dp_hold.h"

#define RECORD_SIZE sizeof(struct dp_journal_record)
#define AHEAD (8 * RECORD_SIZE)
#define WAITING_MAX 65536u
#define BLOCK_SIZE 4096

static struct dp_event new_order(uint64_t index)
{
    return (struct dp_event){
        .time_ns = (int64_t)index,
        .price_nanos = 100012300000,
        .qty = 100,
        .user_ref_num = (uint32_t)index + 1,
        .kind = DP_EVENT_NEW,
        .side = (uint8_t)(index % 2 == 0 ? DP_SIDE_BUY : DP_SIDE_SELL),
        .time_in_force = DP_TIF_DAY,
        .ord_status = DP_ORD_PENDING_NEW,
        .leaves_qty = 100,
    };
}

/* Keeps the compiler from knowing what it copies. */
static void hide(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

void dp_bench_journal_copy(uint8_t *memory, uint64_t count)
{
    struct dp_journal_record record = {.event = new_order(0)};
    for (uint64_t index = 0; index < count; index++) {
        record.event.time_ns = (int64_t)index;
        hide(&record);
        uint8_t *place = memory + index * RECORD_SIZE;
        __builtin_prefetch(place + AHEAD, 1);
        __builtin_prefetch(place + AHEAD + DP_CACHE_LINE, 1);
        memcpy(place, &record, sizeof(record));
    }
}

static bool append(struct dp_wal *wal, const struct dp_event *event)
{
    return DP_LIKELY(dp_journal_append(&wal->segment, event)) ||
        (dp_wal_next(wal) && dp_journal_append(&wal->segment, event));
}

bool dp_bench_journal_append(struct dp_wal *wal, uint64_t count, struct dp_hist *hist)
{
    struct dp_event event = new_order(0);
    for (uint64_t index = 0; index < count; index++) {
        event.time_ns = (int64_t)index;
        hide(&event);
        uint64_t start_tsc = hist != NULL ? dp_tsc() : 0;
        if (!append(wal, &event))
            return false;
        if (hist != NULL)
            dp_hist_record(hist, dp_tsc() - start_tsc);
    }
    return true;
}

/* ---- a journal to recover from ---- */

static struct dp_event answer(
    const struct dp_event *order, enum dp_event_kind kind, uint64_t qty, uint64_t id)
{
    return (struct dp_event){
        .time_ns = order->time_ns,
        .venue_order_id = order->user_ref_num,
        .exec_id = kind == DP_EVENT_FILLED ? id : 0,
        .price_nanos = order->price_nanos,
        .qty = qty,
        .user_ref_num = order->user_ref_num,
        .kind = (uint8_t)kind,
        .order_state = kind == DP_EVENT_ACCEPTED ? 'L' : 0,
    };
}

static bool record(struct dp_wal *wal, struct dp_orders *orders, struct dp_event *event)
{
    if (event->kind >= DP_EVENT_ACCEPTED)
        wal->segment.inbound_sequence++;
    return dp_orders_apply(orders, event) == DP_ORDER_APPLIED && append(wal, event);
}

static bool fill_one(struct dp_wal *wal, struct dp_orders *orders, uint64_t index)
{
    struct dp_event order = new_order(index);
    bool canceled = index % 8 == 7;
    struct dp_event answers[] = {
        answer(&order, DP_EVENT_ACCEPTED, 100, 0),
        answer(&order, canceled ? DP_EVENT_CANCELED : DP_EVENT_FILLED, 50, 2 * index + 1),
        answer(&order, canceled ? DP_EVENT_CANCELED : DP_EVENT_FILLED, 50, 2 * index + 2),
    };
    bool taken = record(wal, orders, &order);
    for (uint32_t each = 0; each < 3 && taken; each++)
        taken = record(wal, orders, &answers[each]);
    return taken;
}

bool dp_bench_journal_fill(struct dp_wal *wal, struct dp_orders *orders, uint64_t count)
{
    uint64_t first = dp_orders_count(orders);
    bool taken = true;
    for (uint64_t index = 0; index < count / 4 && taken; index++)
        taken = fill_one(wal, orders, first + index);
    return taken;
}

/* ---- groups ---- */

struct waiting {
    struct dp_hold hold;
    uint64_t due_tsc[WAITING_MAX];
    uint64_t count; /* orders made */
    uint64_t freed;
    uint64_t durable;
};

static void free_orders(struct waiting *waiting, struct dp_wal *wal, struct dp_bench_group *group)
{
    uint64_t durable = dp_wal_durable(wal);
    if (durable == waiting->durable)
        return;
    waiting->durable = durable;
    wal->segment.durable_sequence = durable;
    group->barriers++;
    uint64_t open = dp_hold_open(&waiting->hold, durable);
    uint64_t now_tsc = dp_tsc();
    for (; waiting->freed < open; waiting->freed++)
        dp_hist_record(&group->wait, now_tsc - waiting->due_tsc[waiting->freed % WAITING_MAX]);
}

static bool make_order(struct waiting *waiting, struct dp_wal *wal, uint64_t due_tsc)
{
    struct dp_event event = new_order(waiting->count);
    if (!append(wal, &event))
        return false;
    waiting->due_tsc[waiting->count % WAITING_MAX] = due_tsc;
    waiting->count++;
    dp_hold_note(&waiting->hold, waiting->count, dp_load_relaxed(&wal->segment.sequence_next) - 1);
    return true;
}

bool dp_bench_journal_group(
    struct dp_wal *wal, uint64_t count, uint64_t interval_tsc, struct dp_bench_group *group)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL)
        return false;
    memset(group, 0, sizeof(*group));
    dp_hist_init(&group->wait);
    uint64_t start_tsc = dp_tsc();
    uint64_t due_tsc = start_tsc;
    bool taken = true;
    while (taken && waiting->freed < count && !dp_wal_failed(wal)) {
        bool is_due = waiting->count < count && dp_tsc() >= due_tsc &&
            waiting->count - waiting->freed < WAITING_MAX;
        if (is_due) {
            taken = make_order(waiting, wal, due_tsc);
            due_tsc += interval_tsc;
        }
        free_orders(waiting, wal, group);
    }
    group->count = waiting->freed;
    group->ticks = dp_tsc() - start_tsc;
    free(waiting);
    return taken && group->count == count;
}

int dp_bench_journal_fdatasync(const char *path, uint64_t count, struct dp_hist *hist)
{
    static const uint8_t block[BLOCK_SIZE] = {1};
    dp_hist_init(hist);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int status = 0;
    for (uint64_t index = 0; index < count + 8 && status == 0; index++) {
        uint64_t start_tsc = dp_tsc();
        if (pwrite(fd, block, sizeof(block), (off_t)(index % 8 * BLOCK_SIZE)) != BLOCK_SIZE ||
            fdatasync(fd) != 0)
            status = -errno;
        if (index >= 8) /* the first eight made the blocks */
            dp_hist_record(hist, dp_tsc() - start_tsc);
    }
    close(fd);
    return status;
}
