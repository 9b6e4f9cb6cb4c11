#!/usr/bin/env bash
# The whole job once: generate a session, replay it through the appliance, verify the journal.
#
#     MESSAGES=2000000 SEED=1 scripts/replay.sh
#
# Everything is written below build/replay; the session is kept, the last run's output is replaced.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/.venv/bin:$PATH"
messages=${MESSAGES:-2000000}
seed=${SEED:-1}
session=build/replay/session-$messages-$seed.itch
out=build/replay/latest

mkdir -p build/replay
if [ ! -f "$session" ]; then
    tickplane generate "$session" --messages "$messages" --seed "$seed"
fi

rm -rf "$out"
mkdir "$out"
tickplane replay "$session" --config appliance/configs/example.yaml --strategy market_maker \
    --journal "$out/journal" --pcap-out "$out/orders.pcap" --json "$out/report.json"
tickplane journal verify "$out/journal"

cat <<END

  session   $session
  journal   $out/journal        every order event, with checksums
  orders    $out/orders.pcap    the packets that went out
  report    $out/report.json    the report above, for programs

next (after: . .venv/bin/activate)
  tickplane book $session --depth 3 | head -20
  tickplane journal dump $out/journal | head
  tickplane replay $session --strategy imbalance_taker
  cp appliance/configs/example.yaml my.yaml     # then: tickplane replay ... --config my.yaml
END
