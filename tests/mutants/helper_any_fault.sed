# helper_any_fault.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the helper arms what the host never allowed
# file runner/transports/helper.sh
# test tests/gate/helper_test.sh : a fault that the host's file does not name is refused by the helper
s/^        kind=\$\(helper_kind arm "\$does"\) \|\| .*$/        kind=$(helper_kind arm "$does") || kind=freeze/
