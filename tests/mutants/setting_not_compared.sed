# setting_not_compared.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the undo of sysctl overwrites what somebody else set meanwhile
# file runner/transports/files.sh
# test tests/system/config_test.sh : set by somebody else: theirs stays
/^file_setting_undo/,/^\}/ s/^    file_setting_is_ours .*//
