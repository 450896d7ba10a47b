# armed_without_lock.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault is armed without the lock of its host
# file runner/transports/drive.sh
# test tests/unit/transports_node_test : test_nothing_is_armed_without_the_lock
s/^    \[ "\$holder" = "\$FD_TOKEN" \] \|\| \{ refuse "the lock of this host is not ours".*$//
