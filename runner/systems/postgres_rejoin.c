/* postgres_rejoin.c - how a former primary is started so that it comes back as a replica. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "postgres.h"

static const char rejoin_sh[] = {
#include "runner/systems/postgres_rejoin.sh.h"
    0};

enum { REJOIN_MOST_S = 80, READY_MOST_S = 10 };

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

/* The script of a host; `start` is empty where it only looks whether it could. */
static void add_script(const struct PostgresConfig *config, const struct PlanInput *input,
                       struct Arena *arena, const char *start, struct Command *command)
{
    const struct Role *role = input->role;
    const char *const first[] = {"sh",
                                 "-c",
                                 script(),
                                 "rejoin",
                                 arena_printf(arena, "%lld", (long long)config->access.db_port),
                                 config->config_file,
                                 config->rewind,
                                 start};
    size_t count = 0;
    const char **argv = arena_zero(arena, COUNT_OF(first) + role->host_count + 1, sizeof(*argv));
    for (; count < COUNT_OF(first); count++)
        argv[count] = first[count];
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] != input->target)
            argv[count++] = access_address(role->hosts[n]);
    command->argv = argv;
}

bool postgres_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err)
{
    const char *start = start_line(input, arena);
    (void)err;
    *out = (struct Commands){.at = NULL};
    if (start == NULL || input->leave_stopped)
        return true;
    struct Command *command = arena_zero(arena, 1, sizeof(*command));
    *command = (struct Command){
        .what = "start PostgreSQL; where another is primary by then, rewound and as its replica",
        .timeout_ns = REJOIN_MOST_S * NS_PER_S};
    add_script(config, input, arena, start, command);
    *out = (struct Commands){.at = command, .count = 1};
    return true;
}

void postgres_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out)
{
    struct Command *command = arena_zero(arena, 1, sizeof(*command));
    *command = (struct Command){.what = "it could come back as a replica",
                                .timeout_ns = READY_MOST_S * NS_PER_S};
    add_script(config, input, arena, "", command);
    *out = (struct Commands){.at = command, .count = 1};
}
