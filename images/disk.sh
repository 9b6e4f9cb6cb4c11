#!/usr/bin/env bash
# Puts an image together as a whole disk, without root and without loop devices: each partition is
# a file that is copied to its place.
#
#     images/disk.sh OUT      OUT/slot holds vmlinuz, initrd, root.squashfs; makes OUT/disk.img
set -euo pipefail
cd "$1"

# MiB. A slot takes an image of twice today's size; the data partition grows to the end of the disk.
ESP=256 SLOT=512 DATA=128
LOADER=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
# Of the Discoverable Partitions Specification: EFI system, root of x86-64, generic Linux data.
TYPE_ESP=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
TYPE_ROOT=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
TYPE_LINUX=0FC63DAF-8483-4772-8E79-3D69D8477DE4
# Any fixed numbers: the same image has the same bytes.
DISK_ID=7a1c6f0e-53a9-4f0c-9a51-0d1e2f3a4b00
part_id() { echo "${DISK_ID%??}0$1"; }
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
export MTOOLS_SKIP_CHECK=1

fail() {
    printf 'image: %s\n' "$*" >&2
    exit 1
}

[ "$(stat -c %s slot/root.squashfs)" -le $((SLOT << 20)) ] ||
    fail "root.squashfs: does not fit a slot of $SLOT MiB; fewer PACKAGES"

esp() {
    local folder
    folder=$(mktemp -d)
    mkdir -p "$folder"/EFI/BOOT "$folder"/a "$folder"/b "$folder"/loader/entries
    cp $LOADER "$folder/EFI/BOOT/BOOTX64.EFI"
    cp slot/vmlinuz slot/initrd "$folder/a/"
    printf 'timeout 3\ndefault tickplane-*\neditor no\n' >"$folder/loader/loader.conf"
    cat >"$folder/loader/entries/tickplane-a.conf" <<'ENTRY'
title      tickplane, slot a
sort-key   tickplane
version    1
linux      /a/vmlinuz
initrd     /a/initrd
options    tickplane.slot=a console=tty0 console=ttyS0 quiet
ENTRY
    find "$folder" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    truncate -s ${ESP}M esp
    mkfs.vfat -F 32 -n TICKPLANE -i 7a1c6f0e --invariant esp >/dev/null
    (cd "$folder" && mcopy -s -m -i "$OLDPWD/esp" EFI a b loader ::/)
    rm -rf "$folder"
}

data() {
    truncate -s ${DATA}M data
    mke2fs -q -t ext4 -L tickplane-data -U "$(part_id 5)" \
        -E "hash_seed=$(part_id 6),lazy_itable_init=0" data
}

rm -f disk.img
truncate -s $((1 + ESP + 2 * SLOT + DATA + 1))M disk.img
esp
data
{
    printf 'label: gpt\nlabel-id: %s\nfirst-lba: 2048\n' $DISK_ID
    echo "size=${ESP}MiB, type=$TYPE_ESP, uuid=$(part_id 1), name=tickplane-esp"
    echo "size=${SLOT}MiB, type=$TYPE_ROOT, uuid=$(part_id 2), name=tickplane-a"
    echo "size=${SLOT}MiB, type=$TYPE_ROOT, uuid=$(part_id 3), name=tickplane-b"
    echo "size=${DATA}MiB, type=$TYPE_LINUX, uuid=$(part_id 4), name=tickplane-data"
} | sfdisk -q disk.img
dd if=esp of=disk.img bs=1M seek=1 conv=notrunc,sparse status=none
dd if=slot/root.squashfs of=disk.img bs=1M seek=$((1 + ESP)) conv=notrunc status=none
dd if=data of=disk.img bs=1M seek=$((1 + ESP + 2 * SLOT)) conv=notrunc,sparse status=none
rm esp data
