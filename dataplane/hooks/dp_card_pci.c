/*
 * A card on the bus, through VFIO. Its frames pass through silicon: there is no `ingress` and no
 * `egress` to ask. test_card_edu.c tries registers, shared memory and interrupt on a device that
 * QEMU emulates; no real card has been seen.
 */
#include <errno.h>

#include "dp_card_backend.h"
#include "dp_vfio.h"

struct card_pci {
    struct dp_card card;
    struct dp_vfio *vfio;
    volatile uint8_t *registers;
    size_t size;
};

static struct card_pci *pci_of(struct dp_card *card)
{
    return (struct card_pci *)card;
}

static uint32_t pci_read(struct dp_card *card, uint32_t offset)
{
    const struct card_pci *pci = pci_of(card);
    if (offset % 4 != 0 || offset + 4 > pci->size)
        return 0;
    return *(volatile const uint32_t *)(pci->registers + offset);
}

static void pci_write(struct dp_card *card, uint32_t offset, uint32_t value)
{
    const struct card_pci *pci = pci_of(card);
    if (offset % 4 == 0 && offset + 4 <= pci->size)
        *(volatile uint32_t *)(pci->registers + offset) = value;
}

static int pci_interrupt(struct dp_card *card, struct dp_err *err)
{
    return dp_vfio_interrupt(pci_of(card)->vfio, err);
}

static int pci_share(
    struct dp_card *card, void *memory, size_t size, uint64_t bus_address, struct dp_err *err)
{
    return dp_vfio_share(pci_of(card)->vfio, memory, size, bus_address, err);
}

static void pci_close(struct dp_card *card)
{
    dp_vfio_close(pci_of(card)->vfio);
    free(card);
}

static const struct dp_card_ops pci_ops = {
    .name = "pci",
    .read = pci_read,
    .write = pci_write,
    .interrupt = pci_interrupt,
    .share = pci_share,
    .close = pci_close,
};

/* ADDRESS[/BAR]: false when it is neither. */
static bool take_apart(const char *where, char *address, size_t size, uint32_t *bar)
{
    size_t length = strcspn(where, "/");
    *bar = 0;
    if (length == 0 || length >= size)
        return false;
    memcpy(address, where, length);
    address[length] = '\0';
    if (where[length] == '\0')
        return true;
    const char *digit = where + length + 1;
    *bar = (uint32_t)(digit[0] - '0');
    return *bar < DP_VFIO_BARS && digit[1] == '\0';
}

static int open_registers(struct card_pci *pci, const char *where, struct dp_err *err)
{
    char address[16];
    uint32_t bar;
    if (!take_apart(where, address, sizeof(address), &bar))
        return dp_err_set(err, EINVAL,
            "card pci: '%s'; it must be an address like 0000:3b:00.0, or with a BAR 0000:3b:00.0/2",
            where);
    pci->vfio = dp_vfio_open(address, err);
    if (pci->vfio == NULL)
        return -err->code;
    pci->registers = dp_vfio_map_bar(pci->vfio, bar, &pci->size, err);
    if (pci->registers == NULL)
        return -err->code;
    if (pci->size < DP_CARD_BAR_SIZE)
        return dp_err_set(err, ENODEV,
            "card pci: %s: %zu bytes of registers; the map has %u: another device, or another BAR",
            where, pci->size, DP_CARD_BAR_SIZE);
    return 0;
}

struct dp_card *dp_card_pci_open(const char *where, struct dp_err *err)
{
    struct card_pci *pci = calloc(1, sizeof(*pci));
    if (pci == NULL) {
        dp_err_set(err, ENOMEM, "card pci: no memory for %zu bytes", sizeof(*pci));
        return NULL;
    }
    pci->card.ops = &pci_ops;
    if (open_registers(pci, where, err) < 0) {
        pci_close(&pci->card);
        return NULL;
    }
    return &pci->card;
}
