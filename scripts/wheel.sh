#!/usr/bin/env bash
# Builds a wheel into dist/ and tries it in an empty environment, away from the sources.
set -euo pipefail
cd "$(dirname "$0")/.."

# The same sources make the same bytes, whenever and wherever.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct || date +%s)}

rm -rf dist build/wheel-venv
mkdir -p build
pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w dist . \
    -Cbuild-dir=build/wheel
wheel=$(ls "$PWD"/dist/*.whl)

python -m venv build/wheel-venv
build/wheel-venv/bin/pip install -q --disable-pip-version-check "$wheel"
tickplane=$PWD/build/wheel-venv/bin/tickplane
cd /
"$tickplane" --help >/dev/null
echo "wheel: $wheel installs and runs"
