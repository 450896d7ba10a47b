# undo_by_pattern.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a frozen service is thawed by its name
# file runner/transports/service.sh
# test tests/unit/transports_safety_test : test_only_what_was_frozen_is_thawed
/^service_thaw\(\) \{/a\    pkill -CONT -x sleep; pkill -CONT -x sh
