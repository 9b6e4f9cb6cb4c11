#!/usr/bin/env bash
# The lab: an emulated server (two memory nodes, IOMMU, cards with queues) under QEMU without KVM.
# It has Debian's kernel and, read-only, this machine's own files; what it writes is on a disk of
# its own. docs/lab.md
#
#     scripts/lab.sh                the whole: boot, apply, reboot, verify, break, trade; a summary
#     scripts/lab.sh smoke          boot once, apply the profile, undo it: half a minute
#     scripts/lab.sh run SCRIPT     boot, run SCRIPT there as root, and end with its exit status
#
# For run: LAB_WORDS="isolcpus=1,3 ..." are more words for the kernel, LAB_DEVICES="-device edu"
# more devices, LAB_SECONDS=300 is when the guest is switched off. LAB_FOLDER=build/lab holds all:
# one for each lab that runs at a time. SCRIPT finds the repository where it is here, its .venv
# first in PATH, and shares the folder $LAB_SHARE (here: build/lab/share).
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
. images/apt.sh

lab=images/lab
folder=${LAB_FOLDER:-build/lab}

say() { printf 'lab: %s\n' "$*"; }
fail() {
    printf 'lab: %s\n' "$*" >&2
    exit 2
}

# What a boot from FOLDER needs; an empty disk, so that nothing is left of the guest before.
prepare() {
    images/kernel.sh build/kernel
    mkdir -p "$1/share"
    $lab/initramfs.sh build/kernel "$1/initramfs"
    rm -f "$1/disk"
    truncate -s 1G "$1/disk"
    mke2fs -q -t ext4 "$1/disk"
}

# What the guest runs that is no part of this machine: unpacked, like the kernel.
tools() {
    [ ! -e $folder/tools/usr/sbin/chronyd ] || return 0
    say "fetching chrony"
    rm -rf $folder/tools
    unpack $folder/tools chrony libedit2 || fail "chrony: cannot be fetched from the archive"
}

# tickplane as it is delivered: the wheel, in an environment of its own.
wheel() {
    local now sources="dataplane control appliance hw_profiles meson.build pyproject.toml"
    # shellcheck disable=SC2086  # a list of words
    now=$(git ls-files -s $sources | sha256sum)$(git diff $sources | sha256sum)
    [ "$(cat $folder/venv/made-from 2>/dev/null)" != "$now" ] || return 0
    say "building the wheel"
    PATH=$PWD/.venv/bin:$PATH scripts/wheel.sh
    rm -rf $folder/venv
    mv build/wheel-venv $folder/venv
    echo "$now" >$folder/venv/made-from
}

# In a network namespace of its own, where cables can be laid; without root, as its own root.
alone() {
    local user=()
    [ "$(id -u)" = 0 ] || user=(--map-root-user)
    unshare --net "${user[@]}" --kill-child --fork -- "$@"
}

ended_early() {
    printf '{"name": "%s", "holds": false, "figure": "it ended early"}\n' "$1" \
        >>$folder/share/results
}

# The server, two of them on a cable, then the image on one; all leave their results in
# share/results.
whole() {
    tools
    wheel
    rm -rf $folder/share $folder/peer
    prepare $folder
    prepare $folder/peer
    export PYTHONPATH=$lab LAB_FOLDER=$folder
    {
        alone $folder/venv/bin/python -P $lab/server.py || ended_early server
        alone $folder/venv/bin/python -P $lab/pair.py || ended_early pair
        image || ended_early image
        $folder/venv/bin/python -P $lab/results.py
    } 2>&1 | tee $folder/log
}

# Built anew only when something that goes into it is newer.
image() {
    local sums=build/image/SHA256SUMS
    if [ ! -e $sums ] || [ -n "$(find images dist -path images/lab -prune -o -newer $sums \
        -type f -print)" ]; then
        images/build.sh build/image build/kernel dist/*.whl || return
    fi
    $folder/venv/bin/python -P $lab/image.py
}

case ${1:-} in
"") whole ;;
smoke)
    prepare $folder
    exec $lab/boot.sh $folder $lab/smoke.sh intel_iommu=on iommu=pt
    ;;
run)
    [ -f "${2:-}" ] || fail "${2:-no script}: is not a file; say scripts/lab.sh run SCRIPT"
    prepare $folder
    # shellcheck disable=SC2086  # a list of words
    exec $lab/boot.sh $folder "$2" intel_iommu=on iommu=pt ${LAB_WORDS:-}
    ;;
*) fail "$1: is not a part of the lab; smoke, run SCRIPT, or nothing for all" ;;
esac
