#include <errno.h>
#include <sys/stat.h>

#include "dp_capture.h"
#include "dp_port.h"

#define BATCH_MAX 256u

struct pcap_port {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct dp_capture *capture;
    struct dp_capture_writer *writer; /* NULL: what is sent is only counted */
};

static uint32_t pcap_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct dp_capture *capture = ((struct pcap_port *)port)->capture;
    struct dp_capture_record records[BATCH_MAX];
    uint32_t count = dp_capture_read(capture, records, max < BATCH_MAX ? max : BATCH_MAX);
    for (uint32_t index = 0; index < count; index++) {
        packets[index] = (struct dp_packet){
            .data = records[index].data,
            .size = records[index].size,
            .original_size = records[index].original_size,
            .time_ns = records[index].time_ns,
            .clock = DP_PORT_CLOCK_CAPTURE,
        };
        port->stats.rx_bytes += records[index].size;
    }
    port->stats.rx_packets += count;
    return count;
}

static uint32_t pcap_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    struct dp_capture_writer *writer = ((struct pcap_port *)port)->writer;
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_packet *packet = &packets[index];
        if (writer != NULL &&
            dp_capture_writer_add(writer, packet->time_ns, packet->data, packet->size) < 0) {
            port->stats.tx_refused++;
            continue;
        }
        port->stats.tx_packets++;
        port->stats.tx_bytes += packet->size;
    }
    return count;
}

static int pcap_close(struct dp_port *port, struct dp_err *err)
{
    struct pcap_port *pcap = (struct pcap_port *)port;
    int result = dp_capture_writer_close(pcap->writer, err);
    dp_capture_close(pcap->capture);
    free(pcap);
    return result;
}

static const struct dp_port_ops pcap_ops = {
    .name = "pcap",
    .receive = pcap_receive,
    .send = pcap_send,
    .close = pcap_close,
};

const struct dp_capture *dp_port_pcap_capture(const struct dp_port *port)
{
    DP_ASSERT(port->ops == &pcap_ops);
    return ((const struct pcap_port *)port)->capture;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat status_a;
    struct stat status_b;
    return stat(a, &status_a) == 0 && stat(b, &status_b) == 0 &&
        status_a.st_dev == status_b.st_dev && status_a.st_ino == status_b.st_ino;
}

static int open_captures(
    struct pcap_port *pcap, const char *rx_path, const char *tx_path, struct dp_err *err)
{
    pcap->capture = dp_capture_open(rx_path, err);
    if (pcap->capture == NULL)
        return -1;
    enum dp_capture_format format = dp_capture_format(pcap->capture);
    if (format != DP_CAPTURE_PCAP && format != DP_CAPTURE_PCAPNG)
        return dp_err_set(err, EINVAL, "%s: is a %s, which has no packets; name a pcap or pcapng",
            rx_path, dp_capture_format_name(format));
    if (tx_path == NULL)
        return 0;
    /* Opening a capture for writing empties it. */
    if (is_same_file(rx_path, tx_path))
        return dp_err_set(
            err, EINVAL, "%s: is the capture being read; name another file to write", tx_path);
    pcap->writer = dp_capture_writer_open(tx_path, err);
    return pcap->writer == NULL ? -1 : 0;
}

struct dp_port *dp_port_pcap_open(const char *rx_path, const char *tx_path, struct dp_err *err)
{
    struct pcap_port *pcap = calloc(1, sizeof(*pcap));
    if (pcap == NULL) {
        dp_err_set(err, ENOMEM, "%s: no memory for a port", rx_path);
        return NULL;
    }
    pcap->port.ops = &pcap_ops;
    if (open_captures(pcap, rx_path, tx_path, err) < 0) {
        dp_capture_close(pcap->capture);
        free(pcap);
        return NULL;
    }
    return &pcap->port;
}
