# disarm_before_verify.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the guard is disarmed before all_clear was seen
# file runner/transports/drive.sh
# test tests/unit/transports_node_test : test_disarm_waits_for_the_proof
s/^    if \[ -e "\$FD_DIR\/fired" \] && \[ ! -e "\$FD_DIR\/clean" \]; then$/    if false; then/
