#!/usr/bin/env bash
# Fetches Debian's newest kernel of this release and unpacks it; nothing is installed.
#
#     images/kernel.sh FOLDER      FOLDER/package says which it is
set -euo pipefail
mkdir -p "$1"
cd "$1"
PATH=$PATH:/usr/sbin:/sbin

fail() {
    printf 'kernel: %s\n' "$*" >&2
    exit 2
}

package=$({ apt-cache depends linux-image-amd64 2>/dev/null || true; } |
    awk '/Depends: linux-image/ && !seen++ { print $2 }')
# One that was fetched before will do where apt has no lists now.
[ -n "$package" ] || [ ! -e package ] || exit 0
[ -n "$package" ] ||
    fail "linux-image-amd64: unknown to apt; this needs Debian, after apt-get update"
wanted="$package $(apt-cache show "$package" | awk '/^Version:/ && !seen++ { print $2 }')"
[ "$(cat package 2>/dev/null)" != "$wanted" ] || exit 0
echo "kernel: fetching $wanted"
rm -rf ./*
apt-get -qq download "$package" 2>/dev/null ||
    fail "$package: apt-get download did not work; run apt-get update"
dpkg -x ./*.deb .
rm ./*.deb
depmod -b . "$(basename lib/modules/*)"
echo "$wanted" >package
