/* environment_pods.c - `pods:` of a role: which pods of which cluster are its hosts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_build.h"

#include "node_edit.h"
#include <stddef.h>
#include <string.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

static const struct Field PODS_FIELDS[] = {
    {.name = "context",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PodsFields, context),
     .flags = FIELD_REQUIRED,
     .example = "staging",
     .doc = "The context of your kubeconfig that leads to the cluster; there is no default."},
    {.name = "namespace",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PodsFields, space),
     .flags = FIELD_REQUIRED,
     .example = "shop",
     .doc = "Their namespace."},
    {.name = "selector",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PodsFields, selector),
     .flags = FIELD_REQUIRED,
     .example = "app=billing",
     .doc = "The labels by which kubectl finds them, each time anew."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct PodsFields, node)},
    {.name = NULL},
};
const struct Record PODS_RECORD = {
    .name = "pods",
    .doc = "Pods of a cluster. kubectl on the runner's machine finds and ends them; it is given "
           "HOME, PATH and KUBECONFIG.",
    .size = sizeof(struct PodsFields),
    .fields = PODS_FIELDS,
};

static struct Err *say(struct EnvironmentBuild *build, enum ErrCode code, struct Where where,
                       const char *message)
{
    problems_say(build->problems, code, where, NULL, "%s", message);
    build->good = false;
    return problems_last(build->problems);
}

static bool is_word(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return false;
    return text[0] != '\0';
}

static void check_pods(struct EnvironmentBuild *build, const struct PodsFields *pods)
{
    const struct {
        const char *key, *value, *like;
        bool good;
    } rows[] = {
        {"context", pods->context, "a name that `kubectl config get-contexts` prints",
         is_word(pods->context)},
        {"namespace", pods->space, "small letters, digits and dashes",
         pods->space[0] != '\0' && pods->space[0] != '-' &&
             pods->space[strspn(pods->space, NAME_LETTERS)] == '\0'},
        {"selector", pods->selector, "labels without blanks, such as app=billing,tier!=test",
         is_word(pods->selector)},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!rows[i].good)
            err_at(say(build, ERR_VALUE, node_get(pods->node, rows[i].key)->where,
                       arena_printf(build->arena, "'%s' is no %s", rows[i].value, rows[i].key)),
                   "%s", rows[i].like);
}

void environment_check_hosts(struct EnvironmentBuild *build, const struct RoleFields *role)
{
    static const char *const of_hosts[] = {"hosts", "reach", "zone", "power"};
    if (role->pods == NULL) {
        if (role->hosts.count == 0 && node_get(role->node, "hosts") == NULL)
            err_at(say(build, ERR_REQUIRED, role->node->where, "the key `hosts` is missing"),
                   "like `hosts: {redis-1: {address: 10.10.0.31}}`");
        return;
    }
    check_pods(build, role->pods);
    for (size_t i = 0; i < COUNT_OF(of_hosts); i++) {
        const struct Node *node = node_get(role->node, of_hosts[i]);
        if (node != NULL)
            err_hint(say(build, ERR_RULE, node->where,
                         arena_printf(build->arena, "`%s` does not go with `pods`", of_hosts[i])),
                     "the pods are the hosts of this role, and kubectl reaches them");
    }
    if (role->system.variant != NULL)
        err_hint(say(build, ERR_RULE, role->node->where,
                     arena_printf(build->arena, "`%s` does not go with `pods`",
                                  role->system.variant->name)),
                 "who leads among pods is not asked; a role of hosts may be that system");
}

const struct Pods *environment_pods(struct EnvironmentBuild *build, const struct RoleFields *role)
{
    struct Pods *pods = arena_zero(build->arena, 1, sizeof *pods);
    *pods = (struct Pods){.context = role->pods->context,
                          .space = role->pods->space,
                          .selector = role->pods->selector};
    return pods;
}
