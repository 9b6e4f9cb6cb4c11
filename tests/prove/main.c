/* A program of cases: runs them, then weakens one ordering after the other and wants a failure. */
#include <stdio.h>

#include "machine.h"

#define SITES_MAX 256
#define RUNS_MAX_QUICK 300000u
#define RUNS_MAX 50000000u

static struct {
    const char *program;
    const struct prove_case *cases;
    size_t case_count;
    const struct prove_spared *spared;
    size_t spared_count;
    const char *only; /* the case's name; NULL: all */
    const char *schedule;
    uint64_t seed;
    uint64_t
        random_runs; /* this many at random of each case, from `seed` on; 0: as the case says */
    bool is_quick;
    bool is_single; /* the program itself is a mutant: no weakening */
    int error_count;
} work;

static void repeat_traced(const struct prove_case *scenario, const char *schedule)
{
    machine.scenario = scenario;
    machine.is_traced = true;
    explore_repeat(schedule);
    machine.is_traced = false;
    fprintf(stderr, "  %s\n", machine.outcome == RUN_FAILED ? machine.failure : "(holds)");
}

static void report_failure(const struct prove_case *scenario)
{
    static char schedule[EXPLORE_SCHEDULE_MAX];
    explore_schedule(schedule);
    printf("FAIL %s: %s\n", scenario->name, machine.failure);
    fflush(stdout);
    repeat_traced(scenario, schedule);
    fprintf(
        stderr, "again: %s --case '%s' --schedule '%s'\n", work.program, scenario->name, schedule);
    work.error_count++;
}

/* ---- cases ---- */

static void print_bounds(const struct prove_case *scenario)
{
    if (scenario->preemptions_max != 0)
        printf(", %u preemptions", scenario->preemptions_max);
    if (scenario->stale_max != 0)
        printf(", %u stale accesses", scenario->stale_max);
}

static void run_all_of(const struct prove_case *scenario)
{
    struct tally tally;
    if (!explore_all(RUNS_MAX, &tally)) {
        report_failure(scenario);
        return;
    }
    printf("%s %s: %llu runs, %llu states, %s", tally.is_complete ? "ok  " : "FAIL", scenario->name,
        (unsigned long long)tally.run_count, (unsigned long long)tally.state_count,
        tally.is_complete ? "all" : "not all");
    print_bounds(scenario);
    printf("\n");
    work.error_count += !tally.is_complete;
}

static void run_random_of(const struct prove_case *scenario)
{
    uint64_t failing_seed;
    uint64_t run_count = work.random_runs != 0 ? work.random_runs : scenario->random_runs;
    uint64_t first = work.seed;
    if (explore_random(first, run_count, &failing_seed)) {
        printf("ok   %s: %llu runs at random, seeds from %llu\n", scenario->name,
            (unsigned long long)run_count, (unsigned long long)first);
        return;
    }
    report_failure(scenario);
    fprintf(stderr, "or:    %s --case '%s' --random 1 --seed %llu\n", work.program, scenario->name,
        (unsigned long long)failing_seed);
}

static bool is_chosen(const struct prove_case *scenario)
{
    if (work.only != NULL)
        return strcmp(work.only, scenario->name) == 0;
    return !(work.is_quick && scenario->is_long);
}

static void run_case(const struct prove_case *scenario)
{
    machine.scenario = scenario;
    if (work.schedule != NULL)
        repeat_traced(scenario, work.schedule);
    else if (scenario->random_runs != 0 || work.random_runs != 0)
        run_random_of(scenario);
    else
        run_all_of(scenario);
    fflush(stdout);
}

/* ---- weakened orderings ---- */

static const char *file_of(const struct prove_site *site)
{
    const char *slash = strrchr(site->file, '/');
    return slash == NULL ? site->file : slash + 1;
}

static bool is_weakened_elsewhere(const struct prove_site *site)
{
    for (size_t at = 0; at < work.spared_count; at++)
        if (work.spared[at].function == NULL && strcmp(work.spared[at].object, file_of(site)) == 0)
            return true;
    return false;
}

static const char *spared_because(const struct prove_site *site)
{
    for (size_t at = 0; at < work.spared_count; at++)
        if (work.spared[at].function != NULL &&
            strcmp(work.spared[at].function, site->function) == 0 &&
            strcmp(work.spared[at].object, site->object) == 0)
            return work.spared[at].why;
    return NULL;
}

/* The case that fails with that ordering weakened, or NULL. */
static const struct prove_case *find_case_that_fails(void)
{
    for (size_t at = 0; at < work.case_count; at++) {
        const struct prove_case *scenario = &work.cases[at];
        struct tally tally;
        uint64_t failing_seed;
        if (!is_chosen(scenario))
            continue;
        machine.scenario = scenario;
        bool holds = scenario->random_runs != 0
            ? explore_random(1, scenario->random_runs, &failing_seed)
            : explore_all(work.is_quick ? RUNS_MAX_QUICK : RUNS_MAX, &tally);
        if (!holds)
            return scenario;
    }
    return NULL;
}

static const char *part_name(uint32_t part)
{
    return part == PROVE_ACQUIRE ? "acquire" : part == PROVE_RELEASE ? "release" : "seq_cst";
}

static void weaken(const struct prove_site *site, uint32_t part)
{
    machine.weak_site = site;
    machine.weak_part = part;
    const struct prove_case *caught_by = find_case_that_fails();
    machine.weak_site = NULL;

    const char *why = spared_because(site);
    bool is_right = (caught_by != NULL) != (why != NULL);
    printf("%s %s:%d %s: %s %s without %s: ", is_right ? "ok  " : "FAIL", file_of(site), site->line,
        site->function, site->operation, site->object, part_name(part));
    if (caught_by != NULL)
        printf("%s: %s%s\n", caught_by->name, machine.failure, is_right ? "" : " (yet spared)");
    else
        printf("%s%s\n", is_right ? "not noticed: " : "NOT NOTICED", is_right ? why : "");
    fflush(stdout);
    work.error_count += !is_right;
}

static void weaken_all(void)
{
    static const struct prove_site *sites[SITES_MAX];
    uint32_t count = 0;
    for (struct prove_site *site = machine.sites; site != NULL && count < SITES_MAX;
         site = site->next)
        sites[count++] = site;
    while (count-- > 0) {
        if (is_weakened_elsewhere(sites[count]))
            continue;
        uint32_t order = sites[count]->order;
        /* Of a sequentially consistent fence the total order goes, the rest stays. */
        for (uint32_t part = PROVE_ACQUIRE; part <= PROVE_SEQ_CST; part <<= 1)
            if (order == PROVE_SEQ_CST ? part == 4 : order & part)
                weaken(sites[count], part);
    }
}

/* With --quick only where no long case might be the one that notices. */
static bool is_weakening_wanted(void)
{
    bool has_all = true;
    for (size_t at = 0; at < work.case_count; at++)
        has_all = has_all && is_chosen(&work.cases[at]);
    return work.error_count == 0 && !work.is_single && has_all && work.random_runs == 0;
}

/* ---- the program ---- */

static void parse(int count, char **words)
{
    work.program = words[0];
    for (int at = 1; at < count; at++) {
        bool has_value = at + 1 < count;
        if (strcmp(words[at], "--quick") == 0)
            work.is_quick = true;
        else if (strcmp(words[at], "--cases-only") == 0)
            work.is_single = true;
        else if (strcmp(words[at], "--case") == 0 && has_value)
            work.only = words[++at];
        else if (strcmp(words[at], "--schedule") == 0 && has_value)
            work.schedule = words[++at];
        else if (strcmp(words[at], "--seed") == 0 && has_value)
            work.seed = strtoull(words[++at], NULL, 0);
        else if (strcmp(words[at], "--random") == 0 && has_value)
            work.random_runs = strtoull(words[++at], NULL, 0);
        else {
            fprintf(stderr,
                "prove: %s: not an option; one of --quick, --cases-only, --case NAME, "
                "--schedule DIGITS, --random RUNS, --seed NUMBER\n",
                words[at]);
            exit(2);
        }
    }
}

int prove_main(int argument_count, char **arguments, const struct prove_case *cases,
    size_t case_count, const struct prove_spared *spared, size_t spared_count)
{
    work.cases = cases;
    work.case_count = case_count;
    work.spared = spared;
    work.spared_count = spared_count;
    work.seed = 1;
    parse(argument_count, arguments);
    for (size_t at = 0; at < case_count; at++)
        if (is_chosen(&cases[at]))
            run_case(&cases[at]);
    if (is_weakening_wanted())
        weaken_all();
    return work.error_count == 0 ? 0 : 1;
}
