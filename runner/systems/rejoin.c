/* rejoin.c - how a former primary is started by a script of ours on its own host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rejoin.h"

#include <string.h>

#include "../base/text.h"

const char *rejoin_script(const char *text)
{
    while (*text == '#')
        text = strchr(text, '\n') + 1;
    return text;
}

const char *rejoin_start_line(const struct PlanInput *input, struct Arena *arena)
{
    const struct Service *service = &input->role->service;
    if (service->unit != NULL)
        return arena_printf(arena,
                            "systemctl reset-failed -- %s 2>/dev/null; systemctl start -- %s",
                            service->unit, service->unit);
    return service->start;
}

const char *rejoin_stop_line(const struct PlanInput *input, struct Arena *arena)
{
    const struct Service *service = &input->role->service;
    if (service->unit != NULL)
        return arena_printf(arena, "systemctl stop -- %s", service->unit);
    return service->stop;
}

void rejoin_plan(const struct Rejoin *rejoin, struct Arena *arena, struct Commands *out)
{
    const char *const first[] = {"sh", "-c", rejoin->script, "rejoin"};
    size_t count = 0;
    const char **argv = arena_zero(
        arena, COUNT_OF(first) + rejoin->word_count + rejoin->place_count + 1, sizeof(*argv));
    for (size_t n = 0; n < COUNT_OF(first); n++)
        argv[count++] = first[n];
    for (size_t n = 0; n < rejoin->word_count; n++)
        argv[count++] = rejoin->words[n];
    for (size_t n = 0; n < rejoin->place_count; n++)
        argv[count++] = rejoin->places[n];
    struct Command *command = arena_zero(arena, 1, sizeof(*command));
    *command =
        (struct Command){.what = rejoin->what, .argv = argv, .timeout_ns = rejoin->timeout_ns};
    *out = (struct Commands){.at = command, .count = 1};
}
