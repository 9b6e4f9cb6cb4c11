#!/usr/bin/env bash
# Makes the initramfs of an image: busybox, init, and the kernel's drivers of disks.
#
#     images/boot/initramfs.sh KERNEL OUT      KERNEL: an unpacked linux-image package
#
# The same input gives the same bytes: times are those of SOURCE_DATE_EPOCH, names are sorted.
set -euo pipefail

kernel=$(realpath "$1")
out=$(realpath -m "$2")
here=$(dirname "$(realpath "$0")")
version=$(basename "$kernel"/lib/modules/*)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

drivers=(
    squashfs ext4 overlay loop crc32c_generic crc32c_intel
    nvme ahci ata_piix sd_mod megaraid_sas mpt3sas smartpqi hpsa aacraid
    virtio_pci virtio_blk virtio_scsi xhci_pci ehci_pci uas usb_storage
)
mkdir -p "$root/bin" "$root/sbin" "$root/lib/modules/$version"
install -m 755 /bin/busybox "$root/bin/busybox"
install -m 755 "$here/init" "$root/init"
ln -s ../bin/busybox "$root/sbin/modprobe" # the kernel asks for some by itself
cp "$kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} \
    "$root/lib/modules/$version"
for driver in "${drivers[@]}"; do
    # One that this kernel has not, or has built in, is no module to take along.
    modprobe -d "$kernel" -S "$version" --show-depends "$driver" 2>/dev/null || true
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
    install -D -m 644 "$module" "$root/${module#"$kernel/"}"
done
find "$root" -name '*.ko.xz' -exec unxz {} +
depmod -b "$root" "$version"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --reproducible -o -H newc -R 0:0 --quiet) |
    zstd -q -19 -T1 >"$out"
