/*
 * dp_card_model - the simulated instrument filter (dp_card_filter.sv), as a few C functions.
 *
 * In a shared object of its own, made by build.sh, because Verilator's code is C++. One thread a
 * model.
 */
#ifndef DP_CARD_MODEL_H
#define DP_CARD_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DP_CARD_MODEL_EXPORT __attribute__((visibility("default")))

DP_CARD_MODEL_EXPORT void *dp_card_model_open(void); /* NULL: no memory */
DP_CARD_MODEL_EXPORT void dp_card_model_close(void *model);
DP_CARD_MODEL_EXPORT uint32_t dp_card_model_read(void *model, uint32_t offset);
DP_CARD_MODEL_EXPORT void dp_card_model_write(void *model, uint32_t offset, uint32_t value);
/* A frame of 1 to 2,048 bytes; what comes of it goes to out. Returns its size. */
DP_CARD_MODEL_EXPORT uint32_t dp_card_model_push(
    void *model, const uint8_t *frame, uint32_t size, uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
