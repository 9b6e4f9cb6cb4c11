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
status=0
for program in "${programs[@]}"; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    echo "prove: ${program##*/prove_}"
    "$program" || status=1
done
only=()
[ $# = 0 ] || only=(--only "$1")
echo "prove: mutants"
.venv/bin/python tests/prove/mutants.py "${only[@]}" "$dir" tests/prove/libprove.a || status=1
[ $# != 0 ] || {
    echo "prove: models for spin"
    tests/spin/run.sh build/spin || status=1
}
exit $status
