# deadly_setting.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a setting that cuts us off may be set
# file runner/faults/sysctl.c
# test tests/unit/faults_config_test : test_settings_that_would_cut_us_off_are_refused
s/if \(fnmatch\(refused\[i\]\.pattern, dotted, 0\) == 0\)/if (fnmatch(refused[i].pattern, dotted, 0) == 99)/
