/* asking.c - questions on the terminal before anything is contacted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"

bool cli_ask_line(const char *question, char *answer, size_t room)
{
    fputs(question, stderr);
    fflush(stderr);
    if (fgets(answer, (int)room, stdin) == NULL)
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return true;
}

static bool is_given(const struct Cli *cli, const char *name)
{
    for (size_t at = 0; at < cli->param_count; at++)
        if (text_equal(cli->params[at].name, name))
            return true;
    return false;
}

/* An empty answer leaves the default, or the problem that there is none. */
static void ask_param(struct Cli *cli, const char *name, const struct Node *param)
{
    char answer[300];
    const struct Node *ask = node_get(param, "ask"), *fallback = node_get(param, "default");
    bool scalar = fallback != NULL && fallback->type == NODE_SCALAR;
    if (ask == NULL || ask->type != NODE_SCALAR || ask->broken || is_given(cli, name))
        return;
    const char *question = arena_printf(cli->arena, "%s%s%s%s ", ask->text, scalar ? " [" : "",
                                        scalar ? fallback->text : "", scalar ? "]" : "");
    if (!cli_ask_line(question, answer, sizeof answer) || answer[0] == '\0')
        return;
    struct ParamValue *params = arena_zero(cli->arena, cli->param_count + 1, sizeof *params);
    for (size_t at = 0; at < cli->param_count; at++)
        params[at] = cli->params[at];
    params[cli->param_count] =
        (struct ParamValue){.name = name, .value = arena_text(cli->arena, answer)};
    cli->params = params;
    cli->param_count++;
}

void cli_ask_params(struct Cli *cli, const struct Node *scenario)
{
    const struct Node *params = node_get(scenario, "params");
    bool plans = text_equal(cli->verb->name, "run") || text_equal(cli->verb->name, "plan");
    if (!plans || !cli->may_ask || params == NULL || params->type != NODE_MAP)
        return;
    for (size_t at = 0; at < params->count; at++)
        ask_param(cli, params->keys[at]->text, params->items[at]);
}
