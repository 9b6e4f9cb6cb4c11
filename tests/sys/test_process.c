/* dp_process against children that are stopped, killed and reaped. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dp_process.h"

static pid_t start_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    return child;
}

static void test_a_process_that_is_killed_has_ended_and_a_stopped_one_has_not(void)
{
    pid_t child = start_child();
    uint64_t id = dp_process_id_of(child);
    CHECK_EQUAL(dp_process_pid(id), child);
    CHECK(!dp_process_has_ended(id));

    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    CHECK(!dp_process_has_ended(id));

    kill(child, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    CHECK(dp_process_has_ended(id)); /* a zombie */
    waitpid(child, NULL, 0);
    CHECK(dp_process_has_ended(id)); /* gone */
    CHECK_EQUAL(dp_process_id_of(child), 0);
}

static void test_this_process_has_not_ended(void)
{
    uint64_t id = dp_process_id();
    CHECK_EQUAL(dp_process_pid(id), getpid());
    CHECK(!dp_process_has_ended(id));
    CHECK(dp_process_has_ended(id + (1ull << 24))); /* our number, another start */
}

static void test_a_name_with_brackets_and_spaces_is_no_obstacle(void)
{
    uint64_t before = dp_process_id();
    char name[17];
    CHECK_EQUAL(prctl(PR_GET_NAME, name), 0);
    CHECK_EQUAL(prctl(PR_SET_NAME, ") Z 1 (2) 3"), 0);
    CHECK(dp_process_id() == before && !dp_process_has_ended(before));
    prctl(PR_SET_NAME, name);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_process_that_is_killed_has_ended_and_a_stopped_one_has_not),
        TEST(test_this_process_has_not_ended),
        TEST(test_a_name_with_brackets_and_spaces_is_no_obstacle));
}
