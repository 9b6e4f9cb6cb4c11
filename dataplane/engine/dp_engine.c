#include "dp_engine_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "dp_process.h"

#define CALIBRATION_MS 20

/* ---- the region's parts ---- */

/* One lane: the engine's thread. A replay begins with nothing open, so it need not be armed. */
static struct dp_risk_config risk_config(const struct dp_engine_config *config)
{
    return (struct dp_risk_config){
        .instrument_count_max = config->books.instrument_count_max,
        .strategy_count_max = DP_ENGINE_STRATEGIES_MAX,
        .account_count_max = config->account_count,
        .lane_count_max = 1,
    };
}

static size_t region_size(const struct dp_engine_config *config)
{
    struct dp_risk_config risk = risk_config(config);
    return dp_region_header_size() + dp_region_part_size(sizeof(struct dp_engine_status)) +
        dp_region_part_size(sizeof(struct dp_engine_page)) +
        dp_region_part_size(sizeof(struct dp_counters)) +
        dp_region_part_size(sizeof(struct dp_recent)) +
        DP_STAGE_COUNT * dp_region_part_size(sizeof(struct dp_hist)) +
        dp_region_part_size(dp_books_size(&config->books)) +
        dp_region_part_size(dp_orders_size(&config->orders)) +
        dp_region_part_size(dp_risk_size(&risk)) + dp_region_part_size(sizeof(struct dp_commands)) +
        dp_region_part_size(dp_ring_size(DP_ENGINE_TX_SLOTS, DP_TEMPLATE_FRAME_MAX)) +
        (config->desks.desk_count > 0 ? dp_region_part_size(dp_desks_size(&config->desks)) : 0);
}

static int place_measurements(struct dp_engine *engine, struct dp_err *err)
{
    engine->status =
        dp_region_place(engine->region, "status", sizeof(struct dp_engine_status), err);
    engine->page = dp_region_place(engine->region, "page", sizeof(struct dp_engine_page), err);
    engine->counters = dp_region_place(engine->region, "counters", sizeof(struct dp_counters), err);
    engine->recent = dp_region_place(engine->region, "recent", sizeof(struct dp_recent), err);
    if (engine->status == NULL || engine->page == NULL || engine->counters == NULL ||
        engine->recent == NULL)
        return -err->code;

    for (uint32_t stage = 0; stage < DP_STAGE_COUNT; stage++) {
        char name[DP_REGION_NAME_SIZE];
        snprintf(name, sizeof(name), "hist.%s", dp_stage_key(stage));
        engine->hists[stage] = dp_region_place(engine->region, name, sizeof(struct dp_hist), err);
        if (engine->hists[stage] == NULL)
            return -err->code;
        dp_hist_init(engine->hists[stage]);
    }
    return 0;
}

static int place_state(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_engine_config *config = &engine->config;
    struct dp_risk_config risk = risk_config(config);
    engine->books = dp_region_place(engine->region, "books", dp_books_size(&config->books), err);
    engine->orders =
        dp_region_place(engine->region, "orders", dp_orders_size(&config->orders), err);
    engine->risk = dp_region_place(engine->region, "risk", dp_risk_size(&risk), err);
    engine->commands = dp_region_place(engine->region, "commands", sizeof(struct dp_commands), err);
    engine->submit.tx = dp_region_place(
        engine->region, "submit.tx", dp_ring_size(DP_ENGINE_TX_SLOTS, DP_TEMPLATE_FRAME_MAX), err);
    if (engine->books == NULL || engine->orders == NULL || engine->risk == NULL ||
        engine->commands == NULL || engine->submit.tx == NULL)
        return -err->code;

    int status = dp_books_init(engine->books, &config->books, err);
    if (status == 0)
        status = dp_orders_init(engine->orders, &config->orders, err);
    if (status == 0)
        status = dp_risk_init(engine->risk, &risk, err);
    if (status == 0)
        status = dp_ring_init(engine->submit.tx, DP_ENGINE_TX_SLOTS, DP_TEMPLATE_FRAME_MAX, err);
    return status;
}

/*
 * The first write to a page costs a fault of a microsecond or more. Pay for the order path's pages
 * now; those of the books are many and mostly never used, so they come as they are needed. For
 * private memory: a shared region is filled in whole when it is made. A kernel before 5.14 cannot:
 * nothing is lost then.
 */
static void touch_order_path(struct dp_engine *engine)
{
    static const char *const names[] = {"orders", "risk", "submit.tx", "counters", "status"};
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
        size_t size = 0;
        uint8_t *part = dp_region_find(engine->region, names[index], &size);
        dp_shm_populate(part, size);
    }
    for (uint32_t stage = 0; stage < DP_STAGE_COUNT; stage++)
        dp_shm_populate(engine->hists[stage], sizeof(struct dp_hist));
}

static int open_region(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_engine_config *config = &engine->config;
    size_t size = region_size(config);
    uint64_t machine_size = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (size > machine_size)
        return dp_err_set(err, EINVAL,
            "engine: capacity: %zu bytes of records for a machine of %" PRIu64
            "; lower capacity.orders, .levels or .own_orders",
            size, machine_size);
    int status = config->region_path[0] != '\0'
        ? dp_shm_create(&engine->shm, config->region_path, size, err)
        : dp_shm_private(&engine->shm, size, err);
    if (status < 0)
        return status;

    engine->region = engine->shm.memory;
    status = dp_region_init(engine->region, size, config->generation, err);
    if (status == 0)
        status = place_measurements(engine, err);
    if (status == 0)
        status = place_state(engine, err);
    if (status == 0)
        status = dp_engine_place_desks(engine, err);
    if (status < 0)
        return status;

    engine->region->pid = getpid();
    dp_books_set_writer(engine->books, dp_process_id());
    engine->region->tsc_hz = engine->clock.tsc_hz;
    engine->region->tsc_error_ppb = engine->clock.error_ppb;
    snprintf(engine->status->name, sizeof(engine->status->name), "%s", config->name);
    dp_store_relaxed(&engine->status->wall_start_ns, dp_clock_wall_ns());
    if (config->region_path[0] == '\0')
        touch_order_path(engine);
    dp_region_publish(engine->region);
    return 0;
}

/* ---- everything that is private to this process ---- */

static int open_private(struct dp_engine *engine, struct dp_err *err)
{
    uint32_t count = engine->config.books.instrument_count_max;
    engine->enter_templates = aligned_alloc(DP_CACHE_LINE, count * sizeof(struct dp_template));
    engine->template_ready = calloc(count, 1);
    engine->watched_any = calloc(count, 1);
    engine->journal_named = calloc(count, 1);
    engine->tops = calloc(count, sizeof(struct dp_top));
    engine->marks = calloc(count, sizeof(int64_t));
    if (engine->enter_templates == NULL || engine->template_ready == NULL ||
        engine->watched_any == NULL || engine->journal_named == NULL || engine->tops == NULL ||
        engine->marks == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for %u instruments", count);

    const uint32_t all = 0;
    dp_ouch_replace_template(&engine->replace_template, &engine->config.session);
    dp_ouch_cancel_template(&engine->cancel_template, &engine->config.session);
    return dp_engine_set_channels(engine, &all, 1, err);
}

static int open_journal(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_engine_config *config = &engine->config;
    if (config->journal_directory[0] == '\0')
        return 0;

    struct dp_wal_config wal = {
        .segment_size = config->journal_segment_size,
        .generation = config->generation,
        .created_ns = dp_clock_wall_ns(),
        .appliance = config->name,
        .cl_ord_id_prefix = config->session.cl_ord_id_prefix,
        .configuration = config->configuration,
        .resume = engine->is_adopted,
        .resume_sequence = engine->adopted_sequence,
    };
    memcpy(wal.durability, config->journal_durability, sizeof(wal.durability));
    int status = dp_wal_open(&engine->wal, config->journal_directory, &wal, err);
    engine->has_wal = status == 0;
    engine->submit.segment = engine->has_wal ? &engine->wal.segment : NULL;
    if (engine->has_wal && engine->live != NULL)
        engine->wal.segment.clock = DP_JOURNAL_CLOCK_KERNEL;
    return status;
}

/* When the recorded session is known to be there: a run that never began leaves nothing behind. The
 * journal first: it refuses, where the capture would be written anew. */
static int open_outputs(struct dp_engine *engine, struct dp_err *err)
{
    int status = open_journal(engine, err);
    if (status < 0 || engine->config.pcap_out[0] == '\0')
        return status;
    engine->tx_capture = dp_capture_writer_open(engine->config.pcap_out, err);
    return engine->tx_capture != NULL ? 0 : -err->code;
}

static void wire_submit(struct dp_engine *engine)
{
    struct dp_submit *submit = &engine->submit;
    bool measured = engine->config.measure_latency;
    submit->books = engine->books;
    submit->orders = engine->orders;
    submit->risk = engine->risk;
    submit->counters = engine->counters;
    submit->risk_hist = measured ? engine->hists[DP_STAGE_RISK] : NULL;
    submit->submit_hist = measured ? engine->hists[DP_STAGE_SUBMIT] : NULL;
    submit->events = &engine->events;
    submit->enter_templates = engine->enter_templates;
    submit->enter_template_count = engine->config.books.instrument_count_max;
    submit->replace_template = &engine->replace_template;
    submit->cancel_template = &engine->cancel_template;
    submit->next_segment = dp_wal_next;
    submit->wal = &engine->wal;
    submit->tcp_seq = 1;
    submit->tcp_ack = 1;
    dp_event_log_init(&engine->events);
    engine->events.recent = engine->recent;
    dp_digest_init(&engine->wire_digest);
}

struct dp_engine *dp_engine_open(const struct dp_engine_config *config, struct dp_err *err)
{
    struct dp_engine *engine =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(sizeof(*engine), DP_CACHE_LINE));
    if (engine == NULL) {
        dp_err_set(err, ENOMEM, "engine: no memory");
        return NULL;
    }
    memset(engine, 0, sizeof(*engine));
    engine->config = *config;
    dp_clock_calibrate(&engine->clock, CALIBRATION_MS);
    if (open_region(engine, err) < 0 || open_private(engine, err) < 0) {
        dp_engine_close(engine);
        return NULL;
    }
    wire_submit(engine);
    return engine;
}

void dp_engine_close(struct dp_engine *engine)
{
    if (engine == NULL)
        return;
    if (!engine->finished) {
        /* Not finished: leave what is on disk as a process that died would, but give the
         * memory back. */
        struct dp_err ignored;
        if (engine->tx_capture != NULL)
            dp_capture_writer_close(engine->tx_capture, &ignored);
        if (engine->has_wal)
            dp_wal_close(&engine->wal, &ignored);
    }
    if (engine->link != NULL)
        engine->link->close(engine);
    dp_feed_close(engine->feed);
    if (engine->owns_card)
        dp_card_close(engine->card);
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        free(engine->seats[index].symbols);
        free(engine->seats[index].gateway.watched);
    }
    free(engine->kept);
    free(engine->limits);
    free(engine->enter_templates);
    free(engine->template_ready);
    free(engine->watched_any);
    free(engine->journal_named);
    free(engine->tops);
    free(engine->marks);
    free(engine->adopted_symbols);
    if (engine->shm.memory != NULL)
        dp_shm_close(&engine->shm);
    free(engine);
}

/* ---- strategies and limits ---- */

int dp_engine_set_limits(struct dp_engine *engine, const struct dp_engine_limits *limits,
    uint32_t limits_count, struct dp_err *err)
{
    DP_ASSERT(!engine->started);
    struct dp_engine_limits *copy = calloc(limits_count, sizeof(*limits));
    if (copy == NULL && limits_count > 0)
        return dp_err_set(err, ENOMEM, "engine: no memory for %u limits", limits_count);
    if (limits_count > 0)
        memcpy(copy, limits, limits_count * sizeof(*limits));
    free(engine->limits);
    engine->limits = copy;
    engine->limits_count = limits_count;
    return 0;
}

static int copy_watch(
    struct dp_engine_seat *seat, const struct dp_engine_watch *watch, struct dp_err *err)
{
    seat->first_count = watch->first_count;
    seat->symbol_count = watch->symbol_count;
    if (watch->symbol_count == 0)
        return 0;
    seat->symbols = calloc(watch->symbol_count, sizeof(*seat->symbols));
    if (seat->symbols == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for %u symbols", watch->symbol_count);
    memcpy(seat->symbols, watch->symbols, watch->symbol_count * sizeof(*seat->symbols));
    return 0;
}

int dp_engine_set_group(struct dp_engine *engine, uint32_t group, const char *name,
    const struct dp_risk_group_limits *limits, struct dp_err *err)
{
    DP_ASSERT(!engine->started);
    int status = dp_risk_set_group(engine->risk, group, limits, err);
    if (status == 0)
        dp_risk_name_group(engine->risk, group, name);
    return status;
}

int dp_engine_add_strategy(struct dp_engine *engine, const struct dp_strategy *strategy,
    const struct dp_engine_watch *watch, const struct dp_risk_strategy_limits *limits,
    struct dp_err *err)
{
    DP_ASSERT(!engine->started);
    if (engine->seat_count == DP_ENGINE_STRATEGIES_MAX)
        return dp_err_set(err, EINVAL, "engine: %u strategies are there already; that is the most",
            engine->seat_count);

    uint32_t instrument_count = engine->config.books.instrument_count_max;
    struct dp_engine_seat *seat = &engine->seats[engine->seat_count];
    uint8_t *watched = calloc(instrument_count, 1);
    if (watched == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for a strategy's watch list");
    seat->strategy = strategy;
    seat->gateway = (struct dp_gateway){
        .verbs = &dp_engine_verbs,
        .engine = engine,
        .submit = &engine->submit,
        .watched = watched,
        .instrument_count_max = instrument_count,
        .strategy_index = (uint16_t)engine->seat_count,
    };
    engine->seat_count++;
    int status = copy_watch(seat, watch, err);
    if (status < 0)
        return status;
    dp_risk_name_strategy(
        engine->risk, seat->gateway.strategy_index, watch->name != NULL ? watch->name : "");
    return dp_risk_set_strategy(engine->risk, seat->gateway.strategy_index, limits, err);
}

/* ---- life ---- */

int dp_engine_begin(struct dp_engine *engine, int64_t now_ns, struct dp_err *err)
{
    int status = open_outputs(engine, err);
    if (status < 0)
        return status;

    engine->started = true;
    engine->now_ns = now_ns;
    dp_engine_page_begin(engine);
    /* Now that every strategy has its limits: what its orders use of them. */
    if (engine->is_adopted)
        dp_risk_recover(engine->risk, 0, engine->orders);
    engine->submit.now_ns = engine->now_ns;
    status = dp_engine_begin_card(engine, err);
    if (status < 0)
        return status;
    dp_store_relaxed(&engine->status->state, DP_ENGINE_RUNNING);
    dp_engine_set_kept(engine);
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        if (seat->strategy->on_start != NULL)
            seat->strategy->on_start(seat->strategy->state, dp_engine_gateway(engine, index));
        seat->gateway.timer_next_ns = engine->now_ns + seat->gateway.timer_interval_ns;
    }
    return 0;
}

int dp_engine_start(struct dp_engine *engine, const char *capture_path, struct dp_err *err)
{
    DP_ASSERT(!engine->started);
    int status = dp_engine_open_feed(engine, capture_path, err);
    if (status == 0)
        status = dp_engine_open_replay(engine, err);
    return status < 0 ? status : dp_engine_begin(engine, engine->config.midnight_ns, err);
}

void dp_engine_stop(struct dp_engine *engine)
{
    engine->stop_asked = true;
    if (engine->feed != NULL)
        dp_feed_stop(engine->feed);
}

bool dp_engine_is_stopping(const struct dp_engine *engine)
{
    return engine->stop_asked;
}

int dp_engine_source_status(const struct dp_engine *engine, struct dp_err *err)
{
    return engine->feed != NULL ? dp_feed_status(engine->feed, err) : 0;
}

/* Strategies have their last word, then the far end ends what is open. Timers are over. */
static void end_session(struct dp_engine *engine)
{
    engine->stop_asked = false;
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        seat->gateway.timer_interval_ns = 0;
        if (seat->strategy->on_stop != NULL)
            seat->strategy->on_stop(seat->strategy->state, dp_engine_gateway(engine, index));
        seat->gateway.timer_interval_ns = 0;
    }
    dp_engine_drain(engine);
    engine->link->end(engine);
}

static int first_error(int status, int next)
{
    return status < 0 ? status : next;
}

static int close_outputs(struct dp_engine *engine, struct dp_err *err)
{
    struct dp_err later;
    int status = 0;
    if (engine->tx_capture != NULL)
        status = dp_capture_writer_close(engine->tx_capture, err);
    if (engine->has_wal)
        status = first_error(status, dp_wal_close(&engine->wal, status < 0 ? &later : err));
    engine->submit.segment = NULL;
    return status;
}

int dp_engine_finish(struct dp_engine *engine, struct dp_err *err)
{
    DP_ASSERT(!engine->finished);
    if (engine->started)
        end_session(engine);
    if (engine->started)
        dp_engine_control(engine);
    dp_engine_close_desks(engine);
    int status = close_outputs(engine, err);
    engine->finished = true;
    dp_store_relaxed(&engine->status->now_ns, engine->now_ns);
    dp_store_release(&engine->status->state, status < 0 ? DP_ENGINE_FAILED : DP_ENGINE_FINISHED);
    return status;
}

/* ---- looking in ---- */

/* clang-format off */
struct dp_region *dp_engine_region(struct dp_engine *engine) { return engine->region; }
struct dp_books *dp_engine_books(struct dp_engine *engine) { return engine->books; }
struct dp_orders *dp_engine_orders(struct dp_engine *engine) { return engine->orders; }
struct dp_risk *dp_engine_risk(struct dp_engine *engine) { return engine->risk; }
struct dp_submit *dp_engine_submit(struct dp_engine *engine) { return &engine->submit; }
struct dp_counters *dp_engine_counters(struct dp_engine *engine) { return engine->counters; }
struct dp_engine_status *dp_engine_status(struct dp_engine *engine) { return engine->status; }
const struct dp_clock *dp_engine_clock(const struct dp_engine *engine) { return &engine->clock; }
/* clang-format on */

struct dp_hist *dp_engine_hist(struct dp_engine *engine, enum dp_stage stage)
{
    return engine->hists[stage];
}

const struct dp_digest *dp_engine_events_digest(struct dp_engine *engine)
{
    dp_event_log_settle(&engine->events);
    return &engine->events.digest;
}

const struct dp_digest *dp_engine_wire_digest(const struct dp_engine *engine)
{
    return &engine->wire_digest;
}
