/*
 * dp_card_model - the simulated card (dp_card.sv), as a few C functions.
 *
 * In a shared object of its own, made by build.sh, because Verilator's code is C++. One thread a
 * model. Its time passes while it is read, written, or given a frame: each is at least a cycle.
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
/* A frame of 1 to 2,048 bytes from the wire; what the program gets of it goes to out. Returns its
 * size. */
DP_CARD_MODEL_EXPORT uint32_t dp_card_model_ingress(
    void *model, const uint8_t *frame, uint32_t size, uint8_t *out);
/* A frame that is to leave; what the wire gets of it goes to out: all of it, or 0 bytes. */
DP_CARD_MODEL_EXPORT uint32_t dp_card_model_egress(
    void *model, const uint8_t *frame, uint32_t size, uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
