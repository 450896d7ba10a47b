/* pods.c - the hosts of roles that are pods, found by kubectl. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "pods.h"

#include "../base/text.h"
#include "../transports/node.h"
#include "machine.h"

#define FIND_TIMEOUT_NS (15 * NS_PER_S)

/* A host by that name: the same pod, where another role found it; or none. */
static struct Target *known_as(const struct Environment *environment, const char *name)
{
    struct Target *const *hosts = environment->hosts.items;
    for (size_t at = 0; at < environment->hosts.count; at++)
        if (text_equal(hosts[at]->name, name))
            return hosts[at];
    return NULL;
}

static const struct Target *add_pod(struct Environment *environment, const struct Role *role,
                                    const struct PodRow *row, const struct Target *seat,
                                    struct Err *err)
{
    struct Target *known = known_as(environment, row->name);
    if (known != NULL && text_equal(known->uid, row->uid))
        return known;
    if (known != NULL) {
        err_set(err, ERR_NOT_READY, role->where,
                "two hosts are called '%s', one a pod of role '%s'", row->name, role->name);
        return NULL;
    }
    struct Target *pod = arena_zero(environment->arena, 1, sizeof *pod);
    *pod = *seat;
    pod->name = arena_text(environment->arena, row->name);
    pod->uid = arena_text(environment->arena, row->uid);
    pod->address =
        text_equal(row->address, "-") ? NULL : arena_text(environment->arena, row->address);
    pod->where = role->where;
    *(struct Target **)list_add(&environment->hosts, environment->arena, sizeof(void *)) = pod;
    return pod;
}

static bool fill(struct Environment *environment, struct Role *role, const struct Target *seat,
                 const struct List *rows, struct Err *err)
{
    const struct PodRow *row = rows->items;
    const struct Target **hosts = arena_zero(environment->arena, rows->count + 1, sizeof(void *));
    for (size_t at = 0; at < rows->count; at++) {
        hosts[at] = add_pod(environment, role, &row[at], seat, err);
        if (hosts[at] == NULL)
            return false;
    }
    role->hosts = hosts;
    role->host_count = rows->count;
    if (rows->count > 0)
        return true;
    err_set(err, ERR_NOT_READY, role->where, "role '%s' has no pods: nothing in '%s' is '%s'",
            role->name, role->service.pods->space, role->service.pods->selector);
    return err_hint(err, "kubectl --context=%s --namespace=%s get pods --show-labels",
                    role->service.pods->context, role->service.pods->space);
}

static bool find(struct Environment *environment, struct Role *role, const struct Target *seat,
                 struct Err *err)
{
    struct List rows = {.items = NULL};
    struct Target asked = *seat;
    asked.where = role->where;
    struct HostNode *node = node_open(&asked, mono_add(mono_now(), FIND_TIMEOUT_NS), err);
    bool good =
        node != NULL && pods_list(node, role->service.pods, mono_add(mono_now(), FIND_TIMEOUT_NS),
                                  environment->arena, &rows, err);
    node_close(node);
    return good && fill(environment, role, seat, &rows, err);
}

bool pods_seat(const struct Environment *environment, const struct Kinds *kinds, const char *state,
               const struct Target **out, struct Err *err)
{
    const char *root = NULL;
    if (!machine_folder(state, "pods", environment->name, environment->arena, &root, err))
        return false;
    struct Target *seat = arena_zero(environment->arena, 1, sizeof *seat);
    *seat = *machine_seat(kinds, root, environment->arena);
    seat->uid = ""; /* what is done from there is done to pods */
    *out = seat;
    return true;
}

bool pods_find(struct Environment *environment, const struct Kinds *kinds, const char *state,
               struct Err *err)
{
    struct Role *roles = environment->roles.items;
    const struct Target *seat = NULL;
    for (size_t at = 0; at < environment->roles.count; at++) {
        if (roles[at].service.pods == NULL)
            continue;
        if (seat == NULL && !pods_seat(environment, kinds, state, &seat, err))
            return false;
        if (!find(environment, &roles[at], seat, err))
            return false;
    }
    if (environment->lock_host == NULL && environment->hosts.count > 0)
        environment->lock_host = ((struct Target *const *)environment->hosts.items)[0]->name;
    return true;
}
