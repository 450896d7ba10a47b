# guard_never_acts.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the guard does not look at its lease
# file runner/transports/node.sh
# test tests/system/node_test run runner_gone : run: runner_gone_the_guard_undoes
s/^        \[ "\$rest" -le 0 \] && why=.*$//
