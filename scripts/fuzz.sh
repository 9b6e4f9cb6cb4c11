#!/usr/bin/env bash
# Throws random input at every parser for some seconds each, under address and undefined sanitizers.
#
#     scripts/fuzz.sh SECONDS
#
# The entry called canary has a fault on purpose: fuzzing that does not find it proves nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-5}
dir=build/fuzz
mkdir -p build
if [ ! -f "$dir/build.ninja" ]; then
    CC=clang meson setup "$dir" -Dbuildtype=debugoptimized -Dchecks=true -Dfuzz=true \
        -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args="-fno-sanitize-recover=all -fsanitize=fuzzer-no-link" \
        >"$dir.log" 2>&1 || { cat "$dir.log" >&2; exit 1; }
fi
mapfile -t entries < <(meson introspect "$dir" --targets |
    python3 -c 'import json, sys
for target in json.load(sys.stdin):
    if target["type"] == "executable" and target["name"].startswith("fuzz_"):
        print(target["filename"][0])')
[ ${#entries[@]} -gt 0 ] || { echo "fuzz: no entries in $dir" >&2; exit 1; }
ninja -C "$dir" --quiet "${entries[@]#"$PWD/$dir/"}"

for entry in "${entries[@]}"; do
    name=$(basename "$entry")
    log=$dir/$name.log
    mkdir -p "$dir/corpus/$name"
    status=0
    "$entry" -max_total_time="$seconds" -artifact_prefix="$dir/$name-" "$dir/corpus/$name" \
        >"$log" 2>&1 || status=$?
    if [[ $name == *canary* ]]; then
        [ $status -ne 0 ] || { echo "fuzz: $name: its fault was not found" >&2; exit 1; }
        echo "fuzz: $name: fault found, as it must be"
    elif [ $status -ne 0 ]; then
        tail -60 "$log" >&2
        exit 1
    else
        echo "fuzz: $name: $(grep -E '^Done' "$log" || tail -1 "$log")"
    fi
done
