/* mariadb_rejoin.c - how a former primary is started so that it comes back as a replica. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mariadb_system.h"

static const char rejoin_sh[] = {
#include "runner/systems/mariadb_rejoin.sh.h"
    0};

enum { REJOIN_MOST_S = 80 };

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

bool mariadb_plan_rejoin(const void *data, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out, struct Err *err)
{
    const struct MariadbConfig *config = data;
    const struct Role *role = input->role;
    const char *start = start_line(input, arena);
    *out = (struct Commands){.at = NULL};
    (void)err;
    if (start == NULL || input->leave_stopped)
        return true;
    size_t count = 0;
    const char **argv = arena_zero(arena, 10 + role->host_count, sizeof(*argv));
    const char *const first[] = {"sh",
                                 "-c",
                                 script(),
                                 "rejoin",
                                 mariadb_address(input->target),
                                 arena_printf(arena, "%lld", (long long)config->access.port),
                                 config->option_file,
                                 start};
    for (; count < COUNT_OF(first); count++)
        argv[count] = first[count];
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] != input->target)
            argv[count++] = mariadb_address(role->hosts[n]);
    struct Command *command = arena_zero(arena, 1, sizeof(*command));
    *command =
        (struct Command){.what = "start MariaDB, as a replica of whoever takes writes by then",
                         .argv = argv,
                         .timeout_ns = REJOIN_MOST_S * NS_PER_S};
    *out = (struct Commands){.at = command, .count = 1};
    return true;
}
