#!/usr/bin/env bash
# Fetches Debian packages and unpacks them; nothing is installed, and no root is needed. Where this
# machine's lists of packages are missing or older than the archive, lists of its own are fetched
# into build/apt and used from then on. To be sourced.
#
#     know PACKAGE               apt knows it
#     unpack FOLDER PACKAGE...   their newest versions, into FOLDER
# shellcheck shell=bash

apt_folder=$(realpath -m "$(dirname "${BASH_SOURCE[0]}")/../build/apt")
[ ! -e "$apt_folder/apt.conf" ] || export APT_CONFIG=$apt_folder/apt.conf

own_lists() {
    echo "apt: fetching lists of packages into $apt_folder"
    mkdir -p "$apt_folder"/{lists,archives}/partial
    cat >"$apt_folder/apt.conf" <<CONFIG
Dir::State::lists "$apt_folder/lists";
Dir::Cache "$apt_folder";
APT::Sandbox::User "$(id -un)";
CONFIG
    export APT_CONFIG=$apt_folder/apt.conf
    apt-get -qq update && return
    rm "$apt_folder/apt.conf"
    unset APT_CONFIG
    return 1
}

is_known() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

know() { is_known "$1" || { own_lists && is_known "$1"; }; }

fetch() { (cd "$1" && apt-get -qq download "${@:2}" 2>/dev/null); }

unpack() {
    local file folder=$1
    mkdir -p "$folder"
    fetch "$@" || { own_lists && fetch "$@"; } || return
    for file in "$folder"/*.deb; do dpkg -x "$file" "$folder"; done
    rm "$folder"/*.deb
}
