/* sentinel_rejoin.c - whom a former primary asks for the new one: the Sentinels. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sentinel.h"

bool sentinel_plan_rejoin(const void *data, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err)
{
    (void)err;
    const struct SentinelConfig *config = data;
    const char *places[SENTINELS_MAX];
    struct RejoinFrom from = {
        .master = config->master,
        .places = places,
        .what = "start Redis, as a replica of the primary that the Sentinels name by then"};
    for (size_t n = 0; n < config->sentinels.count; n++) {
        char host[256];
        struct Endpoint at = {.host = NULL};
        if (sentinel_endpoint(config, n, host, &at))
            places[from.count++] = arena_printf(arena, "%s %u", host, (unsigned)at.port);
    }
    redis_plan_rejoin(&config->access, input, &from, arena, out);
    return true;
}
