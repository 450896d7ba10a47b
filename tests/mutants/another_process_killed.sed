# another_process_killed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a process that was not recorded is killed
# file runner/transports/service.sh
# test tests/unit/transports_node_test : test_a_pidfile_that_names_a_stranger_is_refused
s/^    \[ -n "\$main" \] && look_at "\$main" && grep -q "\^\$main \$born " ids \|\|$/    true ||/
