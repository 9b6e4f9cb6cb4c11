#!/usr/bin/env bash
# Boots the lab's server once and runs a script in it; the exit status is the script's.
#
#     images/lab/boot.sh FOLDER SCRIPT [KERNEL WORDS ...]
#
# FOLDER holds kernel/, initramfs and disk (scripts/lab.sh makes them), and share/, which the guest
# has at $LAB_SHARE. LAB_DEVICES: more arguments for QEMU. LAB_SECONDS: when it is switched off.
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
    if [ -e "/sys/class/net/$1" ]; then
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

words=(
    console=ttyS0 quiet panic=-1 "lab.modules=$folder/kernel/lib/modules"
    "lab.init=$here/guest-init" "lab.folder=$(realpath "$here/../..")" "lab.script=$script" "$@"
)
qemu+=(
    -drive "file=$folder/disk,format=raw,if=none,id=disk"
    -device "virtio-blk-pci,drive=disk,bus=pcie.0"
    -fsdev "local,id=files,path=/,security_model=none,readonly=on,multidevs=remap"
    -device "virtio-9p-pci,fsdev=files,mount_tag=files,bus=pcie.0"
    -fsdev "local,id=share,path=$folder/share,security_model=none"
    -device "virtio-9p-pci,fsdev=share,mount_tag=share,bus=pcie.0"
    -kernel "$folder"/kernel/boot/vmlinuz-* -initrd "$folder/initramfs" -append "${words[*]}"
)

rm -f "$folder/share/status"
# shellcheck disable=SC2086  # a list of words
timeout "${LAB_SECONDS:-300}" nice "${qemu[@]}" ${LAB_DEVICES:-} </dev/null || true
if [ ! -e "$folder/share/status" ]; then
    echo "lab: the guest did not come to its end within ${LAB_SECONDS:-300} s" >&2
    exit 124
fi
exit "$(cat "$folder/share/status")"
