/*
 * Two processes with a DPDK of their own on one host, joined by shared memory (net_memif): what one
 * sends the other sends back. And captures as a device (net_pcap). Plain pages: several instances
 * on huge ones is a matter of how many there are.
 */
#include "check.h"
#include "dp_capture.h"
#include "dp_port_dpdk.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 3000u
#define WINDOW 32u
#define FRAME_SIZE 64u
#define MEMORY_MIB 64
#define PATIENCE_NS 60000000000ll

static int echo_pipe; /* to the other process */
static char folder[] = "/tmp/tickplane-test-XXXXXX";

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Under a name that no other run of this test has. */
static void start(const char *role, const char *const *devices)
{
    struct dp_err err = {0};
    char name[64];
    snprintf(name, sizeof(name), "test-%s-%s", role, strrchr(folder, '-') + 1);
    const struct dp_dpdk_environment environment = {
        .name = name, .memory_mib = MEMORY_MIB, .huge_pages = false, .devices = devices};
    if (dp_dpdk_start(&environment, &err) < 0) {
        fprintf(stderr, "%s: %s\n", name, err.text);
        exit(1);
    }
}

static struct dp_port *open_port(const char *name, struct dp_dpdk_device **device)
{
    struct dp_err err = {0};
    const struct dp_dpdk_device_config config = {
        .name = name, .buffer_count = 2047, .descriptor_count = 256};
    *device = dp_dpdk_device_open(&config, &err);
    struct dp_port *port = *device != NULL ? dp_port_dpdk_open(*device, 0, &err) : NULL;
    CHECK_THAT(port != NULL, "%s", err.text);
    if (port == NULL)
        exit(1);
    return port;
}

static void close_port(struct dp_port *port, struct dp_dpdk_device *device)
{
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
    dp_dpdk_device_close(device);
}

static void device_words(char *text, size_t size, const char *role)
{
    snprintf(text, size, "net_memif0,role=%s,id=0,socket=%s/memif.sock,socket-abstract=no", role,
        folder);
}

/* ---- the other process ---- */

/* A client that finds no server listening does not start: a byte says that it does. */
static void wait_for_server(int pipe_end)
{
    char byte;
    CHECK_EQUAL(read(pipe_end, &byte, 1), 1);
    CHECK_EQUAL(fcntl(pipe_end, F_SETFL, O_NONBLOCK), 0);
}

/* Sends back what comes, until the other end of the pipe is closed. */
static void echo(int pipe_end)
{
    char words[128];
    struct dp_dpdk_device *device;
    struct dp_packet packets[32];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    wait_for_server(pipe_end);
    device_words(words, sizeof(words), "client");
    start("client", (const char *const[]){words, NULL});
    struct dp_port *port = open_port("net_memif0", &device);
    char byte;
    while (read(pipe_end, &byte, 1) < 0) {
        if (!dp_port_is_up(port)) { /* a client of memif connects when its link is looked at */
            usleep(1000);
            continue;
        }
        uint32_t count = dp_port_receive(port, packets, 32);
        uint32_t sent = 0;
        while (sent < count)
            sent += dp_port_send(port, packets + sent, count - sent);
    }
    close_port(port, device);
    dp_dpdk_stop();
    _exit(check_failures != 0);
}

/* ---- here ---- */

/* False when the port has no room now, as just after the link has come up. */
static bool send_next(struct dp_port *port, uint32_t number)
{
    uint8_t frame[FRAME_SIZE] = {0};
    const struct dp_packet packet = {.data = frame, .size = sizeof(frame)};
    memcpy(frame + 14, &number, sizeof(number));
    return dp_port_send(port, &packet, 1) == 1;
}

static uint32_t number_of(const struct dp_packet *packet)
{
    uint32_t number;
    memcpy(&number, packet->data + 14, sizeof(number));
    return number;
}

static void test_two_processes_share_a_host_and_exchange_frames(void)
{
    struct dp_dpdk_device *device;
    struct dp_packet packets[32];
    struct dp_port *port = open_port("net_memif0", &device);
    CHECK_EQUAL(write(echo_pipe, "", 1), 1);
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (!dp_port_is_up(port) && now_ns() < until_ns)
        usleep(1000);
    CHECK(dp_port_is_up(port));
    uint32_t sent = 0;
    uint32_t received = 0;
    while (received < FRAMES && now_ns() < until_ns) {
        while (sent < FRAMES && sent - received < WINDOW && send_next(port, sent))
            sent++;
        uint32_t count = dp_port_receive(port, packets, 32);
        for (uint32_t at = 0; at < count; at++)
            CHECK_EQUAL(number_of(&packets[at]), received++);
    }
    CHECK_EQUAL(received, FRAMES);
    CHECK_EQUAL(port->stats.rx_failed, 0);
    close_port(port, device);
}

static void path_of(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
}

/* What net_pcap0 will read: FRAMES frames. */
static void write_capture(void)
{
    char path[64];
    uint8_t frame[FRAME_SIZE] = {0};
    path_of(path, sizeof(path), "in.pcap");
    struct dp_capture_writer *writer = dp_capture_writer_open(path, NULL);
    for (uint32_t number = 0; number < FRAMES; number++) {
        memcpy(frame + 14, &number, sizeof(number));
        CHECK_EQUAL(dp_capture_writer_add(writer, number, frame, sizeof(frame)), 0);
    }
    CHECK_EQUAL(dp_capture_writer_close(writer, NULL), 0);
}

static void check_written(uint32_t count)
{
    char path[64];
    struct dp_packet packet;
    path_of(path, sizeof(path), "out.pcap");
    struct dp_port *port = dp_port_pcap_open(path, NULL, NULL);
    for (uint32_t number = 0; number < count; number++) {
        CHECK_EQUAL(dp_port_receive(port, &packet, 1), 1);
        CHECK_EQUAL(number_of(&packet), number);
    }
    CHECK_EQUAL(dp_port_receive(port, &packet, 1), 0);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
}

static void test_a_capture_is_a_device(void)
{
    struct dp_dpdk_device *device;
    struct dp_packet packets[32];
    struct dp_port *port = open_port("net_pcap0", &device);
    uint32_t received = 0;
    uint32_t count;
    while ((count = dp_port_receive(port, packets, 32)) > 0) {
        for (uint32_t at = 0; at < count; at++)
            CHECK_EQUAL(number_of(&packets[at]), received + at);
        CHECK_EQUAL(dp_port_send(port, packets, count), count);
        received += count;
    }
    CHECK_EQUAL(received, FRAMES);
    close_port(port, device);
    check_written(FRAMES);
}

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    CHECK_EQUAL(system(command), 0);
}

/* The other process is made before DPDK is: it is not to inherit one. */
static pid_t start_echo(void)
{
    int ends[2];
    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        echo(ends[0]);
    }
    close(ends[0]);
    echo_pipe = ends[1];
    return pid;
}

static int run(void)
{
    RUN_TESTS(TEST(test_two_processes_share_a_host_and_exchange_frames),
        TEST(test_a_capture_is_a_device));
}

int main(void)
{
    char memif[128];
    char pcap[160];
    int status;
    CHECK(mkdtemp(folder) != NULL);
    write_capture();
    pid_t pid = start_echo();
    device_words(memif, sizeof(memif), "server");
    snprintf(
        pcap, sizeof(pcap), "net_pcap0,rx_pcap=%s/in.pcap,tx_pcap=%s/out.pcap", folder, folder);
    start("server", (const char *const[]){memif, pcap, NULL});
    run();
    close(echo_pipe);
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
    dp_dpdk_stop();
    remove_folder();
    return check_failures != 0;
}
