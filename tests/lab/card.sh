#!/usr/bin/env bash
# Proves the card backend `pci` on devices that QEMU emulates, in the lab:
#
#     LAB_DEVICES="$(tests/lab/card.sh devices)" scripts/lab.sh run tests/lab/card.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${1:-}" = devices ]; then
    echo "-device edu,bus=pcie.0 -object memory-backend-ram,id=registers,size=1M" \
        "-device ivshmem-plain,memdev=registers,bus=pcie.0"
    exit
fi

# The PCI address of the device with these numbers.
find_device() {
    local folder
    for folder in /sys/bus/pci/devices/*; do
        if [ "$(cat "$folder/vendor") $(cat "$folder/device")" = "$1 $2" ]; then
            basename "$folder"
            return
        fi
    done
    echo "card: no device $1 $2: give LAB_DEVICES" >&2
    return 1
}

bind() {
    echo vfio-pci >"/sys/bus/pci/devices/$1/driver_override"
    echo "$1" >/sys/bus/pci/drivers_probe
    [ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = vfio-pci ]
}

modprobe vfio-pci
TICKPLANE_EDU=$(find_device 0x1234 0x11e8)
TICKPLANE_IVSHMEM=$(find_device 0x1af4 0x1110)
export TICKPLANE_EDU TICKPLANE_IVSHMEM
bind "$TICKPLANE_EDU"
bind "$TICKPLANE_IVSHMEM"
# shellcheck disable=SC2012  # names without surprises
"$(ls -t build/*/tests/hooks_test_card_edu | head -n 1)"
