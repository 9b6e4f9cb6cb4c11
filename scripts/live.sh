#!/usr/bin/env bash
# A live session on loopback: an exchange, an appliance that trades on it, both records compared.
#
#     SECONDS_LIVE=30 scripts/live.sh
#
# Everything is written below build/live; the last session's output is replaced.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/.venv/bin:$PATH"
seconds=${SECONDS_LIVE:-30}
out=build/live

rm -rf "$out"
mkdir -p "$out"
{
    echo "record: $out/venue.tape"
    tickplane venue --example
} >"$out/venue.yaml"

tickplane venue --config "$out/venue.yaml" >"$out/venue.log" 2>&1 &
venue=$!
trap 'kill $venue 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    grep -q '^READY' "$out/venue.log" && break
    kill -0 $venue 2>/dev/null || { cat "$out/venue.log" >&2; exit 1; }
    sleep 0.1
done
head -n 1 "$out/venue.log"

tickplane run appliance/configs/live.yaml --strategy market_maker --seconds "$seconds" \
    --journal "$out/journal" --json "$out/report.json"
kill -TERM $venue # a shell starts what runs beside it with SIGINT ignored
wait $venue || true
trap - EXIT

echo
tail -n 2 "$out/venue.log"
tickplane reconcile "$out/journal" "$out/venue.tape"
