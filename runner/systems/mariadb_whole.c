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
    if (!look->follows)
        lacking(mine, "%.80s follows nobody", name);
    else if (look->error[0] != '\0')
        lacking(mine, "%.80s does not replicate: %.180s", name, look->error);
    else if (mariadb_host_at(system, look->source) != primary)
        lacking(mine, "%.80s follows %.60s, and no longer the primary", name, look->source);
    else if (!look->runs)
        lacking(mine, "%.80s does not replicate", name);
    else if (look->behind_s > BEHIND_MOST_S)
        lacking(mine, "%.80s is %lld s behind", name, (long long)look->behind_s);
    else if (!look->read_only)
        lacking(mine, "%.80s replicates and takes writes: read_only is off", name);
    else
        mine->redundancy.in_sync++;
}

static void judge(struct WholeAsk *mine)
{
    const struct Role *role = mine->look.system->role;
    size_t leaders = 0, silent = 0, primary = mariadb_primary(&mine->look, &leaders);
    for (size_t n = 0; n < role->host_count; n++) {
        const struct MariadbLook *look = &mine->look.hosts[n];
        silent += look->says && look->shows ? 0 : 1;
        if (look->refused)
            lacking(mine, "MariaDB on %.80s does not run", role->hosts[n]->name);
    }
    if (leaders > 1)
        lacking(mine, "%zu hosts take writes and follow nobody", leaders);
    if (leaders == 0 && silent == 0)
        lacking(mine, "no host takes writes");
    if (primary == role->host_count)
        return;
    mine->redundancy.in_sync = 1;
    for (size_t n = 0; n < role->host_count; n++)
        if (n != primary && mine->look.hosts[n].says && mine->look.hosts[n].shows)
            judge_replica(mine, n, primary);
    const struct MariadbLook *source = &mine->look.hosts[primary];
    if (source->semi_source && !source->semi_on)
        lacking(mine, "semi-sync of %.80s has fallen back: it waits for nobody",
                role->hosts[primary]->name);
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
    struct Mariadb *system = data;
    struct WholeAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_whole);
    mine->look.system = system;
    mine->redundancy.complete = KNOWN_UNKNOWN;
    mine->done = done;
    mine->data = done_data;
    mariadb_look_all(&mine->look);
    ask_go(&mine->look.ask);
}
