/* galera_whole.c - are all nodes there, and what the configuration promises when one is lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "galera.h"

/* ---- redundancy ---- */

struct WholeAsk {
    struct GaleraAsk look; /* first */
    struct Redundancy redundancy;
    char why[300];
    RedundancyFn *done;
    void *data;
};

/* What is wrong with a node, or ""; the words of both questions. */
static void fault_of(const struct GaleraAsk *mine, size_t host, char *out, size_t size)
{
    const struct GaleraLook *look = &mine->hosts[host];
    const char *name = mine->system->role->hosts[host]->name;
    size_t first = galera_first(mine, NULL), hosts = mine->system->role->host_count;
    out[0] = '\0';
    if (look->refused)
        snprintf(out, size, "MariaDB on %.80s refuses connections", name);
    else if (!look->says)
        return;
    else if (!look->on)
        snprintf(out, size, "wsrep_on is off on %.80s: what it takes goes nowhere else", name);
    else if (!look->primary || !look->ready)
        snprintf(out, size, "%.80s is %.30s, %.40s: it takes no writes", name, look->status,
                 look->state);
    else if (look->shut)
        snprintf(out, size, "%.80s takes no writes: read_only or wsrep_reject_queries is set",
                 name);
    else if (!look->joins)
        snprintf(out, size,
                 "wsrep_cluster_address names nobody on %.80s: its start begins a cluster of its "
                 "own",
                 name);
    else if (look->desynced)
        snprintf(out, size, "%.80s is desynced (wsrep_desync): it may lag for ever", name);
    else if (!look->synced)
        snprintf(out, size, "%.80s is not in sync: %.40s", name, look->state);
    else if (first < hosts && !text_equal(look->cluster, mine->hosts[first].cluster))
        snprintf(out, size, "%.80s is in a cluster of its own", name);
    else if (look->size < (int64_t)hosts)
        snprintf(out, size, "%.80s sees %lld of %zu nodes", name, (long long)look->size, hosts);
}

static void judge(struct WholeAsk *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t silent = 0;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct GaleraLook *look = &mine->look.hosts[n];
        char fault[300];
        fault_of(&mine->look, n, fault, sizeof(fault));
        silent += look->says || look->refused ? 0 : 1;
        mine->redundancy.in_sync += galera_serves(look) && look->synced ? 1 : 0;
        if (fault[0] == '\0')
            continue;
        mine->redundancy.complete = KNOWN_NO;
        if (mine->why[0] == '\0')
            snprintf(mine->why, sizeof(mine->why), "%s", fault);
    }
    if (mine->redundancy.complete == KNOWN_UNKNOWN && silent == 0)
        mine->redundancy.complete = KNOWN_YES;
    else if (mine->why[0] == '\0')
        snprintf(mine->why, sizeof(mine->why), "not all nodes answer");
}

static void tell_whole(struct Ask *ask)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    mine->redundancy.members = (uint32_t)mine->look.system->role->host_count;
    judge(mine);
    mine->redundancy.why = mine->why;
    mine->done(mine->data, &mine->redundancy);
}

void galera_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done, void *done_data)
{
    struct Galera *system = data;
    struct WholeAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_whole);
    mine->look.system = system;
    mine->done = done;
    mine->data = done_data;
    for (size_t n = 0; n < system->role->host_count; n++)
        galera_look(&mine->look, n, NULL);
    ask_go(&mine->look.ask);
}

/* ---- prospect ---- */

enum { KNOBS_MAX = 8, VALUE_MAX = 80 };

struct ProspectAsk {
    struct GaleraAsk look; /* first */
    struct Knob knobs[KNOBS_MAX];
    char values[KNOBS_MAX][VALUE_MAX];
    size_t knob_count;
    char not_ready[400];
    ProspectFn *done;
    void *data;
};

__attribute__((format(printf, 3, 4))) static void knob(struct ProspectAsk *mine, const char *name,
                                                       const char *format, ...)
{
    if (mine->knob_count == KNOBS_MAX)
        bug("more than %d knobs", KNOBS_MAX);
    char *value = mine->values[mine->knob_count];
    va_list values;
    va_start(values, format);
    vsnprintf(value, VALUE_MAX, format, values);
    va_end(values);
    mine->knobs[mine->knob_count++] = (struct Knob){.name = name, .value = value};
}

/* The first trap counts. */
__attribute__((format(printf, 2, 3))) static void trap(struct ProspectAsk *mine, const char *format,
                                                       ...)
{
    if (mine->not_ready[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->not_ready, sizeof(mine->not_ready), format, values);
    va_end(values);
}

/* "evs.suspect_timeout = PT5S; ..."; "" where it is none of them. */
static void option(const char *options, const char *name, char out[40])
{
    size_t length = strlen(name);
    out[0] = '\0';
    for (const char *at = options; (at = strstr(at, name)) != NULL; at += length)
        if ((at == options || at[-1] == ' ' || at[-1] == ';') &&
            strncmp(at + length, " = ", 3) == 0) {
            at += length + 3;
            snprintf(out, 40, "%.*s", (int)strcspn(at, ";"), at);
            return;
        }
}

/* "PT5S", "PT0.5S", "PT1M30S". */
static int64_t period_ns(const char *text, int64_t otherwise)
{
    double seconds = 0;
    if (!text_starts(text, "PT"))
        return otherwise;
    for (const char *at = text + 2; *at != '\0'; at++) {
        char *end = NULL;
        double number = strtod(at, &end);
        if (end == at || strchr("HMS", *end) == NULL || *end == '\0')
            return otherwise;
        seconds += number * (*end == 'H' ? 3600 : *end == 'M' ? 60 : 1);
        at = end;
    }
    return (int64_t)(seconds * 1e9);
}

static void judge_options(struct ProspectAsk *mine, const char *options, struct Span *failover)
{
    static const char *const loose[] = {"pc.ignore_sb", "pc.ignore_quorum"};
    char suspect[40], inactive[40], weight[40], recovery[40], value[40];
    option(options, "evs.suspect_timeout", suspect);
    option(options, "evs.inactive_timeout", inactive);
    option(options, "pc.weight", weight);
    option(options, "pc.recovery", recovery);
    knob(mine, "evs.suspect_timeout", "%s", suspect);
    knob(mine, "evs.inactive_timeout", "%s", inactive);
    knob(mine, "pc.weight", "%s", weight);
    knob(mine, "pc.recovery", "%s", recovery);
    /* At once where the node leaves; suspected where it is silent; thrown out at the latest. */
    *failover = (struct Span){0, period_ns(inactive, 15 * NS_PER_S) + NS_PER_S};
    for (size_t n = 0; n < COUNT_OF(loose); n++) {
        option(options, loose[n], value);
        if (text_equal(value, "true"))
            trap(mine, "%s is on: a node that is cut off goes on taking writes", loose[n]);
    }
}

static void tell_prospect(struct Ask *ask)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    const struct Role *role = mine->look.system->role;
    struct Prospect prospect = {.failover = {.high_ns = NS_NEVER}, .keys_at_risk = -1};
    size_t firsts = 0, first = galera_first(&mine->look, &firsts);
    for (size_t n = 0; n < role->host_count; n++) {
        char fault[300];
        fault_of(&mine->look, n, fault, sizeof(fault));
        if (fault[0] != '\0')
            trap(mine, "%s", fault);
        else if (!mine->look.hosts[n].says)
            trap(mine, "MariaDB on %.80s does not say how it stands: %.200s", role->hosts[n]->name,
                 mine->look.hosts[n].error[0] != '\0' ? mine->look.hosts[n].error : "no answer");
    }
    if (firsts > 1)
        trap(mine, "there are %zu Primary components", firsts);
    if (first < role->host_count) {
        const struct GaleraLook *look = &mine->look.hosts[first];
        knob(mine, "MariaDB", "%s", look->version);
        knob(mine, "wsrep_cluster_size", "%lld", (long long)look->size);
        prospect.voters = look->size > 0 ? (size_t)look->size : 0;
        judge_options(mine, look->options, &prospect.failover);
        if (look->size == 2)
            knob(mine, "beware",
                 "of two nodes, the one that is left stops too, unless the other "
                 "leaves in order");
    }
    prospect.persistence = PERSIST_ALL; /* what it lacks the others give it */
    prospect.durable = "IST or SST";
    prospect.knobs = mine->knobs;
    prospect.knob_count = mine->knob_count;
    prospect.not_ready = mine->not_ready[0] != '\0' ? mine->not_ready : NULL;
    mine->done(mine->data, &prospect);
}

void galera_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct Galera *system = data;
    struct ProspectAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_prospect);
    mine->look.system = system;
    mine->done = done;
    mine->data = done_data;
    for (size_t n = 0; n < system->role->host_count; n++)
        galera_look(&mine->look, n, NULL);
    ask_go(&mine->look.ask);
}
