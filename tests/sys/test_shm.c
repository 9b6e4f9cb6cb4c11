#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "dp_shm.h"

static struct dp_err err;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "/dev/shm/test-shm-%ld-%s", (long)getpid(), name);
    return path;
}

static void test_what_one_writes_another_reads(void)
{
    struct dp_shm writer, reader;
    const char *path = path_of("shared");
    CHECK_EQUAL(dp_shm_create(&writer, path, 100000, &err), 0);
    CHECK(writer.size >= 100000 && writer.size % writer.page_size == 0);
    uint8_t *bytes = writer.memory;
    for (size_t index = 0; index < writer.size; index++)
        CHECK_THAT(bytes[index] == 0, "byte %zu is not zero", index);

    CHECK_EQUAL(dp_shm_attach(&reader, path, false, &err), 0);
    CHECK(reader.memory != writer.memory && reader.size == writer.size);
    bytes[writer.size - 1] = 7;
    CHECK_EQUAL(((uint8_t *)reader.memory)[reader.size - 1], 7);
    dp_shm_close(&reader);
    dp_shm_close(&writer);
    dp_shm_close(&writer);
    CHECK_EQUAL(dp_shm_remove(path, &err), 0);
    CHECK_EQUAL(dp_shm_remove(path, &err), 0);
}

static void test_every_page_is_there(void)
{
    struct dp_shm shm;
    struct stat file;
    const char *path = path_of("backed");
    size_t size = 8u << 20;
    CHECK_EQUAL(dp_shm_create(&shm, path, size, &err), 0);
    CHECK_EQUAL(stat(path, &file), 0);
    CHECK_THAT(
        (size_t)file.st_blocks * 512 >= size, "%zu bytes backed", (size_t)file.st_blocks * 512);
    dp_shm_close(&shm);
    dp_shm_remove(path, &err);
}

static void test_a_new_file_takes_the_name_and_leaves_the_old_one_alone(void)
{
    struct dp_shm old, fresh, reader;
    const char *path = path_of("replaced");
    CHECK_EQUAL(dp_shm_create(&old, path, 4096, &err), 0);
    *(uint64_t *)old.memory = 1;
    CHECK_EQUAL(dp_shm_create(&fresh, path, 8192, &err), 0);
    CHECK_EQUAL(*(uint64_t *)old.memory, 1);
    CHECK_EQUAL(dp_shm_attach(&reader, path, false, &err), 0);
    CHECK(reader.size == fresh.size && *(uint64_t *)reader.memory == 0);
    dp_shm_close(&reader);
    dp_shm_close(&fresh);
    dp_shm_close(&old);
    dp_shm_remove(path, &err);
}

static void test_too_little_memory_says_how_much(void)
{
    struct dp_shm shm;
    const char *path = path_of("vast");
    CHECK_EQUAL(dp_shm_create(&shm, path, (size_t)1 << 50, &err), -ENOSPC);
    char start[200];
    snprintf(start, sizeof(start), "shm: %s: 1125899906842624 bytes asked, ", path);
    CHECK_THAT(strncmp(err.text, start, strlen(start)) == 0, "%s", err.text);
    CHECK_THAT(strstr(err.text, " free; ") != NULL, "%s", err.text);
    CHECK(access(path, F_OK) != 0 && shm.memory == NULL);
    CHECK_EQUAL(dp_shm_create(&shm, path, SIZE_MAX, &err), -EINVAL);
    CHECK_EQUAL(dp_shm_create(&shm, path, 0, &err), -EINVAL);
}

static void test_private_memory_may_be_generous(void)
{
    struct dp_shm shm;
    CHECK_EQUAL(dp_shm_private(&shm, (size_t)1 << 40, &err), 0);
    uint8_t *bytes = shm.memory;
    CHECK_EQUAL(bytes[0] + bytes[shm.size - 1], 0);
    bytes[shm.size / 2] = 1;
    dp_shm_close(&shm);
    CHECK_EQUAL(dp_shm_private(&shm, SIZE_MAX, &err), -EINVAL);
}

struct refusal {
    const char *name;
    const char *path;
    int expected;
};

static const struct refusal refusals[] = {
    {"a missing file", "/dev/shm/there-is-no-such-file", -ENOENT},
    {"a directory", "/dev/shm", -EINVAL},
    {"a device", "/dev/null", -EINVAL},
    {"no name", "", -EINVAL},
};

static void test_what_is_no_memory_is_not_attached(void)
{
    struct dp_shm shm;
    for (size_t row = 0; row < sizeof(refusals) / sizeof(refusals[0]); row++)
        CHECK_THAT(dp_shm_attach(&shm, refusals[row].path, false, &err) == refusals[row].expected,
            "%s: %s", refusals[row].name, err.text);

    const char *path = path_of("empty");
    fclose(fopen(path, "w"));
    CHECK_EQUAL(dp_shm_attach(&shm, path, false, &err), -EINVAL);
    dp_shm_remove(path, &err);

    char long_path[400];
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    CHECK_EQUAL(dp_shm_attach(&shm, long_path, false, &err), -EINVAL);
    CHECK_EQUAL(dp_shm_create(&shm, "/there/is/no/such/place", 4096, &err), -ENOENT);
}

int main(void)
{
    RUN_TESTS(TEST(test_what_one_writes_another_reads), TEST(test_every_page_is_there),
        TEST(test_a_new_file_takes_the_name_and_leaves_the_old_one_alone),
        TEST(test_too_little_memory_says_how_much), TEST(test_private_memory_may_be_generous),
        TEST(test_what_is_no_memory_is_not_attached));
}
