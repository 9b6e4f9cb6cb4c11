#!/usr/bin/env bash
# The lab: an emulated server (two memory nodes, IOMMU, cards with queues) under QEMU without KVM.
# It has Debian's kernel and, read-only, this machine's own files; what it writes is on a disk of
# its own. docs/lab.md
#
#     scripts/lab.sh run SCRIPT     boot, run SCRIPT there as root, and end with its exit status
#
# For run: LAB_WORDS="isolcpus=1,3 ..." are more words for the kernel, LAB_DEVICES="-device edu"
# more devices, LAB_SECONDS=300 is when the guest is switched off. SCRIPT finds the repository where
# it is here, its .venv first in PATH, and shares the folder $LAB_SHARE (here: build/lab/share).
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

lab=images/lab
folder=build/lab

say() { printf 'lab: %s\n' "$*"; }
fail() {
    printf 'lab: %s\n' "$*" >&2
    exit 2
}

# The kernel that Debian has today, unpacked and never installed.
kernel() {
    local package
    package=$(apt-cache depends linux-image-amd64 2>/dev/null |
        awk '/Depends: linux-image/ { print $2; exit }')
    [ -n "$package" ] ||
        fail "linux-image-amd64: unknown to apt; the lab needs Debian, after apt-get update"
    [ "$(cat $folder/kernel/package 2>/dev/null)" != "$package" ] || return 0
    say "fetching $package"
    rm -rf $folder/kernel $folder/initramfs
    mkdir -p $folder/kernel/deb
    (cd $folder/kernel/deb && apt-get -qq download "$package" 2>/dev/null) ||
        fail "$package: apt-get download did not work; run apt-get update"
    dpkg -x $folder/kernel/deb/*.deb $folder/kernel
    rm -r $folder/kernel/deb
    echo "$package" >$folder/kernel/package
}

# What a boot needs; an empty disk, so that nothing is left of the guest before.
prepare() {
    kernel
    mkdir -p $folder/share
    if [ ! -e $folder/initramfs ] || [ $lab/initramfs.sh -nt $folder/initramfs ]; then
        $lab/initramfs.sh $folder/kernel $folder/initramfs
    fi
    rm -f $folder/disk
    truncate -s 1G $folder/disk
    mke2fs -q -t ext4 $folder/disk
}

case ${1:-} in
run)
    [ -f "${2:-}" ] || fail "${2:-no script}: is not a file; say scripts/lab.sh run SCRIPT"
    prepare
    # shellcheck disable=SC2086  # a list of words
    exec $lab/boot.sh $folder "$2" intel_iommu=on iommu=pt ${LAB_WORDS:-}
    ;;
*) fail "${1:-nothing}: what to do is run SCRIPT" ;;
esac
