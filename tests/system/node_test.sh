#!/usr/bin/env bash
# node_test.sh - every kind of fault on hosts of their own, four kinds side by side; see node_test.c.
# SPDX-License-Identifier: Apache-2.0
set -u
BUILD=${BUILD:-build}
program=$BUILD/tests/system/node_test
make --no-print-directory -s BUILD="$BUILD" "$program" || exit 1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=0
for kind in delay kill isolate stop freeze restart run; do
    [ "$(jobs -pr | wc -l)" -lt 4 ] || wait -n || failed=1
    "$program" "$kind" >"$logs/$kind" 2>&1 &
done
while [ -n "$(jobs -p)" ]; do
    wait -n || failed=1
done
cat "$logs"/*
exit "$failed"
