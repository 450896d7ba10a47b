# forbidden_host_drawn.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a host that the gate forbids is drawn
# file runner/engine/draw.c
# test tests/unit/engine_draw_test : test_a_forbidden_host_is_never_drawn
s/if \(draw->environment != NULL && machine_forbidden/if (draw->environment == NULL \&\& machine_forbidden/
