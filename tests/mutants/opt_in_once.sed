# opt_in_once.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a host that takes its word back is drilled all the same
# file runner/transports/allow.sh
# test tests/gate/helper_test.sh : a host that takes its word back under way is not drilled
/^allowed_here\(\) \{/a\    return 0
