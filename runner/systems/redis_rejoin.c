/* redis_rejoin.c - how a former primary is started so that it comes back as a replica. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "redis_system.h"

static const char rejoin_sh[] = {
#include "runner/systems/redis_rejoin.sh.h"
    0};

enum { REJOIN_MOST_S = 30 };

/* Behind the lines that say what the file is. */
static const char *script(void)
{
    const char *at = rejoin_sh;
    while (*at == '#')
        at = strchr(at, '\n') + 1;
    return at;
}

/* The line that starts the service; NULL: nobody knows one, and the fault says so. */
static const char *start_line(const struct PlanInput *input, struct Arena *arena)
{
    const struct Service *service = &input->role->service;
    if (service->unit != NULL)
        return arena_printf(arena,
                            "systemctl reset-failed -- %s 2>/dev/null; systemctl start -- %s",
                            service->unit, service->unit);
    return service->start;
}

void redis_plan_rejoin(const struct RedisAccess *access, const struct PlanInput *input,
                       const struct RejoinFrom *from, struct Arena *arena, struct Commands *out)
{
    const char *start = start_line(input, arena);
    *out = (struct Commands){.at = NULL};
    if (start == NULL || input->leave_stopped)
        return;
    const char **argv = arena_zero(arena, 12 + from->count, sizeof(*argv));
    const char *const first[] = {"sh",
                                 "-c",
                                 script(),
                                 "rejoin",
                                 target_address(input->target),
                                 arena_printf(arena, "%lld", (long long)access->port),
                                 from->master,
                                 access->config_file,
                                 access->tls ? "tls" : "",
                                 start};
    size_t count = 0;
    for (; count < COUNT_OF(first); count++)
        argv[count] = first[count];
    for (size_t n = 0; n < from->count; n++)
        argv[count++] = from->places[n];
    struct Command *command = arena_zero(arena, 1, sizeof(*command));
    *command =
        (struct Command){.what = from->what, .argv = argv, .timeout_ns = REJOIN_MOST_S * NS_PER_S};
    *out = (struct Commands){.at = command, .count = 1};
}
