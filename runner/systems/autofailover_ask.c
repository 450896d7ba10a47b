/* autofailover_ask.c - the monitor's word: who leads, in which state each node is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "autofailover.h"

/* ---- the question ---- */

static const char nodes_text[] =
    "select nodename, nodehost, current_group_state, assigned_group_state, health, "
    "candidate_priority from pgautofailover.current_state($1, $2::int)";

bool monitor_leads(const char *state)
{
    static const char *const states[] = {"single", "primary", "wait_primary", "join_primary",
                                         "apply_settings"};
    for (size_t n = 0; n < COUNT_OF(states); n++)
        if (text_equal(state, states[n]))
            return true;
    return false;
}

static size_t host_of(const struct Role *role, const char *name, const char *address)
{
    size_t n = 0;
    while (n < role->host_count && !text_equal(role->hosts[n]->name, name) &&
           !text_equal(access_address(role->hosts[n]), address))
        n++;
    return n;
}

void monitor_take(struct MonitorLook *look, const struct Role *role, const struct Answer *answer)
{
    bool rows_came = answer->end == CALL_ANSWERED && answer->code == POSTGRES_ROWS;
    if (answer->end == CALL_ANSWERED && !rows_came)
        snprintf(look->error, sizeof(look->error), "%.*s", (int)strcspn(answer->bytes, "\r\n"),
                 answer->bytes);
    if (!rows_came)
        return;
    const struct PostgresRows *rows = postgres_rows(answer);
    look->answered = true;
    for (size_t row = 0; row < postgres_row_count(rows) && look->count < POSTGRES_HOSTS_MAX;
         row++) {
        struct MonitorNode *node = &look->nodes[look->count++];
        postgres_text(rows, row, 0, node->name, sizeof(node->name));
        node->host = host_of(role, node->name, postgres_value(rows, row, 1));
        postgres_text(rows, row, 2, node->state, sizeof(node->state));
        postgres_text(rows, row, 3, node->goal, sizeof(node->goal));
        node->health = postgres_number(rows, row, 4, -1);
        node->priority = postgres_number(rows, row, 5, -1);
    }
}

bool monitor_ask(struct Ask *ask, struct Autofailover *system, const struct PostgresQuery *query,
                 AskFn *fn)
{
    const struct AutofailoverConfig *config = system->config;
    struct Err err = {.code = ERR_OWN};
    if (system->monitor == NULL)
        system->monitor = postgres_open(ask->all->loop,
                                        &(struct Endpoint){.host = config->monitor_host,
                                                           .port = config->monitor_port,
                                                           .secret = config->monitor_password,
                                                           .dsn = config->monitor},
                                        &err);
    if (system->monitor == NULL)
        return false;
    struct AskPart *part = ask_part(ask, 0, fn);
    part->call = postgres_call(system->monitor, query, ask->deadline, ask_answered, part);
    return true;
}

bool monitor_look_at(struct Ask *ask, struct Autofailover *system, AskFn *fn)
{
    char group[24];
    snprintf(group, sizeof(group), "%lld", (long long)system->config->group);
    const char *const values[] = {system->config->formation, group};
    return monitor_ask(
        ask, system,
        &(struct PostgresQuery){.text = nodes_text, .values = values, .count = COUNT_OF(values)},
        fn);
}

size_t monitor_leader(const struct MonitorLook *look, const struct Role *role)
{
    size_t leader = role->host_count, leaders = 0;
    for (size_t n = 0; n < look->count; n++)
        if (monitor_leads(look->nodes[n].state) && monitor_leads(look->nodes[n].goal)) {
            leader = look->nodes[n].host;
            leaders++;
        }
    return leaders == 1 ? leader : role->host_count;
}

/* ---- who leads, and whether it is missed ---- */

struct StateAsk {
    struct Ask ask; /* first */
    struct Autofailover *system;
    struct MonitorLook look;
    union {
        StandingFn *standing;
        void (*detected)(void *data, enum Known detected);
    } done;
    void *data;
};

static bool take_state(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct StateAsk *mine = (struct StateAsk *)ask;
    (void)index;
    monitor_take(&mine->look, mine->system->postgres.role, answer);
    return true;
}

static struct StateAsk *begin_state(struct Autofailover *system, struct Mono deadline,
                                    void (*finish)(struct Ask *ask), void *data)
{
    struct StateAsk *mine = ask_begin(&system->postgres.asking, sizeof(*mine), deadline, finish);
    mine->system = system;
    mine->data = data;
    (void)monitor_look_at(&mine->ask, system, take_state);
    ask_go(&mine->ask);
    return mine;
}

static void tell_control(struct Ask *ask)
{
    struct StateAsk *mine = (struct StateAsk *)ask;
    const struct Role *role = mine->system->postgres.role;
    size_t leader = monitor_leader(&mine->look, role);
    struct Standing standing = {.asked = ask->asked, .answered = mono_now()};
    if (leader < role->host_count) {
        standing.rank = RANK_PRIMARY;
        standing.host = role->hosts[leader];
    }
    mine->done.standing(mine->data, &standing);
}

void autofailover_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    begin_state(system, deadline, tell_control, data)->done.standing = done;
}

/* It has given who led another goal; or another leads, and that was too quick to be seen. */
static void tell_detected(struct Ask *ask)
{
    struct StateAsk *mine = (struct StateAsk *)ask;
    struct Autofailover *system = mine->system;
    const struct Role *role = system->postgres.role;
    size_t leader = monitor_leader(&mine->look, role);
    enum Known detected = KNOWN_UNKNOWN;
    if (mine->look.count > 0 && system->first_leader != NULL)
        detected = leader < role->host_count && role->hosts[leader] == system->first_leader
                       ? KNOWN_NO
                       : KNOWN_YES;
    else if (leader < role->host_count)
        detected = KNOWN_NO;
    if (leader < role->host_count)
        system->first_leader = role->hosts[leader];
    mine->done.detected(mine->data, detected);
}

void autofailover_ask_detected(void *system, struct Mono deadline,
                               void (*done)(void *data, enum Known detected), void *data)
{
    begin_state(system, deadline, tell_detected, data)->done.detected = done;
}

/* ---- redundancy: PostgreSQL's, and whether the monitor could fail over again ---- */

struct WholeAsk {
    struct PostgresWhole whole; /* first */
    struct MonitorLook monitor;
};

static bool take_whole(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    (void)index;
    monitor_take(&mine->monitor, mine->whole.look.system->role, answer);
    return true;
}

static const struct MonitorNode *node_of(const struct MonitorLook *look, size_t host)
{
    for (size_t n = 0; n < look->count; n++)
        if (look->nodes[n].host == host)
            return &look->nodes[n];
    return NULL;
}

static void judge_node(struct WholeAsk *mine, size_t host)
{
    const struct MonitorNode *node = node_of(&mine->monitor, host);
    const char *name = mine->whole.look.system->role->hosts[host]->name;
    char *lacks = mine->whole.lacks;
    size_t size = sizeof(mine->whole.lacks);
    if (lacks[0] != '\0')
        return;
    if (node == NULL)
        snprintf(lacks, size, "%.100s is no node of the monitor's", name);
    else if (!text_equal(node->state, node->goal))
        snprintf(lacks, size, "the monitor has %.100s as %.30s, on its way to %.30s", name,
                 node->state, node->goal);
    else if (!text_equal(node->state, "primary") && !text_equal(node->state, "secondary"))
        snprintf(lacks, size, "the monitor has %.100s as %.30s", name, node->state);
    else if (node->health == 0)
        snprintf(lacks, size, "the monitor has %.100s as unhealthy", name);
}

static void tell_whole(struct Ask *ask)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    postgres_judge_whole(&mine->whole);
    if (!mine->monitor.answered && mine->whole.unseen[0] == '\0')
        snprintf(mine->whole.unseen, sizeof(mine->whole.unseen), "the monitor gives no answer%s%s",
                 mine->monitor.error[0] != '\0' ? ": " : "", mine->monitor.error);
    for (size_t n = 0; mine->monitor.answered && n < mine->whole.look.system->role->host_count; n++)
        judge_node(mine, n);
    postgres_tell_whole(&mine->whole);
}

void autofailover_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done,
                                 void *done_data)
{
    struct Autofailover *system = data;
    struct WholeAsk *mine = look_begin(&system->postgres, sizeof(*mine), deadline, tell_whole);
    mine->whole.done = done;
    mine->whole.data = done_data;
    (void)monitor_look_at(&mine->whole.look.ask, system, take_whole);
    look_at_all(&mine->whole.look, deadline);
    ask_go(&mine->whole.look.ask);
}
