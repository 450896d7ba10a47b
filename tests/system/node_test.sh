#!/bin/sh
# node_test.sh - every kind of fault on hosts of their own, kinds side by side; see node_test.c.
# SPDX-License-Identifier: Apache-2.0
set -u
BUILD=${BUILD:-build}
program=$BUILD/tests/system/node_test
make --no-print-directory -s BUILD="$BUILD" "$program" || exit 1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=0
for kinds in 'isolate kill stop' 'freeze restart run delay'; do
    pids=
    for kind in $kinds; do
        "$program" "$kind" >"$logs/$kind" 2>&1 &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid" || failed=1
    done
done
cat "$logs"/*
exit "$failed"
