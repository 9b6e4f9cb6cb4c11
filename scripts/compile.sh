#!/usr/bin/env bash
# Compiles everything, Cython and tests included, with one compiler; a warning is an error.
#
#     scripts/compile.sh gcc|clang
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=$1
dir=build/lint-$compiler
mkdir -p build
if [ ! -f "$dir/build.ninja" ]; then
    CC=$compiler meson setup "$dir" -Dbuildtype=release >"$dir.log" 2>&1 ||
        { cat "$dir.log" >&2; exit 1; }
fi
echo "compile: $compiler"
ninja -C "$dir" --quiet
