/* mariadb_rejoin.c - how a former primary is started so that it comes back as a replica. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "mariadb_system.h"
#include "rejoin.h"

static const char rejoin_sh[] = {
#include "runner/systems/mariadb_rejoin.sh.h"
    0};

enum { REJOIN_MOST_S = 90, READY_MOST_S = 25 };

/* The script of a host; `start` is empty where it only looks whether it could. */
static void plan_script(const struct MariadbConfig *config, const struct PlanInput *input,
                        struct Rejoin *rejoin, const char *start, struct Arena *arena,
                        struct Commands *out)
{
    const struct Role *role = input->role;
    const char *stop = rejoin_stop_line(input, arena);
    const char *const words[] = {target_address(input->target),
                                 arena_printf(arena, "%lld", (long long)config->access.port),
                                 config->config_file,
                                 config->option_file,
                                 start,
                                 stop != NULL ? stop : ""};
    const char **places = arena_zero(arena, role->host_count, sizeof(*places));
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] != input->target)
            places[rejoin->place_count++] = target_address(role->hosts[n]);
    rejoin->script = rejoin_script(rejoin_sh);
    rejoin->words = words;
    rejoin->word_count = COUNT_OF(words);
    rejoin->places = places;
    rejoin_plan(rejoin, arena, out);
}

bool mariadb_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out, struct Err *err)
{
    const char *start = rejoin_start_line(input, arena);
    struct Rejoin rejoin = {
        .what = "start MariaDB read-only; where another is primary by then, as its replica",
        .timeout_ns = REJOIN_MOST_S * NS_PER_S};
    (void)err;
    *out = (struct Commands){.at = NULL};
    if (start != NULL && !input->leave_stopped)
        plan_script(config, input, &rejoin, start, arena, out);
    return true;
}

void mariadb_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Commands *out)
{
    struct Rejoin rejoin = {.what = "it could come back as a replica",
                            .timeout_ns = READY_MOST_S * NS_PER_S};
    plan_script(config, input, &rejoin, "", arena, out);
}
