#!/usr/bin/env bash
# Every model of this folder with Spin: without errors as it stands, and with one for each -DNAME
# that the comment at its head lists.
#
#     tests/spin/run.sh FOLDER     for what Spin writes
set -euo pipefail

models=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

# Errors that a model has with that definition, "" for none.
errors_of() {
    rm -f pan pan.*
    # shellcheck disable=SC2086  # no word when there is no definition
    spin $2 -a "$1" >/dev/null
    gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c
    ./pan -m1000000 >pan.out
    if grep -q 'max search depth too small' pan.out; then
        echo "not searched to its end"
    else
        sed -nE 's/.*errors: ([0-9]+)$/\1/p' pan.out
    fi
}

status=0
for model in "$models"/*.pml; do
    name=$(basename "$model" .pml)
    errors=$(errors_of "$model" "")
    states=$(sed -nE 's/ *([0-9.e+]+) states, stored.*/\1/p' pan.out)
    if [ "$errors" = 0 ]; then
        echo "ok   $name: $states states"
    else
        echo "FAIL $name: errors: $errors"
        status=1
    fi
    for definition in $(sed -nE 's/^ \* (-D[A-Z_]+) .*/\1/p' "$model"); do
        errors=$(errors_of "$model" "$definition")
        if [ "$errors" = 1 ]; then
            echo "ok   $name $definition: noticed"
        else
            echo "FAIL $name $definition: NOT NOTICED"
            status=1
        fi
    done
done
exit $status
