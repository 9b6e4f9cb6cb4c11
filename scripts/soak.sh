#!/usr/bin/env bash
# The long form of each area's stress. Not part of `make test`, which runs a slice of each.
#
#     SOAK_SECONDS=300 SEED=1 scripts/soak.sh [AREA...]
#
# An area is a function soak_AREA below; it takes about SOAK_SECONDS, prints the seed that repeats
# what it did, and fails when something failed.
set -euo pipefail
cd "$(dirname "$0")/.."

export SOAK_SECONDS=${SOAK_SECONDS:-300}
export SEED=${SEED:-$(date +%s)}
dir=build/soak

# For the areas that are Python: tickplane in .venv.
install_python() {
    scripts/setup.sh test
    scripts/install.sh release
    export PATH="$PWD/.venv/bin:$PATH"
}

# A writer killed and stopped at every instruction, then rounds of threads and of processes.
soak_skiplist() {
    local end=$((SECONDS + SOAK_SECONDS)) seed=$SEED
    "$dir/tests/core_test_skiplist_death" all >build/soak-skiplist.log || return 1
    while [ $SECONDS -lt $end ]; do
        "$dir/tests/core_test_skiplist_stress" "$seed" >build/soak-skiplist.log || {
            echo "soak: skiplist: $dir/tests/core_test_skiplist_stress $seed" >&2
            return 1
        }
        seed=$((seed + 1))
    done
}

# A writer that dies at instructions of a roll, other ones with each seed; an engine killed a
# thousand times, and ten thousand power cuts, each beside a counterparty; not by the clock: about
# half an hour on two cores. The seeds are those of the parameters.
soak_journal() {
    local seed
    for ((seed = SEED; seed < SEED + 20; seed++)); do
        "$dir/tests/sys_test_wal_death" "$seed" >build/soak-journal.log || {
            echo "soak: journal: $dir/tests/sys_test_wal_death $seed" >&2
            return 1
        }
    done
    install_python
    TICKPLANE_KILLS=${TICKPLANE_KILLS:-1000} TICKPLANE_CUTS=${TICKPLANE_CUTS:-10000} \
        TICKPLANE_SEAL_KILLS=${TICKPLANE_SEAL_KILLS:-200} pytest -q \
        tests/python/test_kills.py tests/python/test_power_loss.py \
        tests/python/test_sealing_faults.py
}

# The model checker beyond its bounds: random schedules of all cases, in rounds of 100,000 each.
soak_prove() {
    local end=$((SECONDS + SOAK_SECONDS)) seed=$SEED program
    while [ $SECONDS -lt $end ]; do
        for program in "$dir"/tests/prove/prove_*; do
            [ -f "$program" ] && [ "${program##*_}" != litmus ] || continue
            "$program" --random 100000 --seed "$seed" >/dev/null || {
                echo "soak: prove: $program --random 100000 --seed $seed" >&2
                return 1
            }
        done
        seed=$((seed + 100000))
    done
}

# Random clients of an exchange on sockets, about 1,500 a second: memory and descriptors compared.
soak_venue() {
    install_python
    VENUE_SESSIONS=$((SOAK_SECONDS * 1000)) pytest -q tests/python/test_venue_sockets.py \
        -k random_sessions >build/soak-venue.log || { tail -20 build/soak-venue.log >&2; return 1; }
}

# A live run of 100,000 orders over each kind of port, and both records compared; not by the clock:
# about a minute and a half each on two cores. As root, or uring alone.
soak_wire() {
    install_python
    TICKPLANE_WIRE_ORDERS=${TICKPLANE_WIRE_ORDERS:-100000} pytest -q tests/python/test_demo.py \
        -k as_fast_as_they_are_answered
}

# A live run on a bad day: rounds of all faults that it outlives, and afterwards the memory and
# files that it had after the first round; then every other fault, and a reset at every packet.
soak_live() {
    install_python
    TICKPLANE_FAULT_SECONDS=$SOAK_SECONDS SEED=$((SEED % 1000000000)) pytest -q \
        tests/python/test_live_faults.py tests/python/test_live_venue_faults.py \
        >build/soak-live.log || {
        tail -40 build/soak-live.log >&2
        return 1
    }
}

# Full load over each kind of port, as root, or TICKPLANE_LEAK_PORTS=uring: ten minutes each
# (TICKPLANE_LEAK_SECONDS=600), in which memory, descriptors and packet buffers must not grow.
soak_leak() {
    install_python
    TICKPLANE_LEAK_SECONDS=${TICKPLANE_LEAK_SECONDS:-600} \
        TICKPLANE_LEAK_PORTS=${TICKPLANE_LEAK_PORTS:-uring xdp dpdk} \
        pytest -q -s tests/python/test_leak.py
}

# Submitters of one account, killed at any instruction and recovered from what they logged.
soak_risk() {
    "$dir/tests/core_test_risk_lanes" "$SEED" "$SOAK_SECONDS" || {
        echo "soak: risk: $dir/tests/core_test_risk_lanes $SEED $SOAK_SECONDS" >&2
        return 1
    }
}

# Rounds of about a second, each with the next seed.
soak_queue() {
    local end=$((SECONDS + SOAK_SECONDS)) seed=$SEED
    while [ $SECONDS -lt $end ]; do
        "$dir/tests/core_test_queue_stress" "$seed" >build/soak-queue.log || {
            echo "soak: queue: $dir/tests/core_test_queue_stress $seed" >&2
            return 1
        }
        seed=$((seed + 1))
    done
}

# Fifty million operations on books against the model, however long they take: about two minutes.
soak_book() {
    local first=$((SEED % 1000000000))
    "$dir/tests/engine_test_book_fuzz" 50000000 "$first" >build/soak-book.log || {
        echo "soak: book: $(grep seed build/soak-book.log)" >&2
        return 1
    }
    grep seeds build/soak-book.log
}

# Submitters at their desks, killed at each instruction of a post, then at random in rounds.
soak_desk() {
    local end=$((SECONDS + SOAK_SECONDS)) seed=$SEED
    "$dir/tests/core_test_desk" all >build/soak-desk.log || return 1
    while [ $SECONDS -lt $end ]; do
        "$dir/tests/core_test_desk" "$seed" >build/soak-desk.log || {
            echo "soak: desk: $dir/tests/core_test_desk $seed" >&2
            return 1
        }
        seed=$((seed + 1))
    done
}

# The matching engine and its model: twenty million commands, however long they take. A core does
# about 17,000 a second. SOAK_COMMANDS for fewer.
soak_match() {
    install_python
    python tests/model/match_fuzz.py \
        --commands "${SOAK_COMMANDS:-20000000}" --seed "$((SEED % 1000000000))" --jobs "$(nproc)"
}

# Walks of the order table against its model, threads on one table, and numbers over real deaths.
soak_order() {
    local end=$((SECONDS + SOAK_SECONDS)) seed=$SEED program
    while [ $SECONDS -lt $end ]; do
        for program in core_test_order core_test_order_threads sys_test_id_file; do
            "$dir/tests/$program" "$seed" >build/soak-order.log || {
                echo "soak: order: $dir/tests/$program $seed" >&2
                return 1
            }
        done
        seed=$((seed + 200))
    done
}

# Records that go through a queue among processes that are killed, rounds of a second.
soak_pool() {
    local end=$((SECONDS + SOAK_SECONDS)) seed=$SEED
    while [ $SECONDS -lt $end ]; do
        "$dir/tests/core_test_pool_shared" "$seed" >build/soak-pool.log || {
            echo "soak: pool: $dir/tests/core_test_pool_shared $seed" >&2
            return 1
        }
        seed=$((seed + 1))
    done
}

mapfile -t known < <(declare -F | sed -n 's/^declare -f soak_//p')
areas=("$@")
[ $# -gt 0 ] || areas=("${known[@]}")
for area in "${areas[@]}"; do
    declare -F "soak_$area" >/dev/null || {
        echo "soak: area: '$area'; give some of: ${known[*]}" >&2
        exit 1
    }
done

mkdir -p build
if [ ! -f "$dir/build.ninja" ]; then
    meson setup "$dir" -Dbuildtype=release >"$dir.log" 2>&1 || { cat "$dir.log" >&2; exit 1; }
fi
ninja -C "$dir" --quiet

status=0
for area in "${areas[@]}"; do
    echo "soak: $area, $SOAK_SECONDS s, seed $SEED"
    "soak_$area" || { echo "soak: $area: FAILED, seed $SEED" >&2; status=1; }
done
exit $status
