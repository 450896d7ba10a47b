#!/bin/sh
# ssh_test.sh - drills through a real sshd on an address of its own; see ssh_test.c.
# SPDX-License-Identifier: Apache-2.0
set -u
BUILD=${BUILD:-build}
program=$BUILD/tests/system/ssh_test
make --no-print-directory -s BUILD="$BUILD" "$program" || exit 1
exec "$program"
