#!/bin/sh
# ssh_test.sh - drills through a real sshd on an address of its own; see ssh_test.c.
# SPDX-License-Identifier: Apache-2.0
set -u
BUILD=${BUILD:-build}
program=$BUILD/tests/system/ssh_test
make --no-print-directory -s BUILD="$BUILD" "$program" || exit 1
[ "$(id -u)" -eq 0 ] || exec "$program" # which says why not
# Its link and addresses have names of their own only in a network of its own.
exec unshare --net sh -c 'ip link set lo up && exec "$0"' "$program"
