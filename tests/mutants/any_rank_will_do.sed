# any_rank_will_do.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a target that must be the primary may be anybody
# file runner/engine/draw.c
# test tests/unit/engine_draw_test : test_is_primary_means_the_one_that_says_so_now
s/rank_of\(draw->role, draw->ranks, host\) != spec->is\)\)/rank_of(draw->role, draw->ranks, host) == RANK_OTHER))/
