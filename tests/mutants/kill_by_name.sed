# kill_by_name.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says all processes of that name are killed
# file runner/transports/service.sh
# test tests/unit/transports_safety_test : test_a_namesake_of_the_service_lives
s/^    kill -KILL "\$pid"$/    kill -KILL "$pid"; pkill -KILL -x "sleep"/
