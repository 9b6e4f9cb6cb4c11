/*
 * journal_worker - the order path as a process to be killed: it recovers from its journal, asks the
 * counterparty for what it has not heard, sends random orders and applies answers, until it dies.
 *
 *     journal_worker DIRECTORY SEED memory|fsync SEGMENT_SIZE
 *
 * The counterparty is at the other end of descriptor 3 (SOCK_SEQPACKET): frames go there as they
 * would go onto a wire; answers come as struct answer. The first packet is the session sequence to
 * be replayed from. tests/python/test_kills.py is the counterparty.
 */
#define BENCH_SIZES
enum {
    OPEN = 0,
    NEVER_OPENED = 1,
    BENCH_RING_SLOTS = 64,
    BENCH_NUMBERS = 1 << 17,
    BENCH_EXECUTIONS = 1 << 17
};

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../core/submit_bench.h"
#include "dp_hold.h"
#include "dp_recover.h"
#include "dp_wal.h"

#define COUNTERPARTY 3

/* Little-endian, as tests/python/test_kills.py packs it. */
struct answer {
    uint64_t session_sequence;
    uint64_t exec_id;
    int64_t price_nanos;
    uint32_t user_ref_num;
    uint32_t orig_user_ref_num;
    uint32_t qty;
    uint32_t kind; /* enum dp_event_kind */
};

static struct path *path;
static struct dp_wal wal;
static struct dp_hold hold;
static struct dp_recover recover;
static struct dp_recover_instrument instruments[2];
static uint64_t random_state;

static _Noreturn void give_up(const char *words)
{
    fprintf(stderr, "journal_worker: %s\n", words);
    exit(1);
}

/* ---- recovery ---- */

/* Applies what is good of a segment; true when another may follow. */
static bool apply_segment(const uint8_t *memory, uint64_t size)
{
    struct dp_err err;
    if (dp_journal_is_unused(memory, size))
        return true;
    if (dp_journal_header_check(memory, size, &err) < 0)
        return false;
    struct dp_journal_walk walk;
    const struct dp_journal_record *record = NULL;
    enum dp_journal_verdict verdict;
    dp_journal_walk_init(&walk, memory, size);
    while ((verdict = dp_journal_next(&walk, &record)) == DP_JOURNAL_OK)
        dp_recover_apply(&recover, record);
    recover.sequence = walk.sequence - 1;
    return verdict == DP_JOURNAL_CLOSED;
}

static bool apply_file(const char *name)
{
    int fd = open(name, O_RDONLY);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0)
        return false;
    uint64_t size = (uint64_t)file.st_size;
    uint8_t *memory = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    bool goes_on = apply_segment(memory, size);
    if (memory != NULL)
        munmap(memory, size);
    return goes_on;
}

static void recover_all(const char *directory)
{
    char name[300];
    dp_recover_init(&recover, path->submit.orders, instruments, 2);
    for (uint32_t index = 0;; index++) {
        snprintf(name, sizeof(name), "%s/journal-%06u.tpj", directory, index);
        if (!apply_file(name))
            break;
    }
    const struct dp_risk_weight nothing = {0};
    for (uint32_t index = 0; index < dp_orders_count(path->submit.orders); index++)
        dp_risk_apply(path->submit.risk, dp_orders_at(path->submit.orders, index), &nothing);
}

/* What waits for the venue's word is Unknown from now on, and the journal says so. */
static void settle(void)
{
    for (uint32_t index = 0; index < dp_orders_count(path->submit.orders); index++) {
        const struct dp_order *order = dp_orders_at(path->submit.orders, index);
        struct dp_event event = {
            .time_ns = path->submit.now_ns,
            .kind = DP_EVENT_OUTCOME_UNKNOWN,
            .user_ref_num = order->user_ref_num,
        };
        if (dp_recover_is_in_flight(order))
            dp_report(&path->submit, &event);
    }
}

/* ---- the order path ---- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void take_answers(void)
{
    struct answer answer;
    while (recv(COUNTERPARTY, &answer, sizeof(answer), MSG_DONTWAIT) == sizeof(answer)) {
        struct dp_event event = {
            .time_ns = path->submit.now_ns,
            .venue_order_id = answer.kind == DP_EVENT_ACCEPTED || answer.kind == DP_EVENT_REPLACED
                ? answer.user_ref_num
                : 0,
            .exec_id = answer.exec_id,
            .price_nanos = answer.price_nanos,
            .qty = answer.qty,
            .user_ref_num = answer.user_ref_num,
            .orig_user_ref_num = answer.orig_user_ref_num,
            .kind = (uint8_t)answer.kind,
            .order_state =
                answer.kind == DP_EVENT_ACCEPTED || answer.kind == DP_EVENT_REPLACED ? 'L' : 0,
        };
        wal.segment.inbound_sequence = answer.session_sequence;
        dp_report(&path->submit, &event);
    }
}

static uint32_t random_live(void)
{
    uint32_t count = dp_orders_count(path->submit.orders);
    if (count == 0)
        return 0;
    uint32_t index =
        count - 1 - (uint32_t)(check_random(&random_state) % (count < 50 ? count : 50));
    const struct dp_order *order = dp_orders_at(path->submit.orders, index);
    return dp_order_is_live(order) ? order->user_ref_num : 0;
}

static void act(void)
{
    uint64_t what = check_random(&random_state) % 10;
    uint32_t number = what < 6 ? 0 : random_live();
    int64_t price_nanos = 10 * DOLLAR + (int64_t)(check_random(&random_state) % 20) * CENT;
    uint64_t qty = 1 + check_random(&random_state) % 500;
    const struct dp_request request = {
        .instrument_index = OPEN,
        .side = what % 2 == 0 ? DP_SIDE_BUY : DP_SIDE_SELL,
        .time_in_force = DP_TIF_DAY,
        .qty = qty,
        .price_nanos = price_nanos,
    };
    uint32_t made;
    if (what < 6)
        dp_submit_new(&path->submit, 0, &request, &made);
    else if (number != 0 && what < 8)
        dp_submit_replace(&path->submit, 0, number, qty, price_nanos, &made);
    else if (number != 0)
        dp_submit_cancel(&path->submit, 0, number);
}

/* Frames whose records the disk has, where they wait for it; all of them elsewhere. */
static void send_frames(bool waits)
{
    struct dp_ring *tx = path->submit.tx;
    uint64_t last = dp_load_relaxed(&wal.segment.sequence_next) - 1;
    dp_hold_note(&hold, dp_load_relaxed(&tx->tail), waits ? last : 0);
    wal.segment.durable_sequence = dp_wal_durable(&wal);
    uint64_t open = dp_hold_open(&hold, wal.segment.durable_sequence);
    while (dp_load_relaxed(&tx->head) < open) {
        struct dp_ring_slot *slot = dp_ring_peek(tx);
        if (send(COUNTERPARTY, slot->data, slot->size, 0) != (ssize_t)slot->size)
            give_up("the counterparty has gone");
        dp_ring_release(tx);
    }
}

static void open_journal(const char *directory, bool waits, uint64_t segment_size)
{
    const uint8_t durability = waits ? DP_JOURNAL_FSYNC : DP_JOURNAL_MEMORY;
    const struct dp_wal_config config = {
        .segment_size = segment_size,
        .generation = (uint64_t)now_ns(),
        .created_ns = now_ns(),
        .appliance = "worker",
        .cl_ord_id_prefix = "TP",
        .durability = {durability, durability, durability},
        .resume = true,
        .resume_sequence = recover.sequence,
    };
    struct dp_err err;
    if (dp_wal_open(&wal, directory, &config, &err) < 0)
        give_up(err.text);
    path->submit.segment = &wal.segment;
    path->submit.next_segment = dp_wal_next;
    path->submit.wal = &wal;
    wal.segment.inbound_sequence = recover.inbound_sequences[0];
}

int main(int argc, char **argv)
{
    if (argc != 5)
        give_up("give DIRECTORY SEED memory|fsync SEGMENT_SIZE");
    bool waits = strcmp(argv[3], "fsync") == 0;
    random_state = strtoull(argv[2], NULL, 10);
    path = path_open();
    recover_all(argv[1]);
    open_journal(argv[1], waits, strtoull(argv[4], NULL, 10));
    path->submit.now_ns = now_ns();
    settle();
    uint64_t wanted = recover.inbound_sequences[0] + 1;
    if (send(COUNTERPARTY, &wanted, sizeof(wanted), 0) != sizeof(wanted))
        give_up("the counterparty has gone");
    for (;;) {
        path->submit.now_ns = now_ns();
        take_answers();
        for (uint32_t each = 0; each < 4; each++)
            act();
        send_frames(waits);
        dp_event_log_settle(&path->events);
    }
}
