# foreign_lock_given.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a run that ends gives away the host of another
# file runner/transports/drive.sh
# test tests/unit/transports_node_test : test_one_run_holds_a_host
/^lock_give\(\) \{/,/^\}/ s/\[ "\$holder" != "\$FD_TOKEN" \] \|\| rm/rm/
