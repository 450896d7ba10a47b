/* autofailover_act.c - a switchover that the monitor is asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "autofailover.h"

/* What `pg_autoctl perform switchover` and `perform promotion` ask: it is the monitor's own work
 * from then on. */
static const char failover_text[] = "select pgautofailover.perform_failover($1, $2::int)";
static const char promotion_text[] = "select pgautofailover.perform_promotion($1, $2)";

struct ActAsk {
    struct Ask ask; /* first */
    struct Autofailover *system;
    const struct Target *to; /* NULL: whoever the monitor takes */
    bool looks;              /* nothing is sent */
    enum Known answer;
    char why[300];
    void (*done)(void *data, enum Known accepted, const char *why);
    void *data;
};

static void tell_act(struct Ask *ask)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    mine->done(mine->data, mine->answer, mine->why);
}

static bool take_accepted(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    (void)index;
    mine->why[0] = '\0';
    if (answer->end == CALL_REFUSED) {
        mine->answer = KNOWN_NO;
        snprintf(mine->why, sizeof(mine->why), "the monitor refuses the connection");
    } else if (answer->end != CALL_ANSWERED) {
        snprintf(mine->why, sizeof(mine->why), "it was sent, and the monitor did not answer");
    } else if (answer->code == POSTGRES_ROWS) {
        mine->answer = KNOWN_YES;
    } else {
        mine->answer = KNOWN_NO;
        snprintf(mine->why, sizeof(mine->why), "the monitor: %.*s",
                 (int)strcspn(answer->bytes, "\r\n"), answer->bytes);
    }
    return false;
}

static void send(struct ActAsk *mine, const char *node)
{
    char group[24];
    snprintf(group, sizeof(group), "%lld", (long long)mine->system->config->group);
    const char *const values[] = {mine->system->config->formation, node != NULL ? node : group};
    bool sent = monitor_ask(
        &mine->ask, mine->system,
        &(struct PostgresQuery){
            .text = node != NULL ? promotion_text : failover_text, .values = values, .count = 2},
        take_accepted);
    mine->answer = sent ? KNOWN_UNKNOWN : KNOWN_NO;
}

/* By the monitor's word: a secondary that follows and may be promoted. Why not, or NULL. */
static const char *unfit(const struct MonitorLook *look, const struct Role *role,
                         const struct Target *to, char why[300], const char **node)
{
    for (size_t n = 0; n < look->count; n++) {
        const struct MonitorNode *at = &look->nodes[n];
        if (at->host == role->host_count || role->hosts[at->host] != to)
            continue;
        *node = at->name;
        if (!text_equal(at->state, "secondary") || !text_equal(at->goal, "secondary"))
            snprintf(why, 300, "the monitor has %.80s as %.30s, on its way to %.30s", to->name,
                     at->state, at->goal);
        else if (at->health == 0)
            snprintf(why, 300, "the monitor has %.80s as unhealthy", to->name);
        else if (at->priority == 0)
            snprintf(why, 300, "%.80s has candidate-priority 0: it is never promoted", to->name);
        else
            return NULL;
        return why;
    }
    snprintf(why, 300, "the monitor knows no node at %.80s", to->name);
    return why;
}

static bool take_state(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    const struct Role *role = mine->system->postgres.role;
    struct MonitorLook look = {.answered = false};
    const char *node = NULL;
    (void)index;
    monitor_take(&look, role, answer);
    if (!look.answered) {
        mine->answer = mine->looks ? KNOWN_UNKNOWN : KNOWN_NO;
        snprintf(mine->why, sizeof(mine->why), "the monitor gives no answer%s%s",
                 look.error[0] != '\0' ? ": " : "", look.error);
        return false;
    }
    mine->answer = KNOWN_NO;
    if (mine->to != NULL && unfit(&look, role, mine->to, mine->why, &node) != NULL)
        return false;
    if (mine->looks) {
        mine->answer = KNOWN_YES;
        return false;
    }
    if (monitor_leader(&look, role) == role->host_count) {
        snprintf(mine->why, sizeof(mine->why), "the monitor has no node that leads");
        return false;
    }
    send(mine, node);
    return true;
}

static struct ActAsk *begin_act(struct Autofailover *system, struct Mono deadline, void *data)
{
    struct ActAsk *mine = ask_begin(&system->postgres.asking, sizeof(*mine), deadline, tell_act);
    mine->system = system;
    mine->data = data;
    return mine;
}

void autofailover_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                           void (*done)(void *data, enum Known accepted, const char *why),
                           void *data)
{
    struct ActAsk *mine = begin_act(system, deadline, data);
    mine->done = done;
    mine->to = wish->to;
    mine->answer = KNOWN_NO;
    snprintf(mine->why, sizeof(mine->why), "%s",
             wish->forced ? "pg_auto_failover's switchover is never forced: it demotes the primary "
                            "first"
                          : "our side cannot connect to the monitor");
    if (!wish->forced)
        (void)monitor_look_at(&mine->ask, system, take_state);
    ask_go(&mine->ask);
}

void autofailover_ask_fit(void *system, const struct Target *host, struct Mono deadline,
                          void (*done)(void *data, enum Known fit, const char *why), void *data)
{
    struct ActAsk *mine = begin_act(system, deadline, data);
    mine->done = done;
    mine->to = host;
    mine->looks = true;
    (void)monitor_look_at(&mine->ask, system, take_state);
    ask_go(&mine->ask);
}
