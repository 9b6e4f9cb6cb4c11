#!/usr/bin/env bash
# Makes the simulated card: dataplane/fpga/build.sh FOLDER, where the shared object and what it is
# made of are put. Needs verilator 5 and g++ (Debian: verilator).
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"
verilator --cc --build -Wall -O3 --x-initial 0 -CFLAGS "-fPIC -O2" -Mdir "$folder/model" \
    --prefix Vdp_card_filter "$source/dp_card_filter.sv" >"$folder/verilator.log" 2>&1 ||
    { cat "$folder/verilator.log" >&2; exit 1; }
root=$(verilator --getenv VERILATOR_ROOT)
g++ -shared -fPIC -O2 -std=gnu++17 -fvisibility=hidden -I"$folder/model" -I"$root/include" \
    "$source/dp_card_model.cpp" "$folder/model/Vdp_card_filter__ALL.a" \
    "$root/include/verilated.cpp" \
    "$root/include/verilated_threads.cpp" -pthread -latomic -o "$folder/libcardfilter.so"
