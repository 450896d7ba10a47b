# half_a_script_runs.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a script that was cut off runs by half
# file runner/transports/node_talk.c
# test tests/system/node_test run firing_cut_within : run: firing_cut_within
# test tests/system/node_test run arming_cut_within : run: arming_cut_within
# test tests/unit/transports_safety_test : test_half_a_script_does_nothing
s/case \$s in \*\\"#end \$2\\"\)/case $s in */; s/\*\\"#end \$2\\"\) exec/*) exec/
