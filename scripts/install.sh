#!/usr/bin/env bash
# Installs tickplane into .venv so that it follows the sources: importing it rebuilds what changed.
#
#     scripts/install.sh release|checks
#
# "checks" compiles the costly assertions in and keeps debug information. Each kind has a build
# folder of its own, so going from one to the other and back costs seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:-release}
export PATH="$PWD/.venv/bin:$PATH"

case $kind in
release) options=(-Dbuildtype=release -Dchecks=false) ;;
checks) options=(-Dbuildtype=debugoptimized -Dchecks=true -Dwerror=true) ;;
*)
    echo "install: kind is '$kind'; it must be release or checks" >&2
    exit 1
    ;;
esac

stamp=.venv/installed-tickplane
# What is built depends on the libraries that are there: another one, another set-up.
libraries=""
for library in liburing libxdp libbpf libdpdk lwip; do
    libraries+="$library $(pkg-config --modversion $library 2>/dev/null || echo none) "
done
wanted="$kind $libraries$(cat pyproject.toml meson.options scripts/install.sh | sha256sum)"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || [ ! -f "build/$kind/build.ninja" ]; then
    echo "install: building tickplane ($kind) in build/$kind; the first time takes about a minute"
    rm -f "$stamp"
    mkdir -p build
    pip install -q --disable-pip-version-check --no-build-isolation --no-deps --editable . \
        -Cbuild-dir="build/$kind" "${options[@]/#/-Csetup-args=}"
    echo "$wanted" >"$stamp"
fi
ninja -C "build/$kind" --quiet
