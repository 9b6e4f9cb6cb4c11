#!/usr/bin/env bash
# Makes the lab's first file system: it lays a disk over this machine's own files, which it has by
# 9p and read-only, and starts guest-init there. So there is nothing to install into the guest, and
# whatever it writes is on its disk.
#
#     images/lab/initramfs.sh KERNEL OUT      KERNEL: an unpacked linux-image package
#
# Needs busybox-static, cpio and kmod; no privilege.
set -euo pipefail

kernel=$(realpath "$1")
out=$(realpath -m "$2")
version=$(basename "$kernel"/lib/modules/*)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,proc,sys,dev,modules}
cp /bin/busybox "$root/bin/busybox"
[ -e "$kernel/lib/modules/$version/modules.dep.bin" ] || depmod -b "$kernel" "$version"

# Each module after those that it needs; a number keeps the order.
number=100
modprobe -d "$kernel" -S "$version" --show-depends -a \
    virtio_pci virtio_blk ext4 9p 9pnet_virtio overlay |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
    while read -r module; do
        cp "$module" "$root/modules/$((number++))-$(basename "$module")"
    done

cat >"$root/init" <<'INIT'
#!/bin/busybox sh
bb=/bin/busybox
fail() { echo "initramfs: $*; see the lines before"; $bb poweroff -f; }
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
for module in /modules/*; do
    # Newer kernels compress their modules, and busybox's insmod may not take that.
    $bb insmod $module 2>/dev/null || { $bb xz -dc $module >/m && $bb insmod /m; } ||
        echo "initramfs: $module: not loaded"
done
$bb mkdir -p /files /disk /new
$bb mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro files /files ||
    fail "the machine's files cannot be mounted"
$bb mount -t ext4 /dev/vda /disk || fail "the disk cannot be mounted"
$bb mkdir -p /disk/upper /disk/work
$bb mount -t overlay -o lowerdir=/files,upperdir=/disk/upper,workdir=/disk/work root /new ||
    fail "no overlay"
for place in proc sys dev; do $bb mount --move /$place /new/$place; done
$bb mount -t tmpfs run /new/run
init=$($bb sed -n 's/.*lab\.init=\([^ ]*\).*/\1/p' /new/proc/cmdline)
exec $bb switch_root /new /bin/bash $init
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
