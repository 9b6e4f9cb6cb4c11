#include "dp_engine_page.h"

#include "dp_engine_internal.h"
#include "dp_engine_live.h"
#include "dp_engine_session.h"

static uint64_t packed(uint32_t ip, uint16_t port)
{
    return (uint64_t)ip << 16 | port;
}

void dp_engine_page_begin(struct dp_engine *engine)
{
    struct dp_engine_page *page = engine->page;
    const struct dp_engine_config *config = &engine->config;
    snprintf(page->configuration, sizeof(page->configuration), "%s", config->configuration);
    snprintf(
        page->journal_directory, sizeof(page->journal_directory), "%s", config->journal_directory);
    memcpy(page->durability, config->journal_durability, sizeof(page->durability));
    dp_store_relaxed(&page->has_journal, engine->has_wal);
    dp_engine_page_journal(engine);
}

void dp_engine_page_journal(struct dp_engine *engine)
{
    struct dp_engine_page *page = engine->page;
    dp_store_relaxed(&page->wall_ns, dp_clock_wall_ns());
    if (!engine->has_wal)
        return;
    dp_store_relaxed(&page->journal_last, dp_load_relaxed(&engine->wal.segment.sequence_next) - 1);
    dp_store_relaxed(&page->journal_durable, dp_wal_durable(&engine->wal));
    dp_store_relaxed(&page->journal_failed, dp_wal_failed(&engine->wal));
}

void dp_engine_page_session(struct dp_engine_page *page, const struct dp_engine_session *session)
{
    struct dp_page_session *out = &page->sessions[session->index];
    const struct dp_engine_live_status *status = &session->status;
    const struct dp_order_session *wire = &session->wire;
    const struct dp_route *route = &session->engine->live->route;
    struct dp_order_session_address address = dp_order_session_address(wire);
    dp_store_relaxed(&page->session_count, route->session_count);
    memcpy(out->user, wire->config.soup.username, sizeof(wire->config.soup.username));
    dp_store_relaxed(&out->state, status->state);
    dp_store_relaxed(&out->error, (uint64_t)status->error);
    dp_store_relaxed(&out->verdict, status->verdict);
    dp_store_relaxed(&out->login_count, wire->login_count);
    dp_store_relaxed(&out->loss_count, wire->loss_count);
    dp_store_relaxed(&out->never_received, status->never_received);
    dp_store_relaxed(&out->unexplained, status->unexplained);
    dp_store_relaxed(&out->cancels_again, status->cancels_again);
    dp_store_relaxed(&out->sequence_next, wire->soup.sequence_next);
    dp_store_relaxed(&out->waiting, route->sessions[session->index].waiting);
    dp_store_relaxed(&out->given, route->sessions[session->index].given);
    dp_store_relaxed(&out->address, packed(address.ip, address.port));
}

static void put_line(struct dp_page_line *out, const struct dp_feed_line_stats *line)
{
    dp_store_relaxed(&out->packets, line->packets);
    dp_store_relaxed(&out->first, line->first);
    dp_store_relaxed(&out->lost, line->lost);
    dp_store_relaxed(&out->heard_ns, line->heard_ns);
}

static void page_feed(struct dp_page_channel *out, const struct dp_feed_live *feed)
{
    struct dp_moldudp_hole hole = {0};
    for (uint32_t line = 0; line < DP_FEED_LINES_MAX; line++)
        put_line(&out->lines[line], &feed->lines.stats[line]);
    for (uint32_t line = 0; line < feed->config.line_count; line++)
        dp_store_relaxed(
            &out->lines[line].address, packed(feed->targets[line].ip, feed->targets[line].port));
    dp_store_relaxed(&out->line_count, feed->config.line_count);
    dp_store_relaxed(&out->state, feed->state);
    dp_moldudp_feed_hole(feed->lines.feed, &hole);
    dp_store_relaxed(&out->hole_first, hole.first);
    dp_store_relaxed(&out->hole_last, hole.last);
    dp_store_relaxed(&out->hole_since_ns, hole.since_ns);
}

void dp_engine_page_feeds(struct dp_engine_page *page, const struct dp_feed_channels *feeds)
{
    for (uint32_t index = 0; index < feeds->count; index++)
        page_feed(&page->channels[index], &feeds->feeds[index]);
    dp_store_relaxed(&page->channel_count, feeds->count);
}

void dp_engine_show_port(struct dp_engine *engine, uint32_t index, struct dp_port *port)
{
    struct dp_engine_page *page = engine->page;
    if (index >= DP_PAGE_PORTS_MAX)
        return;
    struct dp_page_port *out = &page->ports[index];
    if (out->name[0] == 0)
        snprintf(out->name, sizeof(out->name), "%s", port->ops->name);
    dp_store_relaxed(&out->rx_packets, port->stats.rx_packets);
    dp_store_relaxed(&out->rx_failed, port->stats.rx_failed);
    dp_store_relaxed(&out->tx_packets, port->stats.tx_packets);
    dp_store_relaxed(&out->tx_failed, port->stats.tx_failed);
    dp_store_relaxed(&out->tx_refused, port->stats.tx_refused);
    dp_store_relaxed(&out->buffers_used, dp_port_buffers_used(port));
    dp_store_relaxed(&out->is_up, dp_port_is_up(port));
    if (index >= dp_load_relaxed(&page->port_count))
        dp_store_relaxed(&page->port_count, index + 1);
}
