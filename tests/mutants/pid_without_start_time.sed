# pid_without_start_time.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a process is known by its pid alone
# file runner/transports/family.sh
# test tests/unit/transports_safety_test : test_a_number_given_out_anew_is_nobody_we_know
s/^    look_at "\$\{1:-0\}" && \[ "\$born" = "\$2" \] && /    look_at "${1:-0}" \&\& /
