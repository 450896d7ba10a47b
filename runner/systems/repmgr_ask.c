/* repmgr_ask.c - what repmgr's own tables say on each host: who leads, who is missing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "repmgr.h"

/* ---- one host's tables ---- */

static const char tables_text[] =
    "select repmgr.repmgrd_is_running(), repmgr.repmgrd_is_paused(), (select string_agg(node_name "
    "|| ' ' || coalesce(substring(conninfo from 'host *= *''?([^ '']+)'), '-'), ' ') from "
    "repmgr.nodes where type = 'primary' and active), (select count(*) from repmgr.nodes where "
    "type = 'primary' and active), (select string_agg(node_name, ' ') from repmgr.nodes where not "
    "active), (select case when bool_and(conninfo ~ 'connect_timeout *= *''?[1-9]') then "
    "max(substring(conninfo from 'connect_timeout *= *''?([0-9]+)')::int) end from repmgr.nodes), "
    "(select extversion from pg_extension where extname = "
    "'repmgr')";

void repmgr_take(struct RepmgrLook *look, const struct Answer *answer)
{
    if (answer->end == CALL_ANSWERED && answer->code != POSTGRES_ROWS)
        snprintf(look->error, sizeof(look->error), "%.*s", (int)strcspn(answer->bytes, "\r\n"),
                 answer->bytes);
    if (answer->end != CALL_ANSWERED || answer->code != POSTGRES_ROWS)
        return;
    const struct PostgresRows *rows = postgres_rows(answer);
    look->answered = true;
    look->runs = text_equal(postgres_value(rows, 0, 0), "t");
    look->paused = text_equal(postgres_value(rows, 0, 1), "t");
    postgres_text(rows, 0, 2, look->primary, sizeof(look->primary));
    look->primary_count = (size_t)postgres_number(rows, 0, 3, 0);
    postgres_text(rows, 0, 4, look->inactive, sizeof(look->inactive));
    look->connect_timeout_s = postgres_number(rows, 0, 5, 0);
    postgres_text(rows, 0, 6, look->version, sizeof(look->version));
}

bool repmgr_look_at(struct Ask *ask, struct Repmgr *system, size_t host, AskFn *fn)
{
    const struct Role *role = system->postgres.role;
    struct Err err = {.code = ERR_OWN};
    if (system->tables[host] == NULL) {
        struct Endpoint at = {.host = NULL};
        access_endpoint(system->config, role->hosts[host], &at);
        at.dsn = system->dsn;
        system->tables[host] = postgres_open(ask->all->loop, &at, &err);
    }
    if (system->tables[host] == NULL)
        return false;
    struct AskPart *part = ask_part(ask, host, fn);
    part->call = postgres_call(system->tables[host], &(struct PostgresQuery){.text = tables_text},
                               ask->deadline, ask_answered, part);
    return true;
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += size)
        if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

bool repmgr_differs(const struct Role *role, const struct RepmgrLook *look, size_t primary,
                    size_t host, char *out, size_t size)
{
    size_t named = repmgr_primary(role, look);
    if (named == role->host_count)
        snprintf(out, size, "repmgr on %.100s names no primary of this role",
                 role->hosts[host]->name);
    else if (named != primary && primary < role->host_count)
        snprintf(out, size, "repmgr on %.60s takes %.60s for the primary, and PostgreSQL %.60s",
                 role->hosts[host]->name, role->hosts[named]->name, role->hosts[primary]->name);
    else
        return false;
    return true;
}

size_t repmgr_primary(const struct Role *role, const struct RepmgrLook *look)
{
    size_t n = 0;
    if (!look->answered || look->primary_count != 1)
        return role->host_count;
    while (n < role->host_count && !has_word(look->primary, access_address(role->hosts[n])) &&
           !has_word(look->primary, role->hosts[n]->name))
        n++;
    return n;
}

/* ---- who leads, by all hosts' tables ---- */

struct ControlAsk {
    struct Ask ask; /* first */
    const struct Role *role;
    struct RepmgrLook hosts[POSTGRES_HOSTS_MAX];
    StandingFn *done;
    void *data;
};

static bool take_vote(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ControlAsk *mine = (struct ControlAsk *)ask;
    repmgr_take(&mine->hosts[index], answer);
    return true;
}

/* Each host has a copy, and that of one that is cut off, or was, may be old: more than half of them
 * decide. */
static void tell_control(struct Ask *ask)
{
    struct ControlAsk *mine = (struct ControlAsk *)ask;
    size_t votes[POSTGRES_HOSTS_MAX + 1] = {0};
    struct Standing standing = {.asked = ask->asked, .answered = mono_now()};
    for (size_t n = 0; n < mine->role->host_count; n++)
        votes[repmgr_primary(mine->role, &mine->hosts[n])]++;
    for (size_t n = 0; n < mine->role->host_count; n++)
        if (votes[n] > mine->role->host_count / 2) {
            standing.rank = RANK_PRIMARY;
            standing.host = mine->role->hosts[n];
        }
    mine->done(mine->data, &standing);
}

void repmgr_ask_control(void *data, struct Mono deadline, StandingFn *done, void *done_data)
{
    struct Repmgr *system = data;
    struct ControlAsk *mine =
        ask_begin(&system->postgres.asking, sizeof(*mine), deadline, tell_control);
    mine->role = system->postgres.role;
    mine->done = done;
    mine->data = done_data;
    for (size_t n = 0; n < mine->role->host_count; n++)
        (void)repmgr_look_at(&mine->ask, system, n, take_vote);
    ask_go(&mine->ask);
}

/* ---- redundancy: PostgreSQL's, and whether repmgr could fail over again ---- */

struct WholeAsk {
    struct PostgresWhole whole; /* first */
    struct RepmgrLook tables[POSTGRES_HOSTS_MAX];
};

static bool take_tables(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    repmgr_take(&mine->tables[index], answer);
    return true;
}

static void judge_host(struct WholeAsk *mine, size_t index)
{
    const struct Role *role = mine->whole.look.system->role;
    const struct RepmgrLook *tables = &mine->tables[index];
    const char *name = role->hosts[index]->name;
    char *lacks = mine->whole.lacks;
    if (!tables->answered && mine->whole.unseen[0] == '\0')
        snprintf(mine->whole.unseen, sizeof(mine->whole.unseen),
                 "repmgr's tables on %.100s give no answer%s%.120s", name,
                 tables->error[0] != '\0' ? ": " : "", tables->error);
    if (!tables->answered || lacks[0] != '\0')
        return;
    if (!tables->runs)
        snprintf(lacks, sizeof(mine->whole.lacks), "repmgrd does not run on %.100s", name);
    else if (tables->paused)
        snprintf(lacks, sizeof(mine->whole.lacks), "repmgrd is paused on %.100s", name);
    else if (tables->inactive[0] != '\0')
        snprintf(lacks, sizeof(mine->whole.lacks), "repmgr has as failed: %.190s",
                 tables->inactive);
    else
        (void)repmgr_differs(role, tables, look_primary(&mine->whole.look), index, lacks,
                             sizeof(mine->whole.lacks));
}

static void tell_whole(struct Ask *ask)
{
    struct WholeAsk *mine = (struct WholeAsk *)ask;
    postgres_judge_whole(&mine->whole);
    for (size_t n = 0; n < mine->whole.look.system->role->host_count; n++)
        judge_host(mine, n);
    postgres_tell_whole(&mine->whole);
}

void repmgr_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done, void *done_data)
{
    struct Repmgr *system = data;
    struct WholeAsk *mine = look_begin(&system->postgres, sizeof(*mine), deadline, tell_whole);
    mine->whole.done = done;
    mine->whole.data = done_data;
    for (size_t n = 0; n < system->postgres.role->host_count; n++)
        (void)repmgr_look_at(&mine->whole.look.ask, system, n, take_tables);
    look_at_all(&mine->whole.look, deadline);
    ask_go(&mine->whole.look.ask);
}
