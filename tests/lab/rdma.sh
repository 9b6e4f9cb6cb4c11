#!/usr/bin/env bash
# RDMA over soft-RoCE in the lab: a device is found, and two processes have a ring over it:
#
#     scripts/lab.sh run tests/lab/rdma.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

python=$PWD/.venv/bin/python
tickplane() { "$python" -P -m appliance "$@"; }

tickplane rdma list
modprobe rdma_rxe
ip link add lab0 type veth peer name lab1
ip addr add 10.9.0.1/24 dev lab0
ip link set lab0 up
ip link set lab1 up
rdma link add rxe0 type rxe netdev lab0
# Its link-local address is usable when nobody else has answered to it.
for _ in $(seq 50); do
    ip -6 addr show dev lab0 | grep -q tentative || break
    sleep 0.1
done
tickplane rdma list
coproc receiver { tickplane rdma receive rxe0 10.9.0.1:0 --records 2000 --slots 64 2>&1; }
exec 3<&"${receiver[0]}"
read -r _ _ port <&3
tickplane rdma send rxe0 "10.9.0.1:$port" --records 2000 --slots 64
said=$(cat <&3)
echo "$said"
[[ $said == "2000 records in "*", whole and in order" ]]
if tickplane rdma send rxe7 "10.9.0.1:$port"; then exit 1; fi
