#!/usr/bin/env bash
# Boots the lab's server once and runs a script in it; the exit status is the script's.
#
#     images/lab/boot.sh FOLDER SCRIPT [KERNEL WORDS ...]
#
# FOLDER holds initramfs and disk (scripts/lab.sh makes them), and share/, which the guest
# has at $LAB_SHARE. LAB_DEVICES: more arguments for QEMU. LAB_SECONDS: when it is
# switched off. LAB_PYTHON: whose folder is first in PATH. LAB_IMAGE: a disk to start from, by UEFI,
# with $folder/vars as its variables; LAB_PXE: a folder with vmlinuz and initrd to start from, with
# LAB_PXE_WORDS. SCRIPT is then the disk's own affair.
#
# The server: two sockets with two cores and a memory node each, a translating IOMMU, on each node
# a PCI Express root with an Intel card (e1000e) and a virtio card of four queues. Of the first
# node the Intel card's cable is the tap `feed` and the virtio card's is `orders`, when these
# interfaces are there; all other cables end in the air.
set -euo pipefail
shopt -s nullglob

folder=$(realpath "$1")
script=$(realpath "$2")
shift 2
here=$(dirname "$(realpath "$0")")
root=$(realpath "$here/../..")
kernel=$root/build/kernel
memory=${LAB_MEMORY_MIB:-3072}
half=$((memory / 2))M

qemu=(
    qemu-system-x86_64 -nographic -nodefaults -no-reboot -no-user-config -serial stdio
    -M "q35,kernel-irqchip=split" -accel "tcg,thread=multi" -cpu max -m "${memory}M"
    -smp "4,sockets=2,cores=2,threads=1"
    -object "memory-backend-ram,id=near,size=$half" -object "memory-backend-ram,id=far,size=$half"
    -numa "node,nodeid=0,cpus=0-1,memdev=near" -numa "node,nodeid=1,cpus=2-3,memdev=far"
    -numa "dist,src=0,dst=1,val=21"
    -device "intel-iommu,intremap=on,device-iotlb=on"
    -device "pxb-pcie,id=root0,bus_nr=64,numa_node=0,bus=pcie.0"
    -device "pxb-pcie,id=root1,bus_nr=128,numa_node=1,bus=pcie.0"
)

# cable NAME: the words that connect a card to a tap, or to nothing.
cable() {
    if ip link show dev "$1" >/dev/null 2>&1; then # not /sys: it may show another namespace
        echo "tap,id=$1,ifname=$1,script=no,downscript=no"
    else
        echo "hubport,id=$1,hubid=0"
    fi
}

# card NODE SLOT NAME MAC DEVICE...: a card in a slot of its own.
card() {
    local node=$1 slot=$2 name=$3 mac=$4 device=$5
    local cable queues=""
    cable=$(cable "$name")
    [[ $device != virtio* || $cable != tap* ]] || queues=",queues=4"
    qemu+=(
        -device "pcie-root-port,id=port$node$slot,bus=root$node,chassis=$((node + 1)),slot=$slot"
        -netdev "$cable$queues"
        -device "$device,netdev=$name,mac=$mac,bus=port$node$slot,romfile="
    )
}

virtio="virtio-net-pci,mq=on,vectors=10,rss=on,hash=on,iommu_platform=on,ats=on,disable-legacy=on"
card 0 0 feed 52:54:00:4c:41:01 e1000e
card 0 1 orders 52:54:00:4c:41:02 "$virtio"
card 1 0 feed1 52:54:00:4c:41:03 e1000e
card 1 1 orders1 52:54:00:4c:41:04 "$virtio"

# no_timer_check: a busy machine gives the guest's timer too little time to prove itself.
words=(
    console=ttyS0 quiet panic=-1 no_timer_check "lab.modules=$kernel/lib/modules"
    "lab.init=$here/guest-init" "lab.folder=$root" "lab.script=$script"
    "lab.python=$(dirname "${LAB_PYTHON:-$root/.venv/bin/python}")" "$@"
)
qemu+=(
    -drive "file=${LAB_IMAGE:-$folder/disk},format=raw,if=none,id=disk"
    -device "virtio-blk-pci,drive=disk,bus=pcie.0"
    -fsdev "local,id=share,path=$folder/share,security_model=none"
    -device "virtio-9p-pci,fsdev=share,mount_tag=share,bus=pcie.0"
)
if [ -n "${LAB_PXE:-}" ]; then
    qemu+=(-kernel "$LAB_PXE/vmlinuz" -initrd "$LAB_PXE/initrd" -append "$LAB_PXE_WORDS")
elif [ -n "${LAB_IMAGE:-}" ]; then
    qemu+=(
        -drive "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"
        -drive "if=pflash,unit=1,format=raw,file=$folder/vars"
    )
else
    qemu+=(
        -fsdev "local,id=files,path=/,security_model=none,readonly=on,multidevs=remap"
        -device "virtio-9p-pci,fsdev=files,mount_tag=files,bus=pcie.0"
        -kernel "$kernel"/boot/vmlinuz-* -initrd "$folder/initramfs" -append "${words[*]}"
    )
fi

rm -f "$folder/share/status"
# shellcheck disable=SC2086  # a list of words
timeout --foreground "${LAB_SECONDS:-300}" "${qemu[@]}" ${LAB_DEVICES:-} </dev/null || true
if [ ! -e "$folder/share/status" ]; then
    echo "lab: the guest did not come to its end within ${LAB_SECONDS:-300} s" >&2
    exit 124
fi
exit "$(cat "$folder/share/status")"
