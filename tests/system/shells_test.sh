#!/bin/sh
# shells_test.sh - what runs on hosts does so in busybox's ash and in bash too; node_test.sh has the machine's own sh.
# SPDX-License-Identifier: Apache-2.0
# KINDS: the kinds of fault (default freeze; all of them take minutes).
set -u
BUILD=${BUILD:-build}
program=$BUILD/tests/system/node_test
make --no-print-directory -s BUILD="$BUILD" "$program" || exit 1
failed=0
for shell in busybox bash; do
    path=$(command -v "$shell") || {
        echo "skip $shell: it is not installed"
        continue
    }
    for kind in ${KINDS:-freeze}; do
        FD_SPACE_SH=$path "$program" "$kind" || failed=1
    done
done
exit "$failed"
