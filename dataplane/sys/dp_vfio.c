#include "dp_vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ADDRESS_SIZE 16
#define PATH_SIZE 128

struct dp_vfio {
    char address[ADDRESS_SIZE];
    int container; /* the address space that the device sees */
    int group;
    int device;
    int interrupt; /* eventfd; -1: not asked for */
    struct {
        void *memory;
        size_t size;
    } bars[DP_VFIO_BARS];
};

static int fail(const struct dp_vfio *vfio, const char *what, struct dp_err *err)
{
    int code = errno;
    return dp_err_set(err, code, "vfio %s: %s: %s", vfio->address, what, strerror(code));
}

/* ---- opening ---- */

/* The last part of where a link below the device points; "" when there is none. */
static void read_link(const struct dp_vfio *vfio, const char *link, char *name, size_t size)
{
    char path[PATH_SIZE];
    char target[PATH_SIZE] = {0};
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", vfio->address, link);
    if (readlink(path, target, sizeof(target) - 1) < 0)
        target[0] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(name, size, "%s", slash != NULL ? slash + 1 : target);
}

static int check_driver(const struct dp_vfio *vfio, struct dp_err *err)
{
    char path[PATH_SIZE];
    char driver[32];
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", vfio->address);
    if (access(path, F_OK) != 0)
        return dp_err_set(
            err, ENODEV, "vfio %s: no such device; see tickplane facts", vfio->address);
    read_link(vfio, "driver", driver, sizeof(driver));
    if (strcmp(driver, "vfio-pci") == 0)
        return 0;
    return dp_err_set(err, EBUSY, "vfio %s: bound to %s; bind it to vfio-pci (tickplane apply)",
        vfio->address, driver[0] != '\0' ? driver : "no driver");
}

static int open_group(struct dp_vfio *vfio, struct dp_err *err)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    char path[PATH_SIZE];
    char group[16];
    read_link(vfio, "iommu_group", group, sizeof(group));
    snprintf(path, sizeof(path), "/dev/vfio/%s", group);
    vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    if (vfio->container < 0)
        return fail(vfio, "/dev/vfio/vfio", err);
    vfio->group = open(path, O_RDWR | O_CLOEXEC);
    if (vfio->group < 0)
        return fail(vfio, path, err);
    if (ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status) < 0)
        return fail(vfio, "status of its group", err);
    if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        return dp_err_set(err, EBUSY,
            "vfio %s: group %s: a driver has another of its devices; bind them all to vfio-pci",
            vfio->address, group);
    return 0;
}

static int open_device(struct dp_vfio *vfio, struct dp_err *err)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container) < 0)
        return fail(vfio, "its group's address space", err);
    if (ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        return fail(vfio, "IOMMU", err);
    vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, vfio->address);
    if (vfio->device < 0)
        return fail(vfio, "device", err);
    if (ioctl(vfio->device, VFIO_DEVICE_GET_INFO, &info) < 0)
        return fail(vfio, "what it is", err);
    if (info.flags & VFIO_DEVICE_FLAGS_RESET)
        ioctl(vfio->device, VFIO_DEVICE_RESET);
    return 0;
}

struct dp_vfio *dp_vfio_open(const char *address, struct dp_err *err)
{
    struct dp_vfio *vfio = calloc(1, sizeof(*vfio));
    if (vfio == NULL) {
        dp_err_set(err, ENOMEM, "vfio %s: no memory", address);
        return NULL;
    }
    snprintf(vfio->address, sizeof(vfio->address), "%s", address);
    vfio->container = vfio->group = vfio->device = vfio->interrupt = -1;
    if (check_driver(vfio, err) < 0 || open_group(vfio, err) < 0 || open_device(vfio, err) < 0) {
        dp_vfio_close(vfio);
        return NULL;
    }
    return vfio;
}

void dp_vfio_close(struct dp_vfio *vfio)
{
    if (vfio == NULL)
        return;
    for (uint32_t bar = 0; bar < DP_VFIO_BARS; bar++)
        if (vfio->bars[bar].memory != NULL)
            munmap(vfio->bars[bar].memory, vfio->bars[bar].size);
    /* The device first: closing the last file of the container undoes what was shared. */
    const int files[] = {vfio->interrupt, vfio->device, vfio->group, vfio->container};
    for (size_t index = 0; index < sizeof(files) / sizeof(files[0]); index++)
        if (files[index] >= 0)
            close(files[index]);
    free(vfio);
}

/* ---- registers ---- */

volatile uint8_t *dp_vfio_map_bar(
    struct dp_vfio *vfio, uint32_t bar, size_t *size, struct dp_err *err)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = bar};
    if (bar >= DP_VFIO_BARS || vfio->bars[bar].memory != NULL) {
        dp_err_set(err, EINVAL, "vfio %s: BAR %u: no such, or mapped already", vfio->address, bar);
        return NULL;
    }
    if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0) {
        fail(vfio, "BARs", err);
        return NULL;
    }
    if (info.size == 0 || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
        dp_err_set(err, ENODEV, "vfio %s: BAR %u: none that can be mapped; name another",
            vfio->address, bar);
        return NULL;
    }
    void *memory =
        mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device, (off_t)info.offset);
    if (memory == MAP_FAILED) {
        fail(vfio, "mapping a BAR", err);
        return NULL;
    }
    vfio->bars[bar].memory = memory;
    vfio->bars[bar].size = *size = info.size;
    return memory;
}

/* ---- memory ---- */

/* A device asks for nothing on the bus until its command register says that it may. */
static int let_be_master(struct dp_vfio *vfio, struct dp_err *err)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint16_t command = 0;
    if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
        return fail(vfio, "configuration space", err);
    off_t at = (off_t)info.offset + PCI_COMMAND;
    if (pread(vfio->device, &command, sizeof(command), at) != sizeof(command))
        return fail(vfio, "command register", err);
    command |= PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
    if (pwrite(vfio->device, &command, sizeof(command), at) != sizeof(command))
        return fail(vfio, "command register", err);
    return 0;
}

int dp_vfio_share(
    struct dp_vfio *vfio, void *memory, size_t size, uint64_t bus_address, struct dp_err *err)
{
    const struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map),
        .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
        .vaddr = (uintptr_t)memory,
        .iova = bus_address,
        .size = size,
    };
    if (ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map) < 0)
        return fail(vfio, "sharing memory (whole pages? enough of memlock?)", err);
    return let_be_master(vfio, err);
}

/* ---- interrupt ---- */

/* The kernel's structure and, behind it, the one file it is about. */
static int set_interrupt(struct dp_vfio *vfio, int32_t file)
{
    alignas(struct vfio_irq_set) uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(file)];
    const struct vfio_irq_set set = {
        .argsz = sizeof(bytes),
        .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
        .index = VFIO_PCI_MSI_IRQ_INDEX,
        .count = 1,
    };
    memcpy(bytes, &set, sizeof(set));
    memcpy(bytes + sizeof(set), &file, sizeof(file));
    return ioctl(vfio->device, VFIO_DEVICE_SET_IRQS, bytes);
}

int dp_vfio_interrupt(struct dp_vfio *vfio, struct dp_err *err)
{
    if (vfio->interrupt >= 0)
        return vfio->interrupt;
    int file = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (file < 0)
        return fail(vfio, "eventfd", err);
    if (set_interrupt(vfio, file) < 0) {
        int status = fail(vfio, "message-signalled interrupt", err);
        close(file);
        return status;
    }
    vfio->interrupt = file;
    int status = let_be_master(vfio, err); /* its message is a write of its own */
    return status < 0 ? status : file;
}
