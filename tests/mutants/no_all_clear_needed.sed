# no_all_clear_needed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault needs no proof that it is gone
# file runner/model/procedure.c
# test tests/unit/procedure_check_test : test_each_missing_part_is_refused
/cannot prove that it is gone/{N;s/return err_set/if (false) return err_set/}
