#!/usr/bin/env bash
# Model checking of the lock-free modules at full bounds, see docs/proofs.md. `make test` runs the
# quick part of it.
#
#     scripts/prove.sh [PROGRAM...]     of tests/prove, without prove_; all by default
set -euo pipefail
cd "$(dirname "$0")/.."

dir=build/prove
mkdir -p build
if [ ! -f "$dir/build.ninja" ]; then
    meson setup "$dir" -Dbuildtype=debugoptimized -Dchecks=true >"$dir.log" 2>&1 ||
        { cat "$dir.log" >&2; exit 1; }
fi
ninja -C "$dir" --quiet

if [ $# = 0 ]; then
    programs=("$dir"/tests/prove/prove_*[!.p])
else
    programs=("${@/#/$dir/tests/prove/prove_}")
fi

# What each program says goes to a log as well, to be counted at the end.
log=build/prove.log
: >"$log"
run() { "$@" 2>&1 | tee -a "$log"; }

status=0
for program in "${programs[@]}"; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    echo "prove: ${program##*/prove_}"
    run "$program" || status=1
done
only=()
[ $# = 0 ] || only=(--only "$1")
echo "prove: mutants"
run .venv/bin/python tests/prove/mutants.py "${only[@]}" "$dir" tests/prove/libprove.a || status=1
[ $# != 0 ] || {
    echo "prove: models for spin"
    run tests/spin/run.sh build/spin || status=1
}
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAIL' "$log" || true)
echo "prove: $passed ok, $failed failed, $((SECONDS / 60)) min"
exit $status
