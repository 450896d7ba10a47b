#!/usr/bin/env bash
# store_crash_test.sh - kills the store's writer at every system call, fails its calls, cuts its power.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/crash/store_crash_test.sh [kill|error|power]...      default: all three
#
# POINTS: what run_crash.py is told; a short run of it takes every fourth point here as well.
# After each point the database must be whole, and hold every row that was acknowledged.
set -uo pipefail
cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1

archive=${BUILD:-build}/libfaildrill.a
seeds=${SEEDS:-3}
every=$((${POINTS:-5000} < 2000 ? 4 : 1))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
writer=$work/writer
if ! command -v strace >/dev/null; then
    echo "skip store_crash: there is no strace here"
    exit 77
fi
# shellcheck disable=SC2046
${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror -pthread -o "$writer" tests/crash/store_writer.c \
    tests/crash/store_power.c "$archive" $(pkg-config --libs sqlite3 openssl yaml-0.1 jansson) || exit 1

failed=0 all=0 all_lost=0 all_corrupt=0

# points NAME COMMAND...: runs `COMMAND FOLDER LINE` for each line of stdin, on two processes.
points() {
    local name=$1 status=0
    shift
    export work writer
    awk -v every="$every" 'NR % every == 0' | xargs -P "$(nproc)" -I{} bash -c "$(declare -f check_point "$@")"'; '"$1"' "{}"' >"$work/$name.log" 2>"$work/$name.err"
    lost=$(grep -c '^lost' "$work/$name.log")
    corrupt=$(grep -c '^corrupt' "$work/$name.log")
    total=$(grep -c '^point' "$work/$name.log")
    other=$(grep -c '^odd' "$work/$name.log")
    echo "$name: $total points, $lost lost, $corrupt corrupt"
    if [ "$lost" -gt 0 ] || [ "$corrupt" -gt 0 ] || [ "$other" -gt 0 ] || [ "$total" -eq 0 ]; then
        grep -E '^(lost|corrupt|odd)' "$work/$name.log" | head -n 20
        status=1
    fi
    if [ $status -eq 0 ]; then echo "ok store_survives_$name"; else echo "not ok store_survives_$name"; fi
    failed=$((failed + status)) all=$((all + total)) all_lost=$((all_lost + lost)) all_corrupt=$((all_corrupt + corrupt))
}

# check_point FOLDER ACKED WHAT: one line `point`, and one more where something is wrong.
check_point() {
    local said
    said=$("$writer" check "$1" <"$2" 2>&1) || case $said in
        lost* | corrupt*) echo "$said ($3)" ;;
        *) echo "odd: $said ($3)" ;;
    esac
    echo "point $3"
    rm -rf "$1" "$2"
}

# kill_point NAME K: SIGKILL as the K-th call of that name begins.
kill_point() {
    local name=${1% *} k=${1#* } folder
    folder=$(mktemp -d "$work/kill.XXXXXX")
    strace -f -qq -o /dev/null -e trace="$name" -e inject="$name:signal=SIGKILL:when=$k" \
        "$writer" write "$folder" >"$folder.acked" 2>/dev/null
    [ $? -eq 137 ] || echo "odd: not killed ($1)"
    check_point "$folder" "$folder.acked" "$1"
}

# error_point NAME ERROR WHEN: it fails so, once or from then on.
error_point() {
    local name error when folder status
    read -r name error when <<<"$1"
    folder=$(mktemp -d "$work/error.XXXXXX")
    strace -f -qq -o /dev/null -e trace="$name" -e inject="$name:error=$error:when=$when" \
        "$writer" write "$folder" >"$folder.acked" 2>/dev/null
    status=$?
    [ $status -eq 0 ] || echo "odd: exit $status ($1)"
    check_point "$folder" "$folder.acked" "$1"
}

# power_point POINT SEED
power_point() {
    local folder
    folder=$(mktemp -d "$work/power.XXXXXX")
    "$writer" power "$folder" "${1% *}" "${1#* }" >"$folder.acked" 2>/dev/null || echo "odd: power ($1)"
    check_point "$folder" "$folder.acked" "power $1"
}

# How often each system call comes: NAME COUNT. How often memory is asked for differs from run to run.
count_calls() {
    mkdir "$work/count"
    strace -f -qq -o "$work/trace" "$writer" write "$work/count" >/dev/null
    sed -E 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/; t; d' "$work/trace" | sort | uniq -c |
        awk '$2 !~ /^(execve|brk|exit|exit_group)$/ { print $2, $1 }'
    rm -rf "$work/count"
}

count_calls >"$work/calls"
[ $# -gt 0 ] || set -- kill error power
for part; do
    case $part in
    kill)
        points kill kill_point < <(awk '{ for (k = 1; k <= $2; k++) print $1, k }' "$work/calls")
        ;;
    error)
        points error error_point < <(awk '$1 ~ /^(pwrite64|fdatasync|fsync|ftruncate)$/ {
                for (k = 1; k <= $2; k++)
                    for (often = 0; often < 2; often++) {
                        print $1, "EIO", k (often ? "+" : "")
                        print $1, "ENOSPC", k (often ? "+" : "")
                    }
            }' "$work/calls")
        ;;
    power)
        mkdir "$work/dry"
        count=$("$writer" power "$work/dry" 0 0 2>&1 >/dev/null | tail -n 1)
        points power power_point < <(awk -v count="$count" -v seeds="$seeds" 'BEGIN {
                for (k = 1; k <= count; k++) for (s = 1; s <= seeds; s++) print k, s
            }')
        ;;
    esac
done
echo "$all points, $all_lost lost, $all_corrupt corrupt"
[ $failed -eq 0 ]
