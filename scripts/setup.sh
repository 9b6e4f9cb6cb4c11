#!/usr/bin/env bash
# Makes sure that the tools are there: Debian packages, then a Python environment in .venv.
#
#     scripts/setup.sh run|test|lint|prove|lab
#
# Each level holds the one before it. Nothing is done that is done already, so the second call
# takes a moment. Packages come from apt (as root, or with sudo); without either, the script goes on
# when the tools are there and says what is missing when they are not.
set -euo pipefail
cd "$(dirname "$0")/.."

level=${1:-run}
# The environment's own Python must not be taken for the machine's.
PATH=${PATH//"$PWD/.venv/bin:"/}

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# ---- the machine ----

check_cpu() {
    [ "$(uname -m)" = x86_64 ] ||
        fail "cpu: this is $(uname -m); tickplane is written for x86-64"
    local flag missing=""
    for flag in avx2 bmi1 bmi2 f16c fma abm movbe pclmulqdq; do
        grep -qwm1 "$flag" /proc/cpuinfo || missing="$missing $flag"
    done
    [ -z "$missing" ] || fail "cpu: it lacks$missing; tickplane needs x86-64-v3 (2013 or later)"
}

# ---- Debian packages ----

# The first Python that is new enough and complete: venv, pip's seed and C headers.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$name" - 2>/dev/null <<'PYTHON'; then
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(not (sys.version_info >= (3, 11) and os.path.exists(header)))
PYTHON
            command -v "$name"
            return
        fi
    done
}

# Links a program under that sanitizer, which finds out whether its runtime is installed.
can_sanitize() {
    echo 'int main(void){return 0;}' | clang -x c - -fsanitize=address -o /dev/null 2>/dev/null
}

# Adds what emulates a server and makes images for it. Some of these live where only root looks.
lab_packages() {
    local PATH=$PATH:/usr/sbin:/sbin
    command -v qemu-system-x86_64 >/dev/null || packages+=(qemu-system-x86)
    [ -e /bin/busybox ] || packages+=(busybox-static)
    command -v cpio >/dev/null || packages+=(cpio)
    command -v modprobe >/dev/null || packages+=(kmod)
    command -v mke2fs >/dev/null || packages+=(e2fsprogs)
    [ -d /usr/lib/python3/dist-packages/pyverbs ] || packages+=(python3-pyverbs) # RDMA there
    [ -e /etc/libibverbs.d/rxe.driver ] || packages+=(ibverbs-providers)
    command -v rdma >/dev/null || packages+=(iproute2)
    command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
    command -v newuidmap >/dev/null || packages+=(uidmap) # images without root
    command -v mksquashfs >/dev/null || packages+=(squashfs-tools)
    command -v zstd >/dev/null || packages+=(zstd)
    command -v sfdisk >/dev/null || packages+=(fdisk)
    command -v mkfs.vfat >/dev/null || packages+=(dosfstools)
    command -v mcopy >/dev/null || packages+=(mtools)
    [ -e /usr/lib/systemd/boot/efi/systemd-bootx64.efi ] || packages+=(systemd-boot-efi)
    [ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || packages+=(ovmf)
}

missing_packages() {
    local packages=()
    [ -n "$(find_python)" ] || packages+=(python3 python3-venv python3-dev)
    command -v make >/dev/null || packages+=(make)
    command -v pkg-config >/dev/null || packages+=(pkg-config)
    echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1 || packages+=(gcc libc6-dev)
    echo '#include <zlib.h>' | gcc -E - >/dev/null 2>&1 || packages+=(zlib1g-dev)
    echo '#include <zstd.h>' | gcc -E - >/dev/null 2>&1 || packages+=(libzstd-dev)
    echo '#include <openssl/sha.h>' | gcc -E - >/dev/null 2>&1 || packages+=(libssl-dev)
    # The io_uring port, which make run trades over.
    pkg-config --exists liburing 2>/dev/null || packages+=(liburing-dev)
    if [ "$level" = prove ]; then
        command -v spin >/dev/null || packages+=(spin)
    fi
    [ "$level" != lab ] || lab_packages
    if [ "$level" = lint ] || [ "$level" = prove ]; then
        command -v clang >/dev/null || packages+=(clang)
        command -v clang-format >/dev/null || packages+=(clang-format)
        if command -v clang >/dev/null && ! can_sanitize; then
            packages+=("libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev")
        fi
    fi
    echo "${packages[*]}"
}

# What a part of tickplane can do without: it is then left out of the build, which says so.
optional_packages() {
    local packages=()
    pkg-config --exists libxdp libbpf 2>/dev/null || packages+=(libxdp-dev libbpf-dev) # AF_XDP
    command -v ip >/dev/null || packages+=(iproute2) # two hosts for make run, tests on real links
    if [ "$level" != run ]; then
        pkg-config --exists libdpdk 2>/dev/null || packages+=(libdpdk-dev) # the DPDK port
        pkg-config --exists lwip 2>/dev/null || packages+=(liblwip-dev)    # TCP in user space
        # Cards in SystemVerilog: simulated and looked over, and tested block by block.
        command -v verilator >/dev/null || packages+=(verilator)
        command -v g++ >/dev/null || packages+=(g++)
        command -v iverilog >/dev/null || packages+=(iverilog)
    fi
    echo "${packages[*]}"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Another apt may hold the lists for a while (a fresh machine updates itself after its first boot).
lists_are_fresh=no
update_lists() {
    local try
    [ $lists_are_fresh = no ] || return 0
    lists_are_fresh=yes
    for try in 1 2 3 4 5 6; do
        apt update && return
        say "apt-get update did not work (try $try of 6); again in 10 seconds"
        sleep 10
    done
    say "apt-get update did not work; trying with the lists as they are"
}

install_optional_packages() {
    local missing
    missing=$(optional_packages)
    [ -n "$missing" ] || return 0
    if ! may_install; then
        say "without $missing; for what they add: apt-get install $missing"
        return 0
    fi
    say "installing Debian packages: $missing"
    update_lists
    # shellcheck disable=SC2086  # a list of words
    apt install -y --no-install-recommends $missing </dev/null >/dev/null ||
        say "not installed: $missing; going on without"
}

install_packages() {
    local missing before=""
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    may_install || fail "missing: $missing; run as root: apt-get install $missing"
    say "installing Debian packages: $missing"
    update_lists
    # Once more when the first round shows what else is needed (clang names its runtime package).
    while [ -n "$missing" ] && [ "$missing" != "$before" ]; do
        # shellcheck disable=SC2086  # a list of words
        apt install -y --no-install-recommends $missing </dev/null >/dev/null
        before=$missing
        missing=$(missing_packages)
    done
    [ -z "$missing" ] || fail "still missing after installation: $missing"
}

# ---- Python packages ----

# What pyproject.toml asks for at this level, one a line.
requirements() {
    .venv/bin/python - "$level" <<'PYTHON'
import sys, tomllib
with open("pyproject.toml", "rb") as file:
    data = tomllib.load(file)
levels = {"run": [], "test": ["test", "fpga"], "lab": ["test"]}
extras = levels.get(sys.argv[1], ["test", "fpga", "dev"])
wanted = data["build-system"]["requires"] + data["project"]["dependencies"]
for extra in extras:
    wanted += data["project"]["optional-dependencies"][extra]
print("\n".join(wanted))
PYTHON
}

make_venv() {
    local python
    python=$(find_python)
    # Also made anew: a folder that was moved, a making cut short, a Python upgraded away.
    if [ "$(cat .venv/made-in 2>/dev/null)" != "$PWD" ] ||
        ! .venv/bin/python -c '' 2>/dev/null; then
        say "making .venv with $python"
        rm -rf .venv
        "$python" -m venv .venv
        echo "$PWD" >.venv/made-in
    fi
}

install_requirements() {
    local stamp=.venv/installed-requirements wanted new
    wanted=$(requirements)
    touch "$stamp"
    new=$(grep -vxFf "$stamp" <<<"$wanted" || true)
    [ -n "$new" ] || return 0
    say "installing Python packages into .venv: ${new//$'\n'/ }"
    .venv/bin/python -m pip install -q --disable-pip-version-check 'pip>=23.1'
    .venv/bin/python -m pip install -q --disable-pip-version-check -r <(echo "$new")
    echo "$new" >>"$stamp"
}

case $level in
run | test | lint | prove | lab) ;;
*) fail "level is '$level'; it must be run, test, lint, prove or lab" ;;
esac
check_cpu
install_packages
install_optional_packages
make_venv
install_requirements
