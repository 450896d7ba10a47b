# helper_any_length.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the helper arms faults of any length
# file runner/transports/helper.sh
# test tests/gate/helper_test.sh : each of them is refused
s/^(        \[ "\$cap" -gt 0 \]) && \[ "\$cap" -le "\$allowed_longest" \] \|\|/\1 ||/
