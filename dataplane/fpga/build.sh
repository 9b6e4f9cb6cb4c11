#!/usr/bin/env bash
# Makes the simulated card: dataplane/fpga/build.sh FOLDER, where the shared object and what it is
# made of are put. Needs verilator 5 and g++ (Debian: verilator). The card's identity, which stands
# for a bitstream's, is the SHA-256 of its sources in the order of their names.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"
parts=("$source"/*.sv)
identity=$(LC_ALL=C cat "${parts[@]}" | sha256sum | cut -d' ' -f1)
# Parts of registers are reserved, and nobody reads them: no mistake.
verilator --cc --build -Wall -Wno-UNUSEDSIGNAL -O3 --x-initial 0 -CFLAGS "-fPIC -O2" \
    -Mdir "$folder/model" --prefix Vdp_card --top-module dp_card "-GIDENTITY=256'h$identity" \
    "${parts[@]}" >"$folder/verilator.log" 2>&1 ||
    { cat "$folder/verilator.log" >&2; exit 1; }
root=$(verilator --getenv VERILATOR_ROOT)
g++ -shared -fPIC -O2 -std=gnu++17 -fvisibility=hidden -I"$folder/model" -I"$root/include" \
    "$source/dp_card_model.cpp" "$folder/model/Vdp_card__ALL.a" \
    "$root/include/verilated.cpp" \
    "$root/include/verilated_threads.cpp" -pthread -latomic -o "$folder/libcard.so"
