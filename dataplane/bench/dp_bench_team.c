#include "dp_bench_team.h"

#include <pthread.h>
#include <sched.h>

#include "dp_atomic.h"
#include "dp_clock.h"

#define PAUSES 32u
#define SPINS_MAX 16u

struct team {
    const struct dp_bench_member *member;
    _Atomic uint32_t *ready_count;
    uint32_t count;
    int64_t start_ns; /* when this one began to work */
    int64_t end_ns;
};

/* The how-manieth core that we may run on. */
static void pin_to(uint32_t core)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        return;
    core %= (uint32_t)CPU_COUNT(&allowed);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || core-- != 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
        return;
    }
}

static void *run_member(void *argument)
{
    struct team *team = argument;
    pin_to(team->member->core);
    dp_fetch_add_relaxed(team->ready_count, 1);
    for (uint32_t tries = 0; dp_load_relaxed(team->ready_count) != team->count; tries++)
        dp_bench_team_wait(tries);
    team->start_ns = dp_clock_monotonic_ns();
    team->member->work(team->member->context);
    team->end_ns = dp_clock_monotonic_ns();
    return NULL;
}

int64_t dp_bench_team_run(const struct dp_bench_member *members, uint32_t count)
{
    struct team team[DP_BENCH_TEAM_MAX];
    pthread_t threads[DP_BENCH_TEAM_MAX];
    _Atomic uint32_t ready_count = 0;
    DP_ASSERT(count > 0 && count <= DP_BENCH_TEAM_MAX);
    for (uint32_t index = 0; index < count; index++) {
        team[index] =
            (struct team){.member = &members[index], .ready_count = &ready_count, .count = count};
        DP_ASSERT(pthread_create(&threads[index], NULL, run_member, &team[index]) == 0);
    }
    int64_t start_ns = INT64_MAX;
    int64_t end_ns = 0;
    for (uint32_t index = 0; index < count; index++) {
        pthread_join(threads[index], NULL);
        start_ns = team[index].start_ns < start_ns ? team[index].start_ns : start_ns;
        end_ns = team[index].end_ns > end_ns ? team[index].end_ns : end_ns;
    }
    return end_ns - start_ns;
}

void dp_bench_team_wait(uint32_t tries)
{
    if (tries < SPINS_MAX) {
        for (uint32_t pause = 0; pause < PAUSES; pause++)
            __builtin_ia32_pause();
    } else {
        sched_yield();
    }
}
