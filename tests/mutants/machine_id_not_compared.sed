# machine_id_not_compared.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a host with another machine-id is taken for the one that is meant
# file runner/engine/foresee.c
# test tests/unit/engine_foresee_test : test_another_machine_at_the_address_is_refused
s/ && !text_equal\(machine, facts->machine_id_hash\)/ \&\& false/
