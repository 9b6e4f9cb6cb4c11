#!/usr/bin/env bash
# Builds an image of a machine that starts straight into tickplane, from Debian packages and the
# wheel. The same packages, wheel and SOURCE_DATE_EPOCH give the same bytes. docs/images.md
#
#     images/build.sh OUT KERNEL WHEEL
#
# KERNEL: of images/kernel.sh. OVERLAY=DIR: files laid over the root file system, for /etc mostly.
# PACKAGES="...": more packages. Needs no root where user namespaces may be made.
#
# OUT/disk.img       to be written to a disk: boot loader, slots a and b, data
# OUT/slot/          vmlinuz, initrd, root.squashfs, SHA256SUMS: what tickplane-slot installs
# OUT/pxe/           vmlinuz and initrd, which holds the root file system: to start from the network
# OUT/manifest       every package with its version
set -euo pipefail

out=$(realpath -m "$1")
kernel=$(realpath "$2")
wheel=$(realpath "$3")
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct || true)}
export TZ=UTC LC_ALL=C
umask 022

fail() {
    printf 'image: %s\n' "$*" >&2
    exit 1
}

# The packages of the libraries that the wheel's modules are linked with; those of the C library
# dpkg may not find under the name they have here, and every Debian has them.
libraries() {
    local folder
    folder=$(mktemp -d)
    python3 -m zipfile -e "$wheel" "$folder"
    find "$folder" -name '*.so' -exec ldd {} + | awk '/=> \// { print $3 }' | sort -u |
        xargs -n 1 readlink -f | { xargs dpkg -S 2>/dev/null || true; } | cut -d: -f1 | sort -u
    rm -rf "$folder"
}

drivers() ( # of DPDK
    . images/apt.sh
    local cards='e1000|virtio|i40e|iavf|ice|mlx5|sfc|ring|af-packet|af-xdp'
    apt-cache search -n "^librte-(net-($cards)|bus-(pci|vdev)|mempool-ring)-?[0-9]+\$" |
        cut -d' ' -f1
)

# tickplane and what it depends on, without anything that says where and when it was unpacked.
site() {
    local python
    python=$(cut -d- -f3 <<<"$(basename "$wheel")")
    rm -rf "$out/site"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-compile \
        --target "$out/site" --only-binary :all: --python-version "${python#cp}" "$wheel"
    rm -rf "$out/site/bin"
    sed -i -e '\|^\.\./\.\./bin/|d' -e '/direct_url/d' "$out"/site/*.dist-info/RECORD
    find "$out/site" -name direct_url.json -delete
}

root() {
    local packages
    packages=$({
        grep -v '^#' images/packages
        libraries
        drivers
        tr ' ' '\n' <<<"${PACKAGES:-}"
    } | grep . | sort -u | paste -sd,)
    KERNEL=$kernel SITE=$out/site mmdebstrap --quiet --variant=minbase \
        --aptopt='APT::Install-Recommends "false"' --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='images/customize.sh "$1"' \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$out/root.tar" \
        "${MIRROR:-/etc/apt/sources.list.d/debian.sources}"
    tar -xOf "$out/root.tar" ./usr/lib/tickplane-manifest >"$out/manifest"
    # It belongs to whoever calls mksquashfs: to root, also where that is a user.
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(unshare --map-root-user)
    "${as_root[@]}" mksquashfs - "$out/slot/root.squashfs" -tar -comp zstd -noappend \
        -root-mode 0755 -quiet -no-progress <"$out/root.tar"
    rm "$out/root.tar"
}

sums() {
    (cd "$out/$1" && sha256sum -- * >../sums && mv ../sums SHA256SUMS)
}

[ -n "$SOURCE_DATE_EPOCH" ] || fail "no SOURCE_DATE_EPOCH, and this is no repository of git"
[ "$(id -u)" = 0 ] || command -v newuidmap >/dev/null ||
    fail "without root it needs newuidmap; as root: apt-get install uidmap"
(. images/apt.sh && know libdpdk-dev) || fail "apt knows no packages; this needs Debian's archive"
rm -rf "$out"
mkdir -p "$out/slot" "$out/pxe"
echo "image: root file system"
site
root
echo "image: boot files"
cp "$kernel"/boot/vmlinuz-* "$out/slot/vmlinuz"
images/boot/initramfs.sh "$kernel" "$out/slot/initrd"
sums slot
cp "$out/slot/vmlinuz" "$out/pxe/"
touch -d "@$SOURCE_DATE_EPOCH" "$out/slot/root.squashfs"
# The kernel unpacks one archive after the other.
(
    cd "$out/slot"
    echo root.squashfs | cpio --reproducible -o -H newc -R 0:0 --quiet
    cat initrd
) >"$out/pxe/initrd"
sums pxe
echo "image: disk"
images/disk.sh "$out"
rm -rf "$out/site"
(cd "$out" && sha256sum disk.img slot/* pxe/* manifest >SHA256SUMS)
echo "image: $out/disk.img, slot/, pxe/; $(sha256sum <"$out/SHA256SUMS" | cut -c1-16)"
