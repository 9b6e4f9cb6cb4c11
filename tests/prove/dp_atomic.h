/*
 * dp_atomic - the names of core/dp_atomic.h as calls into the checker, see prove.h.
 *
 * Given to the compiler with -include, before any other file; its guard keeps the real one out.
 * Operations that core/dp_atomic.h does not have (yet) follow its way of naming.
 */
#ifndef DP_ATOMIC_H
#define DP_ATOMIC_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "prove.h"

enum prove_order {
    PROVE_RELAXED = 0,
    PROVE_ACQUIRE = 1,
    PROVE_RELEASE = 2,
    PROVE_ACQ_REL = 3,
    PROVE_SEQ_CST = 7,
};

enum prove_change { PROVE_EXCHANGE, PROVE_ADD, PROVE_SUB, PROVE_OR, PROVE_AND };

/* A line of the code under test with an atomic operation in it. */
struct prove_site {
    const char *file;
    int line;
    const char *function;
    const char *operation;
    const char *object;
    enum prove_order order;
    struct prove_site *line_of; /* the one that stands for this line; NULL: not met yet */
    struct prove_site *next;
};

uint64_t prove_load(struct prove_site *site, const volatile void *object, size_t size);
void prove_store(struct prove_site *site, volatile void *object, size_t size, uint64_t value);
uint64_t prove_change(struct prove_site *site, volatile void *object, size_t size,
    enum prove_change change, uint64_t operand);
bool prove_cas(struct prove_site *site, volatile void *object, size_t size, uint64_t *expected,
    uint64_t desired);
void prove_fence(struct prove_site *site);

/* What the compiler does not report by itself. */
void *prove_memcpy(void *to, const void *from, size_t size);
void *prove_memset(void *to, int value, size_t size);
#define memcpy prove_memcpy
#define memset prove_memset
#define abort() prove_fail("aborted")

#define PROVE_TYPE(object) __typeof__((void)0, *(object))
#define PROVE_SITE(operation, object, order) \
    __extension__({ \
        static struct prove_site prove_site = { \
            __FILE__, __LINE__, __func__, operation, object, order, NULL, NULL}; \
        &prove_site; \
    })
#define PROVE_LOAD(name, object, order) \
    ((PROVE_TYPE(object))prove_load(PROVE_SITE(name, #object, order), (object), sizeof(*(object))))
#define PROVE_STORE(name, object, value, order) \
    prove_store(PROVE_SITE(name, #object, order), (object), sizeof(*(object)), \
        (uint64_t)(PROVE_TYPE(object))(value))
#define PROVE_CHANGE(name, object, change, operand, order) \
    ((PROVE_TYPE(object))prove_change(PROVE_SITE(name, #object, order), (object), \
        sizeof(*(object)), change, (uint64_t)(PROVE_TYPE(object))(operand)))
#define PROVE_CAS(name, object, expected, desired, order) \
    __extension__({ \
        PROVE_TYPE(object) *prove_wanted = (expected); \
        uint64_t prove_word = (uint64_t)*prove_wanted; \
        bool prove_done = prove_cas(PROVE_SITE(name, #object, order), (object), sizeof(*(object)), \
            &prove_word, (uint64_t)(PROVE_TYPE(object))(desired)); \
        if (!prove_done) \
            *prove_wanted = (PROVE_TYPE(object))prove_word; \
        prove_done; \
    })

#define dp_load_relaxed(object) PROVE_LOAD("load relaxed", object, PROVE_RELAXED)
#define dp_load_acquire(object) PROVE_LOAD("load acquire", object, PROVE_ACQUIRE)
#define dp_store_relaxed(object, value) PROVE_STORE("store relaxed", object, value, PROVE_RELAXED)
#define dp_store_release(object, value) PROVE_STORE("store release", object, value, PROVE_RELEASE)

#define dp_cas_relaxed(object, expected, desired) \
    PROVE_CAS("cas relaxed", object, expected, desired, PROVE_RELAXED)
#define dp_cas_acquire(object, expected, desired) \
    PROVE_CAS("cas acquire", object, expected, desired, PROVE_ACQUIRE)
#define dp_cas_release(object, expected, desired) \
    PROVE_CAS("cas release", object, expected, desired, PROVE_RELEASE)
#define dp_cas_acq_rel(object, expected, desired) \
    PROVE_CAS("cas acq_rel", object, expected, desired, PROVE_ACQ_REL)

#define dp_exchange_relaxed(object, value) \
    PROVE_CHANGE("exchange relaxed", object, PROVE_EXCHANGE, value, PROVE_RELAXED)
#define dp_exchange_acquire(object, value) \
    PROVE_CHANGE("exchange acquire", object, PROVE_EXCHANGE, value, PROVE_ACQUIRE)
#define dp_exchange_release(object, value) \
    PROVE_CHANGE("exchange release", object, PROVE_EXCHANGE, value, PROVE_RELEASE)
#define dp_exchange_acq_rel(object, value) \
    PROVE_CHANGE("exchange acq_rel", object, PROVE_EXCHANGE, value, PROVE_ACQ_REL)
#define dp_fetch_add_relaxed(object, value) \
    PROVE_CHANGE("add relaxed", object, PROVE_ADD, value, PROVE_RELAXED)
#define dp_fetch_add_acquire(object, value) \
    PROVE_CHANGE("add acquire", object, PROVE_ADD, value, PROVE_ACQUIRE)
#define dp_fetch_add_release(object, value) \
    PROVE_CHANGE("add release", object, PROVE_ADD, value, PROVE_RELEASE)
#define dp_fetch_add_acq_rel(object, value) \
    PROVE_CHANGE("add acq_rel", object, PROVE_ADD, value, PROVE_ACQ_REL)
#define dp_fetch_sub_relaxed(object, value) \
    PROVE_CHANGE("sub relaxed", object, PROVE_SUB, value, PROVE_RELAXED)
#define dp_fetch_sub_acquire(object, value) \
    PROVE_CHANGE("sub acquire", object, PROVE_SUB, value, PROVE_ACQUIRE)
#define dp_fetch_sub_release(object, value) \
    PROVE_CHANGE("sub release", object, PROVE_SUB, value, PROVE_RELEASE)
#define dp_fetch_sub_acq_rel(object, value) \
    PROVE_CHANGE("sub acq_rel", object, PROVE_SUB, value, PROVE_ACQ_REL)
#define dp_fetch_or_relaxed(object, value) \
    PROVE_CHANGE("or relaxed", object, PROVE_OR, value, PROVE_RELAXED)
#define dp_fetch_or_release(object, value) \
    PROVE_CHANGE("or release", object, PROVE_OR, value, PROVE_RELEASE)
#define dp_fetch_or_acq_rel(object, value) \
    PROVE_CHANGE("or acq_rel", object, PROVE_OR, value, PROVE_ACQ_REL)
#define dp_fetch_and_relaxed(object, value) \
    PROVE_CHANGE("and relaxed", object, PROVE_AND, value, PROVE_RELAXED)
#define dp_fetch_and_acquire(object, value) \
    PROVE_CHANGE("and acquire", object, PROVE_AND, value, PROVE_ACQUIRE)
#define dp_fetch_and_release(object, value) \
    PROVE_CHANGE("and release", object, PROVE_AND, value, PROVE_RELEASE)
#define dp_fetch_and_acq_rel(object, value) \
    PROVE_CHANGE("and acq_rel", object, PROVE_AND, value, PROVE_ACQ_REL)

#define dp_pause() prove_pause()
#define dp_fence_acquire() prove_fence(PROVE_SITE("fence acquire", "", PROVE_ACQUIRE))
#define dp_fence_release() prove_fence(PROVE_SITE("fence release", "", PROVE_RELEASE))
#define dp_fence_seq_cst() prove_fence(PROVE_SITE("fence seq_cst", "", PROVE_SEQ_CST))

#endif
