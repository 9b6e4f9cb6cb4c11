#!/usr/bin/env bash
# Makes an unpacked Debian the root file system of an image. Called by mmdebstrap, in the namespace
# where it unpacked: root's own or that of a user.
#
#     KERNEL=DIR SITE=DIR images/customize.sh ROOT
set -euo pipefail

root=$1
here=$(dirname "$(realpath "$0")")
version=$(basename "$KERNEL"/lib/modules/*)
# What no server has: half of the modules.
DROP=(sound drivers/{gpu,media,bluetooth,staging,iio,input,hwmon,isdn,nfc,platform,leds}
    drivers/net/{wireless,can,ieee802154,wwan,hamradio} net/{bluetooth,mac80211,wireless,nfc})

in_root() { chroot "$root" "$@"; }

# ---- kernel and tickplane ----

mkdir -p "$root/usr/lib/modules" "$root/opt/tickplane/bin" "$root/data" "$root/etc/tickplane"
cp -r "$KERNEL/lib/modules/$version" "$root/usr/lib/modules/"
for part in "${DROP[@]}"; do rm -rf "$root/usr/lib/modules/$version/kernel/$part"; done
depmod -b "$root" "$version"

cp -r "$SITE" "$root/opt/tickplane/lib"
cat >"$root/opt/tickplane/bin/tickplane" <<'LAUNCHER'
#!/usr/bin/python3
import sys

sys.path.insert(0, "/opt/tickplane/lib")
from appliance.cli import main

sys.exit(main())
LAUNCHER
chmod 755 "$root/opt/tickplane/bin/tickplane"
ln -s /opt/tickplane/bin/tickplane "$root/usr/bin/tickplane"
in_root /usr/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/tickplane/lib
in_root /opt/tickplane/bin/tickplane profile list >/dev/null

# ---- the system ----

in_root useradd --system --home-dir /var/lib/tickplane --shell /usr/sbin/nologin tickplane
cp "$here"/systemd/*.service "$root/etc/systemd/system/"
cp -r "$here/root/." "$root/"
[ -z "${OVERLAY:-}" ] || cp -r "$OVERLAY/." "$root/"
in_root systemctl -q enable tickplane-machine.service tickplane.service chrony.service \
    systemd-networkd.service serial-getty@ttyS0.service tickplane-data.service
mkdir -p "$root/etc/systemd/system/boot-complete.target.requires"
ln -s ../tickplane-machine.service \
    "$root/etc/systemd/system/boot-complete.target.requires/tickplane-machine.service"
in_root systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer
echo tickplane >"$root/etc/hostname"
printf '127.0.0.1 localhost tickplane\n' >"$root/etc/hosts"
: >"$root/etc/machine-id" # made at the first start, and kept on the data disk

# ---- nothing that is another one each time ----

# mmdebstrap's own configuration of apt stays until it takes it away: without it, the rest of its
# work would be done to the lists of packages of the machine that builds.
find "$root/tmp" -mindepth 1 -maxdepth 1 ! -name 'mmdebstrap.*' -exec rm -rf {} +

{
    in_root dpkg-query -W -f '${Package} ${Version} ${Architecture}\n'
    cat "$KERNEL/package"
} >"$root/usr/lib/tickplane-manifest"
rm -rf "$root"/var/cache/* "$root"/var/log/* "$root"/var/lib/apt/lists/* \
    "$root"/var/lib/dpkg/*-old "$root"/etc/*- "$root"/etc/ssh/ssh_host_* "$root"/etc/resolv.conf \
    "$root"/var/lib/systemd/{catalog,random-seed} "$root"/run/*
# What Debian's own helper left when it was imported: Python marshals that differently each time.
rm -rf "$root"/usr/share/python3/debpython/__pycache__
mkdir -p "$root"/var/cache/ldconfig
