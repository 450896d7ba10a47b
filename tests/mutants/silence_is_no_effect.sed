# silence_is_no_effect.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fire without an answer counts as no effect
# file runner/transports/node_fire.c
# test tests/system/node_test run firing_cut_after : run: firing_cut_after
s/^    enum Effect effect = EFFECT_UNKNOWN;$/    enum Effect effect = EFFECT_NONE;/
