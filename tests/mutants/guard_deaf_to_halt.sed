# guard_deaf_to_halt.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the guard does not look for halt
# file runner/transports/node.sh
# test tests/system/node_test run halt_from : run: halt_from_anywhere_undoes
s/^        \[ -e "\$FD_DIR\/halt" \] && why=.*$//
