/* leader.c - where the primary of a role is, asked as a client asks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "leader.h"

#include <stdio.h>

#include "../runner/base/arena.h"
#include "reply.h"

const struct Reply nobody_leads = {.outcome = OUTCOME_FAILED,
                                   .failure = FAILURE_UNRESOLVED,
                                   .by = "",
                                   .detail = "nobody says who is the primary"};

static bool open_host(struct Ways *ways, size_t index, struct Err *err)
{
    const struct Target *host = ways->role->hosts[index];
    struct Endpoint direct = {.host = NULL};
    ways->role->system->endpoint(ways->role->system_config, host, &direct);
    return place_find(ways->input, host->name, direct.host, direct.port, &ways->at[index], err);
}

static bool open_front(struct Ways *ways, struct Err *err)
{
    struct Endpoint front = {.host = NULL};
    if (ways->fixed != NULL || ways->role->system->front == NULL)
        return true;
    ways->role->system->front(ways->role->system_config, &front);
    if (front.host == NULL)
        return true;
    ways->front = mem_zero(1, sizeof(*ways->front));
    return place_find(ways->input, front.host, front.host, front.port, ways->front, err);
}

static bool open_all(struct Ways *ways, const struct ProbeInput *input, bool front, struct Err *err)
{
    const struct Role *role = input->role;
    *ways = (struct Ways){.input = input, .role = role};
    if (role->system == NULL || role->system->endpoint == NULL)
        return err_set(err, ERR_RULE, NOWHERE, "role '%s' is no system that has a primary",
                       role->name);
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] == input->from)
            ways->fixed = input->from;
    if (input->from != NULL)
        ways->at = mem_zero(role->host_count, sizeof(*ways->at));
    bool good = !front || open_front(ways, err);
    for (size_t n = 0; n < role->host_count && good && ways->at != NULL; n++)
        if (ways->fixed == NULL || ways->fixed == role->hosts[n])
            good = open_host(ways, n, err);
    if (!good)
        ways_close(ways);
    return good;
}

bool ways_open(struct Ways *ways, const struct ProbeInput *input, struct Err *err)
{
    return open_all(ways, input, true, err);
}

bool ways_open_direct(struct Ways *ways, const struct ProbeInput *input, struct Err *err)
{
    return open_all(ways, input, false, err);
}

void ways_close(struct Ways *ways)
{
    mem_free(ways->at);
    mem_free(ways->front);
    ways->at = ways->front = NULL;
}

void ways_to(const struct Ways *ways, const struct Target *host, struct Endpoint *out)
{
    ways->role->system->endpoint(ways->role->system_config, host, out);
    for (size_t n = 0; ways->at != NULL && n < ways->role->host_count; n++)
        if (ways->role->hosts[n] == host && ways->at[n].port != 0) {
            out->host = ways->at[n].host;
            out->port = ways->at[n].port;
        }
}

/* What is known without asking: the host itself, the proxy, or that nobody can be asked. */
static void on_timer(void *data, int events)
{
    (void)events;
    struct Leader *leader = data;
    const struct Role *role = leader->ways->role;
    struct Endpoint at = {.host = NULL};
    if (leader->ways->front != NULL) {
        role->system->endpoint(role->system_config, role->hosts[0], &at);
        at.host = leader->ways->front->host;
        at.port = leader->ways->front->port;
        leader->done(leader->data, &at, NULL);
        return;
    }
    if (leader->ways->fixed == NULL) {
        leader->done(leader->data, NULL, NULL);
        return;
    }
    ways_to(leader->ways, leader->ways->fixed, &at);
    leader->done(leader->data, &at, leader->ways->fixed);
}

static void on_found(void *data, const char *address, uint16_t port)
{
    struct Leader *leader = data;
    const struct Role *role = leader->ways->role;
    if (address == NULL) {
        leader->done(leader->data, NULL, NULL);
        return;
    }
    struct Endpoint at = {.host = NULL};
    const struct Target *host = role_host_at(role, address);
    if (host != NULL && leader->ways->at != NULL) {
        ways_to(leader->ways, host, &at);
    } else {
        role->system->endpoint(role->system_config, role->hosts[0], &at);
        snprintf(leader->address, sizeof(leader->address), "%.47s", address);
        at.host = leader->address;
        at.port = port;
    }
    leader->done(leader->data, &at, host);
}

static void begin(struct Leader *leader,
                  void (*done)(void *data, const struct Endpoint *at, const struct Target *host),
                  void *data)
{
    const struct Role *role = leader->ways->role;
    struct Err err = {.code = ERR_OWN};
    bool known = leader->ways->fixed != NULL || leader->ways->front != NULL;
    leader->done = done;
    leader->data = data;
    leader->primaries = 0;
    if (leader->timer == NULL)
        leader->timer = loop_timer(leader->loop, on_timer, leader);
    if (!known && leader->system == NULL)
        leader->system = role->system->open(role->system_config, role, leader->loop, &err);
}

void leader_find(struct Leader *leader, struct Mono deadline,
                 void (*done)(void *data, const struct Endpoint *at, const struct Target *host),
                 void *data)
{
    const struct Role *role = leader->ways->role;
    begin(leader, done, data);
    if (leader->system != NULL)
        role->system->find_primary(leader->system, deadline, on_found, leader);
    else
        loop_timer_at(leader->timer, mono_now());
}

static void on_last(void *data, const struct Target *host, size_t primaries)
{
    struct Leader *leader = data;
    struct Endpoint at = {.host = NULL};
    leader->primaries = primaries;
    if (host != NULL)
        ways_to(leader->ways, host, &at);
    leader->done(leader->data, host != NULL ? &at : NULL, host);
}

void leader_find_last(struct Leader *leader, struct Mono deadline,
                      void (*done)(void *data, const struct Endpoint *at,
                                   const struct Target *host),
                      void *data)
{
    const struct SystemKind *kind = leader->ways->role->system;
    begin(leader, done, data);
    if (leader->system != NULL && kind->find_last != NULL)
        kind->find_last(leader->system, deadline, on_last, leader);
    else
        leader_find(leader, deadline, done, data);
}

void leader_cancel(struct Leader *leader)
{
    if (leader->timer != NULL)
        loop_timer_off(leader->timer);
    if (leader->system != NULL)
        leader->ways->role->system->cancel(leader->system);
}

void leader_close(struct Leader *leader)
{
    loop_timer_free(leader->timer);
    if (leader->system != NULL)
        leader->ways->role->system->close(leader->system);
    leader->timer = NULL;
    leader->system = NULL;
}
