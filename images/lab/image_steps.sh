#!/bin/bash
# What the lab does in an image, a step a boot: image_steps.sh STEP. Says what held, a line each,
# and ends with 1 when something did not. Runs in the image, where nothing of the machine outside
# is but the folder /run/lab.
set -uo pipefail
failed=0

check() { # NAME STATUS FIGURE
    local holds=true figure=${3//$'\n'/; }
    figure=${figure//\\/\\\\}
    figure=${figure//\"/\\\"}
    [ "$2" = 0 ] || { holds=false && failed=1; }
    printf '{"name": "image: %s", "holds": %s, "figure": "%s"}\n' "$1" $holds "$figure" |
        tee -a /run/lab/results
}

is() { [ "$1" = "$2" ]; echo $?; } # FOUND WANTED

# Waits until a unit has come to its end, well or not.
settled() {
    local state
    while state=$(systemctl is-active "$1"); [ "$state" = activating ]; do sleep 1; done
    echo "$state"
}

started() { # SLOT
    local root
    # What runs this came in place of it; back when all of its units have come to an end.
    systemctl start multi-user.target
    root=$(findmnt -no FSTYPE,OPTIONS / | cut -d, -f1 | tr -s ' ')
    check "slot $1 runs, its root is read-only" "$(is "$root" "squashfs ro")" "$root"
    touch /usr/lab 2>/dev/null
    check "nothing can be written to /usr" "$(is $? 1)" ""
    root=$(findmnt -no SOURCE,FSTYPE /data | tr -s ' ')
    check "the data disk is there" "$(is "${root##* }" ext4)" "$root"
}

# The first start: the profile is chosen and applied, its words are missing, nothing trades.
first() {
    local match state
    started a
    match=$(tickplane profile match | head -n 1)
    check "the profile is chosen by match" "$([[ $match == "yes lab "* ]]; echo $?)" "$match"
    state=$(settled tickplane-machine)
    check "a machine without its words does not trade" "$(is "$state" failed)" \
        "tickplane-machine is $state, tickplane is $(systemctl is-active tickplane)"
    tickplane verify >/run/lab/image-first.txt
    check "verify says so" "$(is $? 1)" "$(tail -n 1 /run/lab/image-first.txt)"
    match=$(df --output=size -m /data | tail -n 1 | tr -d ' ')
    check "the data partition fills its disk" "$([ "$match" -gt 1000 ]; echo $?)" "$match MiB"
    tickplane-slot words
    check "the boot entry has the words" "$(grep -q isolcpus= /boot/loader/entries/*; echo $?)" ""
    date >/var/lib/tickplane/kept
}

# With its words: as promised; then the same image goes into the other slot.
second() {
    local state
    started a
    state=$(settled tickplane-machine)
    check "with its words the machine is as promised" "$(is "$state" active)" "$state"
    tickplane verify --prove >/run/lab/image-second.txt
    check "verify, effects too" $? "$(tail -n 1 /run/lab/image-second.txt)"
    check "what was written is kept" "$([ -s /var/lib/tickplane/kept ]; echo $?)" \
        "$(cat /var/lib/tickplane/kept)"
    cp -r /run/lab/slot /var/lib/tickplane/new
    printf x | dd of=/var/lib/tickplane/new/initrd bs=1 seek=99 conv=notrunc status=none
    state=$(tickplane-slot install /var/lib/tickplane/new 2>&1)
    check "a damaged image is not installed" "$(is $? 1)" "$state"
    state=$(tickplane-slot install /run/lab/slot 2>&1)
    check "slot b gets an image, on trial" $? "$state; $(basename /boot/loader/entries/*-b*)"
}

# The new slot: good once the machine was as promised; then back.
third() {
    local state
    started b
    state=$(settled tickplane-machine)
    check "slot b is as promised" "$(is "$state" active)" "$state"
    for _ in {1..60}; do # systemd takes the counter away behind boot-complete.target
        state=$(basename /boot/loader/entries/*-b*)
        [ "$state" = tickplane-b.conf ] && break || sleep 1
    done
    check "slot b is no longer on trial" "$(is "$state" tickplane-b.conf)" "$state"
    state=$(tickplane-slot back 2>&1)
    check "back to slot a" $? "$state"
}

fourth() {
    started a
    tickplane-slot
}

# From the network: the root file system is in memory, the data disk is the same.
pxe() {
    local root
    root=$(findmnt -no SOURCE /)
    check "started from the network, root in memory" "$(is "${root%%[0-9]*}" /dev/loop)" "$root"
    check "with the data of the disk" "$([ -s /var/lib/tickplane/kept ]; echo $?)" ""
}

"$1"
exit $failed
