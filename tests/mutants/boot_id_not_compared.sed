# boot_id_not_compared.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a command from before a reboot acts after it
# file runner/transports/node.sh
# test tests/system/node_test run rebooted : run: rebooted_nothing_fires_and_nothing_is_left
s/^    \[ "\$boot" = "\$\{FD_BOOT:-\}" \] \|\| \{ refuse .*$//
