# opt_in_by_anybody.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says anybody on a host may say that it is drilled
# file runner/transports/allow.sh
# test tests/gate/helper_test.sh : a file that others may write allows nothing
s/^    -\?\?\?\?-\?\?-\?\*\) ;;/    -*) ;;/
