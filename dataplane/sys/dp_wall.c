#include "dp_wall.h"

#include "dp_clock.h"

void dp_wall_open(struct dp_wall *wall)
{
    int64_t monotonic_ns = dp_clock_monotonic_ns();
    *wall = (struct dp_wall){.offset_ns = dp_clock_wall_ns() - monotonic_ns};
    wall->machine_ns = wall->offset_ns;
    wall->look_ns = monotonic_ns + DP_WALL_LOOK_NS;
}

void dp_wall_look(struct dp_wall *wall, int64_t before_ns, int64_t machine_ns, int64_t after_ns)
{
    int64_t offset_ns = machine_ns - before_ns;
    int64_t step_ns = offset_ns - wall->machine_ns;
    int64_t size_ns = step_ns < 0 ? -step_ns : step_ns;
    /* The thread may have lost its core between two readings. */
    if (after_ns - before_ns >= DP_WALL_STEP_NS / 2 || size_ns < DP_WALL_STEP_NS)
        return;
    wall->machine_ns = offset_ns;
    wall->step_ns = step_ns;
    wall->step_count++;
}

int64_t dp_wall_now(struct dp_wall *wall)
{
    int64_t monotonic_ns = dp_clock_monotonic_ns();
    if (DP_UNLIKELY(monotonic_ns >= wall->look_ns)) {
        int64_t machine_ns = dp_clock_wall_ns();
        dp_wall_look(wall, monotonic_ns, machine_ns, dp_clock_monotonic_ns());
        wall->look_ns = monotonic_ns + DP_WALL_LOOK_NS;
    }
    return monotonic_ns + wall->offset_ns;
}
