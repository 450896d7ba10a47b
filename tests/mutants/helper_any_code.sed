# helper_any_code.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the helper runs code that no runner of its version sends
# file runner/transports/helper.sh
# test tests/gate/helper_test.sh : each of them is refused
s/^    ''\) helper_refuse \"code that is not known here\" ;;/    '') verb=facts ;;/
