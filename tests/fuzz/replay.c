/*
 * A main for the fuzz entries where there is no libFuzzer: every file named is one input. Without
 * names it makes inputs of its own, the same in every run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define INPUT_SIZE_MAX 65536
#define RUNS 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly its size, so that a sanitizer sees a byte read behind it. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *data = malloc(size == 0 ? 1 : size);
    if (data == NULL)
        exit(1);
    memcpy(data, bytes, size);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int replay(const char *path)
{
    static uint8_t bytes[INPUT_SIZE_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    run(bytes, fread(bytes, 1, sizeof(bytes), file));
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    int failures = 0;
    for (int index = 1; index < argc; index++)
        failures += replay(argv[index]);

    uint64_t random = 1;
    for (int count = 0; argc == 1 && count < RUNS; count++) {
        uint8_t bytes[64];
        for (size_t at = 0; at < sizeof(bytes); at++)
            bytes[at] = (uint8_t)(check_random(&random) >> 32);
        run(bytes, check_random(&random) % (sizeof(bytes) + 1));
    }
    return failures == 0 ? 0 : 1;
}
