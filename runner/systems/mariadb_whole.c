/* mariadb_whole.c - is all the redundancy there that the role has hosts for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "mariadb_system.h"

/* What a replica that runs is behind by all the same, under writes. */
enum { BEHIND_MOST_S = 10 };

struct WholeAsk {
    struct MariadbAsk look; /* first */
    struct Redundancy redundancy;
    char why[300];
    RedundancyFn *done;
    void *data;
};

/* What is missing for sure; the first counts. */
__attribute__((format(printf, 2, 3))) static void lacking(struct WholeAsk *mine, const char *format,
                                                          ...)
{
    mine->redundancy.complete = KNOWN_NO;
    if (mine->why[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(mine->why, sizeof(mine->why), format, values);
    va_end(values);
}

static void judge_replica(struct WholeAsk *mine, size_t host, size_t primary)
{
    const struct MariadbLook *look = &mine->look.hosts[host];
    const struct Mariadb *system = mine->look.system;
    const char *name = system->role->hosts[host]->name;
    if (look->connections == 0)
        lacking(mine, "%.80s follows nobody", name);
    else if (!look->read_only)
        lacking(mine, "%.80s replicates and takes writes: read_only is off", name);
    else if (mariadb_source(&mine->look, host) != primary && system->owes[0] != '\0')
        lacking(mine, "%s", system->owes);
    else if (mariadb_source(&mine->look, host) != primary)
        lacking(mine, "%.80s follows %.60s, and not the primary", name, look->source);
    else if (!look->runs)
        lacking(mine, "%.80s does not replicate%s%.180s", name, look->broken[0] != '\0' ? ": " : "",
                look->broken);
    else if (look->behind_s > BEHIND_MOST_S)
        lacking(mine, "%.80s is %lld s behind", name, (long long)look->behind_s);
    else
        mine->redundancy.in_sync++;
}

/* What does not answer is not known to be lacking. */
static size_t judge_answers(struct WholeAsk *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t silent = 0;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct MariadbLook *look = &mine->look.hosts[n];
        if (look->refused)
            lacking(mine, "MariaDB on %.80s cannot be reached", role->hosts[n]->name);
        else if (look->error[0] != '\0')
            lacking(mine, "%.80s says %.180s", role->hosts[n]->name, look->error);
        else if (!mariadb_answers(look))
            silent++;
    }
    return silent;
}

/* It was on before, where another has it on: who was promoted went on without it. */
static void judge_semi_sync(struct WholeAsk *mine, size_t primary)
{
    const struct Role *role = mine->look.system->role;
    const struct MariadbLook *source = &mine->look.hosts[primary];
    if (source->semi_source && !source->semi_on)
        lacking(mine,
                "semi-sync of %.80s has fallen back to asynchronous, for %lld replicas take part",
                role->hosts[primary]->name, (long long)source->semi_clients);
    for (size_t n = 0; n < role->host_count && !source->semi_source; n++)
        if (mine->look.hosts[n].semi_source)
            lacking(mine,
                    "%.80s acknowledges without semi-sync (rpl_semi_sync_master_enabled is off), "
                    "which is on at %.80s",
                    role->hosts[primary]->name, role->hosts[n]->name);
}

static void judge(struct WholeAsk *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t leaders = 0, primary = mariadb_primary(&mine->look, &leaders);
    size_t silent = judge_answers(mine);
    if (leaders > 1)
        lacking(mine, "%zu hosts take writes and follow nobody", leaders);
    if (leaders == 0 && silent == 0)
        lacking(mine, "no host takes writes");
    if (primary == role->host_count)
        return;
    mine->redundancy.in_sync = 1;
    for (size_t n = 0; n < role->host_count; n++)
        if (n != primary && mariadb_answers(&mine->look.hosts[n]))
            judge_replica(mine, n, primary);
    judge_semi_sync(mine, primary);
    if (mine->redundancy.complete == KNOWN_UNKNOWN && silent == 0)
        mine->redundancy.complete = KNOWN_YES;
}

static void tell_whole(struct Ask *ask)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    mine->redundancy.members = (uint32_t)mine->look.system->role->host_count;
    judge(mine);
    if (mine->redundancy.complete == KNOWN_UNKNOWN && mine->why[0] == '\0')
        snprintf(mine->why, sizeof(mine->why), "not all hosts answer");
    mine->redundancy.why = mine->why;
    mine->done(mine->data, &mine->redundancy);
}

void mariadb_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done, void *done_data)
{
    struct WholeAsk *mine = mariadb_ask_begin(data, sizeof(*mine), deadline, tell_whole);
    mine->redundancy.complete = KNOWN_UNKNOWN;
    mine->done = done;
    mine->data = done_data;
    mariadb_look_all(&mine->look, deadline);
    ask_go(&mine->look.ask);
}
