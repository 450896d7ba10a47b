# renewed_while_undone.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a lease is renewed after the undo began
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_no_lease_is_renewed_once_it_is_undone
s/^    \[ -e "\$FD_DIR\/permit" \] && \[ "\$FD_LEASED" -gt 0 \] \|\| return 1$/    [ "$FD_LEASED" -gt 0 ] || return 1/; s/^    \[ -e "\$FD_DIR\/permit" \]$/    :/
