#!/usr/bin/env bash
# Fetches Debian's newest kernel of this release and unpacks it; nothing is installed.
#
#     images/kernel.sh FOLDER      FOLDER/package says which it is
set -euo pipefail
folder=$(realpath -m "$1")
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=images/apt.sh
. "$(dirname "$0")/apt.sh"

fail() {
    printf 'kernel: %s\n' "$*" >&2
    exit 2
}

newest() {
    package=$(apt-cache depends linux-image-amd64 |
        awk '/Depends: linux-image/ && !seen++ { print $2 }')
    wanted="$package $(apt-cache show "$package" | awk '/^Version:/ && !seen++ { print $2 }')"
}

if ! know linux-image-amd64; then
    # One that was fetched before will do where apt knows none now.
    [ ! -e "$folder/package" ] || exit 0
    fail "linux-image-amd64: unknown to apt; this needs Debian and its archive"
fi
newest
[ "$(cat "$folder/package" 2>/dev/null)" != "$wanted" ] || exit 0
echo "kernel: fetching $wanted"
rm -rf "$folder"
# The lists that named it may have been old, and are not now.
unpack "$folder" "$package" || { newest && unpack "$folder" "$package"; } ||
    fail "$package: cannot be fetched from the archive"
newest
depmod -b "$folder" "$(basename "$folder"/lib/modules/*)"
echo "$wanted" >"$folder/package"
