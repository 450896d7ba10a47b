/* postgres_rejoin.c - how a former primary is started so that it comes back as a replica. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "postgres.h"
#include "rejoin.h"

static const char rejoin_sh[] = {
#include "runner/systems/postgres_rejoin.sh.h"
    0};

enum { REJOIN_MOST_S = 80, READY_MOST_S = 10 };
/* Where only we promote: whoever was told to has said so by then. */
enum { WATCH_S = 3 };

struct Start {
    const char *line; /* empty: it only looks whether it could */
    int watch_s;
};

/* The script of a host. */
static void plan_script(const struct PostgresConfig *config, const struct PlanInput *input,
                        struct Rejoin *rejoin, const struct Start *start, struct Arena *arena,
                        struct Commands *out)
{
    const struct Role *role = input->role;
    const char *const words[] = {arena_printf(arena, "%lld", (long long)config->access.db_port),
                                 config->config_file, config->rewind,
                                 arena_printf(arena, "%d", start->watch_s), start->line};
    const char **places = arena_zero(arena, role->host_count, sizeof(*places));
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] != input->target)
            places[rejoin->place_count++] = access_address(role->hosts[n]);
    rejoin->script = rejoin_script(rejoin_sh);
    rejoin->words = words;
    rejoin->word_count = COUNT_OF(words);
    rejoin->places = places;
    rejoin_plan(rejoin, arena, out);
}

void postgres_plan_watched(const struct PostgresConfig *config, const struct PlanInput *input,
                           int watch_s, struct Arena *arena, struct Commands *out)
{
    const char *line = rejoin_start_line(input, arena);
    struct Rejoin rejoin = {
        .what = "start PostgreSQL; where another is primary by then, rewound and as its replica",
        .timeout_ns = REJOIN_MOST_S * NS_PER_S};
    *out = (struct Commands){.at = NULL};
    if (line != NULL && !input->leave_stopped)
        plan_script(config, input, &rejoin, &(struct Start){line, watch_s}, arena, out);
}

bool postgres_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err)
{
    (void)err;
    postgres_plan_watched(config, input, WATCH_S, arena, out);
    return true;
}

void postgres_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out)
{
    struct Rejoin rejoin = {.what = "it could come back as a replica",
                            .timeout_ns = READY_MOST_S * NS_PER_S};
    plan_script(config, input, &rejoin, &(struct Start){"", WATCH_S}, arena, out);
}
