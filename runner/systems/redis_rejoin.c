/* redis_rejoin.c - how a former primary is started so that it comes back as a replica. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "redis_alone.h"
#include "rejoin.h"
#include "sentinel.h"

static const char sentinel_sh[] = {
#include "runner/systems/redis_host.sh.h"
#include "runner/systems/redis_rejoin.sh.h"
    0};
static const char alone_sh[] = {
#include "runner/systems/redis_host.sh.h"
#include "runner/systems/redis_alone_rejoin.sh.h"
    0};

enum { SENTINEL_MOST_S = 30, ALONE_MOST_S = 60, READY_MOST_S = 20 };

static const char *port_of(const struct RedisAccess *access, struct Arena *arena)
{
    return arena_printf(arena, "%lld", (long long)access->port);
}

/* ---- the Sentinels say who leads ---- */

bool sentinel_plan_rejoin(const void *data, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err)
{
    const struct SentinelConfig *config = data;
    const char *start = rejoin_start_line(input, arena), *places[SENTINELS_MAX];
    const char *const words[] = {
        target_address(input->target), port_of(&config->access, arena), config->master,
        config->access.config_file,    config->access.tls ? "tls" : "", start};
    struct Rejoin rejoin = {
        .script = rejoin_script(sentinel_sh),
        .what = "start Redis, as a replica of the primary that the Sentinels name by then",
        .words = words,
        .word_count = COUNT_OF(words),
        .places = places,
        .timeout_ns = SENTINEL_MOST_S * NS_PER_S};
    (void)err;
    *out = (struct Commands){.at = NULL};
    if (start == NULL || input->leave_stopped)
        return true;
    for (size_t n = 0; n < config->sentinels.count; n++) {
        char host[256];
        struct Endpoint at = {.host = NULL};
        if (sentinel_endpoint(config, n, host, &at))
            places[rejoin.place_count++] = arena_printf(arena, "%s %u", host, (unsigned)at.port);
    }
    rejoin_plan(&rejoin, arena, out);
    return true;
}

/* ---- nobody watches over it, and all others are asked ---- */

/* The script of a host; `start` is empty where it only looks whether it could. */
static void plan_alone(const struct RedisAccess *access, const struct PlanInput *input,
                       struct Rejoin *rejoin, const char *start, struct Arena *arena,
                       struct Commands *out)
{
    const struct Role *role = input->role;
    const char *stop = rejoin_stop_line(input, arena);
    const char *const words[] = {target_address(input->target),
                                 port_of(access, arena),
                                 access->config_file,
                                 access->tls ? "tls" : "",
                                 start,
                                 stop != NULL ? stop : ""};
    const char **places = arena_zero(arena, role->host_count, sizeof(*places));
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] != input->target)
            places[rejoin->place_count++] = target_address(role->hosts[n]);
    rejoin->script = rejoin_script(alone_sh);
    rejoin->words = words;
    rejoin->word_count = COUNT_OF(words);
    rejoin->places = places;
    rejoin_plan(rejoin, arena, out);
}

bool alone_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Commands *out, struct Err *err)
{
    const char *start = rejoin_start_line(input, arena);
    bool stays = input->leave_stopped;
    struct Rejoin rejoin = {.what = "start Redis; where another is primary by then, as its replica",
                            .timeout_ns = ALONE_MOST_S * NS_PER_S};
    *out = (struct Commands){.at = NULL};
    if (start == NULL && !stays) { /* whoever else starts it would make it a second primary */
        err_set(err, ERR_NO_UNDO, input->target->where,
                "nobody knows how Redis on '%s' is started as a replica", input->target->name);
        return err_hint(err, "Give the role's service a `unit:` or a `start:`, or say `undo: "
                             "{leave: stopped}`.");
    }
    if (!stays)
        plan_alone(config, input, &rejoin, start, arena, out);
    return true;
}

void alone_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Commands *out)
{
    struct Rejoin rejoin = {.what = "it could come back as a replica",
                            .timeout_ns = READY_MOST_S * NS_PER_S};
    plan_alone(config, input, &rejoin, "", arena, out);
}
