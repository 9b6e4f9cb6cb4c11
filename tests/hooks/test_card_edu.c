/*
 * The backend `pci` on devices that QEMU emulates: `edu`, whose registers, master of the bus and
 * interrupt QEMU documents, and a BAR of plain memory (ivshmem-plain) that is
 * given the first registers of a card. TICKPLANE_EDU and TICKPLANE_IVSHMEM are their PCI addresses,
 * bound to vfio-pci: scripts/lab.sh run tests/lab/card.sh.
 */
#include "check.h"
#include "dp_card_backend.h"
#include "dp_vfio.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDU_ID 0x00
#define EDU_LIVENESS 0x04
#define EDU_FACTORIAL 0x08
#define EDU_STATUS 0x20
#define EDU_INTERRUPT_STATUS 0x24
#define EDU_RAISE 0x60
#define EDU_ACKNOWLEDGE 0x64
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_SIZE 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_BUFFER 0x40000u
#define STATUS_INTERRUPT 0x80u
#define DMA_RUN 1u
#define DMA_TO_MEMORY 2u
#define DMA_INTERRUPT 4u
#define DMA_RAISES 0x100u

#define PAGE 4096u
#define MOVED 2048u           /* QEMU 7.2 takes the whole of its 4,096 bytes for too much */
#define BUS_ADDRESS 0x100000u /* the device has 28 bits of address */
#define PATIENCE_MS 60000

static struct dp_card *open_edu(void)
{
    struct dp_err err = {0};
    struct dp_card *card = dp_card_pci_open(getenv("TICKPLANE_EDU"), &err);
    CHECK_THAT(card != NULL, "%s", err.text);
    return card;
}

static void test_registers_are_read_and_written(void)
{
    struct dp_card *card = open_edu();
    CHECK_EQUAL(dp_card_read(card, EDU_ID) & 0xff, 0xed);
    for (uint32_t value = 1; value != 0; value <<= 5) {
        dp_card_write(card, EDU_LIVENESS, value);
        CHECK_EQUAL(dp_card_read(card, EDU_LIVENESS), ~value);
    }
    CHECK_EQUAL(dp_card_read(card, 2), 0);
    CHECK_EQUAL(dp_card_read(card, 1u << 20), 0); /* behind the BAR */
    dp_card_write(card, 1u << 20, 1);
    dp_card_close(card);
}

static void test_another_device_is_refused(void)
{
    char name[64];
    struct dp_err err = {0};
    snprintf(name, sizeof(name), "pci:%s", getenv("TICKPLANE_EDU"));
    CHECK(dp_card_open(name, NULL, &err) == NULL);
    CHECK_EQUAL(err.code, ENODEV);
    CHECK_TEXT(err.text,
        "card pci: magic is 010000ed; it must be 54504643: another device, or no bitstream loaded");
    snprintf(name, sizeof(name), "pci:%s/5", getenv("TICKPLANE_EDU"));
    CHECK(dp_card_open(name, NULL, &err) == NULL);
    CHECK_EQUAL(err.code, ENODEV);
}

static void wait_interrupt(int file)
{
    struct pollfd wait = {.fd = file, .events = POLLIN};
    uint64_t count = 0;
    CHECK_EQUAL(poll(&wait, 1, PATIENCE_MS), 1);
    CHECK_EQUAL(read(file, &count, sizeof(count)), sizeof(count));
    CHECK(count >= 1);
}

static void test_its_interrupt_arrives(void)
{
    struct dp_card *card = open_edu();
    struct dp_err err = {0};
    uint64_t none;
    int file = dp_card_interrupt(card, &err);
    CHECK_THAT(file >= 0, "%s", err.text);
    CHECK_EQUAL(dp_card_interrupt(card, &err), file); /* the same again */
    CHECK_EQUAL(read(file, &none, sizeof(none)), -1);
    dp_card_write(card, EDU_RAISE, 0x5);
    wait_interrupt(file);
    CHECK_EQUAL(dp_card_read(card, EDU_INTERRUPT_STATUS), 0x5);
    dp_card_write(card, EDU_ACKNOWLEDGE, 0x5);
    dp_card_write(card, EDU_STATUS, STATUS_INTERRUPT);
    dp_card_write(card, EDU_FACTORIAL, 10); /* says so when it has it */
    wait_interrupt(file);
    CHECK_EQUAL(dp_card_read(card, EDU_FACTORIAL), 3628800);
    dp_card_write(card, EDU_ACKNOWLEDGE, 1);
    dp_card_close(card);
}

static void move(struct dp_card *card, int file, uint32_t from, uint32_t to, uint32_t command)
{
    dp_card_write(card, EDU_DMA_FROM, from);
    dp_card_write(card, EDU_DMA_TO, to);
    dp_card_write(card, EDU_DMA_SIZE, MOVED);
    dp_card_write(card, EDU_DMA_COMMAND, DMA_RUN | DMA_INTERRUPT | command);
    wait_interrupt(file);
    CHECK_EQUAL(dp_card_read(card, EDU_INTERRUPT_STATUS), DMA_RAISES);
    dp_card_write(card, EDU_ACKNOWLEDGE, DMA_RAISES);
}

static void test_it_reads_and_writes_the_memory_that_is_shared(void)
{
    struct dp_card *card = open_edu();
    struct dp_err err = {0};
    uint8_t *memory = mmap(
        NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(dp_card_share(card, memory, PAGE, BUS_ADDRESS + 1, &err), -EINVAL);
    CHECK_EQUAL(dp_card_share(card, memory, 2 * PAGE, BUS_ADDRESS, &err), 0);
    CHECK_EQUAL(dp_card_share(card, memory, PAGE, BUS_ADDRESS, &err), -EEXIST);
    int file = dp_card_interrupt(card, &err);
    for (uint32_t at = 0; at < PAGE; at++)
        memory[at] = (uint8_t)(at * 7);
    move(card, file, BUS_ADDRESS, EDU_BUFFER, 0);
    move(card, file, EDU_BUFFER, BUS_ADDRESS + PAGE, DMA_TO_MEMORY);
    CHECK(memcmp(memory, memory + PAGE, MOVED) == 0);
    dp_card_close(card);
    munmap(memory, 2 * PAGE);
}

/* ---- registers of a card, in plain memory ---- */

static void write_registers(const char *address)
{
    static const uint32_t rows[][2] = {{DP_CARD_REG_MAGIC, DP_CARD_MAGIC},
        {DP_CARD_REG_VERSION, DP_CARD_VERSION}, {DP_CARD_REG_CAPABILITIES, DP_CARD_CAN_GATE},
        {DP_CARD_REG_IDENTITY, 0xabcd0000}};
    struct dp_err err = {0};
    size_t size = 0;
    struct dp_vfio *vfio = dp_vfio_open(address, &err);
    CHECK_THAT(vfio != NULL, "%s", err.text);
    volatile uint8_t *memory = dp_vfio_map_bar(vfio, 2, &size, &err);
    CHECK_THAT(memory != NULL, "%s", err.text);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        *(volatile uint32_t *)(memory + rows[row][0]) = rows[row][1];
    dp_vfio_close(vfio);
}

static void test_a_card_is_opened_by_its_registers(void)
{
    const char *address = getenv("TICKPLANE_IVSHMEM");
    uint8_t identity[DP_CARD_IDENTITY_SIZE] = {0xab, 0xcd};
    char name[64];
    struct dp_err err = {0};
    write_registers(address);
    snprintf(name, sizeof(name), "pci:%s/2", address);
    struct dp_card *card = dp_card_open(name, identity, &err);
    CHECK_THAT(card != NULL, "%s", err.text);
    CHECK_EQUAL(card->capabilities, DP_CARD_CAN_GATE);
    CHECK_EQUAL(dp_card_control(card, DP_CARD_HALT, true, &err), 0);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_CONTROL), DP_CARD_HALT);
    CHECK_EQUAL(dp_card_control(card, DP_CARD_FILTER, true, &err), -ENOTSUP);
    dp_card_arm(card, 33, true);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_ARMED + 4), 2);
    dp_card_close(card);
    identity[1] = 0;
    CHECK(dp_card_open(name, identity, &err) == NULL);
    CHECK_EQUAL(err.code, ESTALE);
}

int main(void)
{
    if (getenv("TICKPLANE_EDU") == NULL || getenv("TICKPLANE_IVSHMEM") == NULL) {
        fprintf(stderr, "skipped: needs devices of QEMU: scripts/lab.sh run tests/lab/card.sh\n");
        return 77; /* meson: skipped */
    }
    RUN_TESTS(TEST(test_registers_are_read_and_written), TEST(test_another_device_is_refused),
        TEST(test_its_interrupt_arrives), TEST(test_it_reads_and_writes_the_memory_that_is_shared),
        TEST(test_a_card_is_opened_by_its_registers));
}
