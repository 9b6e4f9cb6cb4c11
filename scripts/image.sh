#!/usr/bin/env bash
# Builds the wheel and an image from it. docs/images.md
#
#     scripts/image.sh [OUT]      OUT: build/image
#
# OVERLAY=DIR and PACKAGES="...": see images/build.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=$PWD/.venv/bin:$PATH scripts/wheel.sh
images/kernel.sh build/kernel
exec images/build.sh "${1:-build/image}" build/kernel dist/*.whl
