/*
 * The card of dataplane/fpga/dp_card.sv, simulated by a shared object (dataplane/fpga/build.sh).
 */
#include <dlfcn.h>
#include <errno.h>

#include "dp_card_backend.h"

struct card_rtl {
    struct dp_card card;
    void *library;
    void *model;
    void *(*open)(void);
    void (*close)(void *model);
    uint32_t (*read)(void *model, uint32_t offset);
    void (*write)(void *model, uint32_t offset, uint32_t value);
    uint32_t (*ingress)(void *model, const uint8_t *frame, uint32_t size, uint8_t *out);
    uint32_t (*egress)(void *model, const uint8_t *frame, uint32_t size, uint8_t *out);
};

static struct card_rtl *rtl_of(struct dp_card *card)
{
    return (struct card_rtl *)card;
}

static uint32_t rtl_read(struct dp_card *card, uint32_t offset)
{
    return offset < DP_CARD_BAR_SIZE ? rtl_of(card)->read(rtl_of(card)->model, offset) : 0;
}

static void rtl_write(struct dp_card *card, uint32_t offset, uint32_t value)
{
    if (offset < DP_CARD_BAR_SIZE)
        rtl_of(card)->write(rtl_of(card)->model, offset, value);
}

static uint32_t rtl_ingress(struct dp_card *card, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    return size == 0 ? 0 : rtl_of(card)->ingress(rtl_of(card)->model, frame, size, out);
}

static bool rtl_egress(struct dp_card *card, const uint8_t *frame, uint32_t size)
{
    uint8_t out[DP_CARD_FRAME_MAX];
    return size > 0 && rtl_of(card)->egress(rtl_of(card)->model, frame, size, out) == size;
}

static void rtl_close(struct dp_card *card)
{
    struct card_rtl *rtl = rtl_of(card);
    if (rtl->model != NULL)
        rtl->close(rtl->model);
    if (rtl->library != NULL)
        dlclose(rtl->library);
    free(rtl);
}

static const struct dp_card_ops rtl_ops = {
    .name = "rtl",
    .read = rtl_read,
    .write = rtl_write,
    .ingress = rtl_ingress,
    .egress = rtl_egress,
    .close = rtl_close,
};

/* ISO C has no cast from an object's address to a function's; POSIX says that they are of a size.
 */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static int load_model(struct card_rtl *rtl, const char *path, struct dp_err *err)
{
    rtl->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (rtl->library == NULL)
        return dp_err_set(
            err, ENOENT, "card rtl: %s; make it with dataplane/fpga/build.sh", dlerror());
    if (!find(rtl->library, "dp_card_model_open", &rtl->open) ||
        !find(rtl->library, "dp_card_model_close", &rtl->close) ||
        !find(rtl->library, "dp_card_model_read", &rtl->read) ||
        !find(rtl->library, "dp_card_model_write", &rtl->write) ||
        !find(rtl->library, "dp_card_model_ingress", &rtl->ingress) ||
        !find(rtl->library, "dp_card_model_egress", &rtl->egress))
        return dp_err_set(err, ENOENT, "card rtl: %s: no card in it; make it anew", path);
    rtl->model = rtl->open();
    return rtl->model != NULL ? 0 : dp_err_set(err, ENOMEM, "card rtl: no memory for a model");
}

struct dp_card *dp_card_rtl_open(const char *where, struct dp_err *err)
{
    struct card_rtl *rtl = calloc(1, sizeof(*rtl));
    if (rtl == NULL) {
        dp_err_set(err, ENOMEM, "card rtl: no memory for %zu bytes", sizeof(*rtl));
        return NULL;
    }
    rtl->card.ops = &rtl_ops;
    if (load_model(rtl, where, err) < 0) {
        rtl_close(&rtl->card);
        return NULL;
    }
    return &rtl->card;
}
