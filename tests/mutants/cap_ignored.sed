# cap_ignored.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a lease may be renewed past the cap
# file runner/transports/node.sh
# test tests/system/node_test run cap_ends : run: cap_ends_it_though_it_is_renewed
s/^    \[ "\$lease" -le "\$FD_UNTIL" \] \|\| lease=\$FD_UNTIL$//
