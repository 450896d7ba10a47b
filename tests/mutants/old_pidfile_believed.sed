# old_pidfile_believed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a pidfile older than its process is believed
# file runner/transports/service.sh
# test tests/unit/transports_node_test : test_a_pidfile_that_names_a_stranger_is_refused
s/^    \[ "\$begun" -le .*\] && return 0$/    return 0/
