/*
 * check - the test programs' assertions: print both sides, count, go on.
 *
 * Each program defines `static const struct test tests[]` through RUN_TESTS and returns 0 or 1.
 */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s: not true\n", __FILE__, __LINE__, #condition); \
            check_failures++; \
        } \
    } while (0)

#define CHECK_EQUAL(actual, expected) \
    do { \
        long long check_actual = (long long)(actual); \
        long long check_expected = (long long)(expected); \
        if (check_actual != check_expected) { \
            fprintf(stderr, "%s:%d: %s is %lld; expected %s = %lld\n", __FILE__, __LINE__, \
                #actual, check_actual, #expected, check_expected); \
            check_failures++; \
        } \
    } while (0)

#define CHECK_TEXT(actual, expected) \
    do { \
        const char *check_actual = (actual); \
        const char *check_expected = (expected); \
        if (strcmp(check_actual, check_expected) != 0) { \
            fprintf(stderr, "%s:%d: %s is '%s'; expected '%s'\n", __FILE__, __LINE__, #actual, \
                check_actual, check_expected); \
            check_failures++; \
        } \
    } while (0)

/* A condition with words of its own: CHECK_THAT(ok, "length %zu passed", size). */
#define CHECK_THAT(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
            fprintf(stderr, __VA_ARGS__); \
            fputc('\n', stderr); \
            check_failures++; \
        } \
    } while (0)

struct test {
    const char *name;
    void (*run)(void);
};

static inline int run_tests(const struct test *tests, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        int before = check_failures;
        tests[index].run();
        printf("%s %s\n", check_failures == before ? "ok  " : "FAIL", tests[index].name);
    }
    return check_failures == 0 ? 0 : 1;
}

/* clang-format off */
#define TEST(function) {#function, function}
/* clang-format on */
#define RUN_TESTS(...) \
    do { \
        static const struct test all_tests[] = {__VA_ARGS__}; \
        return run_tests(all_tests, sizeof(all_tests) / sizeof(all_tests[0])); \
    } while (0)

/* xorshift64*: the same numbers for a seed on every machine. */
static inline uint64_t check_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

#endif
