/*
 * dp_vfio - a PCI device that the kernel's vfio-pci has: its registers, memory it may use, its
 * interrupt.
 *
 * For cards that have no driver of their own, in the kernel or in a library. The device stands
 * behind the IOMMU: it reaches what dp_vfio_share() names and nothing else. It is reset when it is
 * opened and when it is closed, as far as it can be. One thread; allocated by dp_vfio_open(), freed
 * by dp_vfio_close().
 */
#ifndef DP_VFIO_H
#define DP_VFIO_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_VFIO_BARS 6u

struct dp_vfio; /* opaque */

/* address: "0000:3b:00.0". NULL with err filled: no such device, another driver has it, no right to
 * /dev/vfio, other devices of its group are in use. */
struct dp_vfio *dp_vfio_open(const char *address, struct dp_err *err);
void dp_vfio_close(struct dp_vfio *vfio); /* unmaps what was mapped; NULL is fine */

/* Maps a BAR, for reading and writing, until the device is closed. NULL with err filled when it has
 * no such BAR, or one that cannot be mapped. */
volatile uint8_t *dp_vfio_map_bar(
    struct dp_vfio *vfio, uint32_t bar, size_t *size, struct dp_err *err);
/* Lets the device use that memory at that address of its bus, and lets it be a master of the bus.
 * All three whole pages. The memory is locked meanwhile. */
int dp_vfio_share(
    struct dp_vfio *vfio, void *memory, size_t size, uint64_t bus_address, struct dp_err *err);
/* The device's first message-signalled interrupt, as an eventfd that does not block; the device's
 * until it is closed. -errno with err filled when it has none. */
int dp_vfio_interrupt(struct dp_vfio *vfio, struct dp_err *err);

#endif
