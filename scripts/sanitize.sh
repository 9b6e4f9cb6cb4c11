#!/usr/bin/env bash
# Runs the C tests under a sanitizer, with the costly assertions compiled in.
#
#     scripts/sanitize.sh gcc|clang address,undefined|thread
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=$1
sanitizer=$2
dir=build/sanitize-$compiler-${sanitizer//,/-}

mkdir -p build
if [ ! -f "$dir/build.ninja" ]; then
    CC=$compiler meson setup "$dir" -Dbuildtype=debugoptimized -Dchecks=true \
        -Db_sanitize="$sanitizer" -Db_lundef=false -Dc_args=-fno-sanitize-recover=all \
        >"$dir.log" 2>&1 || { cat "$dir.log" >&2; exit 1; }
fi

# The thread sanitizer of these compilers cannot start where the kernel spreads addresses widely.
fixed_addresses=()
if [ "$sanitizer" = thread ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed_addresses=(setarch "$(uname -m)" -R)
fi

echo "sanitize: $compiler $sanitizer"
export UBSAN_OPTIONS=print_stacktrace=1
"${fixed_addresses[@]}" meson test -C "$dir" --print-errorlogs --timeout-multiplier 10
