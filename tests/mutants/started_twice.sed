# started_twice.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the undo starts a service that runs
# file runner/transports/service.sh
# test tests/unit/transports_safety_test : test_a_service_that_runs_is_not_started_again
s/^    \[ -e starting \] \|\| ! service_up \|\| service_half_back \|\| return 0$//
