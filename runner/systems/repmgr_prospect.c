/* repmgr_prospect.c - what repmgr.conf promises of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "repmgr.h"

/* The last look at the siblings, the promotion, and its checkpoint. */
#define PROMOTION_NS (6 * NS_PER_S)
/* A clean stop with its checkpoint, the promotion, the others' new upstream. */
#define SWITCHOVER_NS (20 * NS_PER_S)

/* ---- repmgr.conf ---- */

/* As repmgr.conf.sample of 5.3 has them. */
static const struct RepmgrSettings usual = {
    .attempts = 6, .interval_s = 10, .monitor_s = 2, .rerun_s = 15, .priority = 100};

/* Of the whole file these alone leave the host: it may hold passwords. */
static const char settings_sh[] =
    "cat <\"$1\" >/dev/null || exit; s=\"[[:space:]]*\"; echo repmgr; ! grep -qs \"^${s}include\" "
    "\"$1\" || echo includes; sed -n \"s/^$s\\(failover\\|"
    "reconnect_attempts\\|reconnect_interval\\|monitor_interval_secs\\|election_rerun_interval\\|"
    "priority\\|primary_visibility_consensus\\)$s=$s$(printf \"\\047\")*\\([a-z0-9]*\\).*/\\1 "
    "\\2/p\" \"$1\"";

static bool is_on(const char *value)
{
    return text_equal(value, "true") || text_equal(value, "on") || text_equal(value, "yes") ||
           text_equal(value, "t") || text_equal(value, "1");
}

static void read_line(const char *name, const char *value, struct RepmgrSettings *out)
{
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"reconnect_attempts", &out->attempts},
                   {"reconnect_interval", &out->interval_s},
                   {"monitor_interval_secs", &out->monitor_s},
                   {"election_rerun_interval", &out->rerun_s},
                   {"priority", &out->priority}};
    int64_t number = 0;
    for (size_t n = 0; n < COUNT_OF(numbers); n++)
        if (text_equal(name, numbers[n].name) && int_parse(value, &number, NULL))
            *numbers[n].number = number;
    if (text_equal(name, "failover"))
        out->automatic = text_equal(value, "automatic");
    if (text_equal(name, "primary_visibility_consensus"))
        out->consensus = is_on(value);
}

void repmgr_read_settings(const char *text, struct RepmgrSettings *out)
{
    *out = usual;
    for (const char *at = text; *at != '\0';) {
        char line[200], name[40] = "", value[40] = "";
        size_t size = strcspn(at, "\r\n");
        snprintf(line, sizeof(line), "%.*s", (int)size, at);
        if (sscanf(line, "%39s %39s", name, value) == 2)
            read_line(name, value, out);
        else if (text_equal(name, "repmgr"))
            out->known = true;
        else if (text_equal(name, "includes"))
            out->includes = true;
        at += size + (at[size] != '\0');
    }
    out->known = out->known && !out->includes;
}

/* ---- what it promises ---- */

enum { ATTEMPTS, INTERVAL, MONITOR, CONNECT };
static const struct KnobRow rows[] = {
    [ATTEMPTS] = {.name = "reconnect_attempts",
                  .unit = KNOB_COUNT,
                  .least = 2,
                  .usual = 6,
                  .line = "reconnect_attempts=%s",
                  .written = KNOB_COUNT},
    [INTERVAL] = {.name = "reconnect_interval",
                  .unit = KNOB_S,
                  .least = NS_PER_S,
                  .usual = 10 * NS_PER_S,
                  .line = "reconnect_interval=%s",
                  .written = KNOB_S},
    [MONITOR] = {.name = "monitor_interval_secs",
                 .unit = KNOB_S,
                 .least = NS_PER_S,
                 .usual = 2 * NS_PER_S,
                 .line = "monitor_interval_secs=%s",
                 .written = KNOB_S},
    [CONNECT] = {.name = "connect_timeout", .unit = KNOB_S, .least = NS_PER_S},
};

/* The primary is missed at a look of the monitor; then it is looked for so many times, the first
 * time at once, each of them up to a connect_timeout where it is silent. The standbys do not look
 * at the same time, and the first waits for the last. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = {NS_NEVER, NS_NEVER}, /* it is never told */
                             .stays_primary = KNOWN_YES,
                             .allowed = true};
    for (size_t row = 0; row < COUNT_OF(rows); row++)
        if (values[row] == KNOB_UNKNOWN)
            return;
    int64_t low_ns = (values[ATTEMPTS] - 1) * values[INTERVAL];
    if (low_ns < 0)
        low_ns = 0;
    out->failover =
        (struct Span){low_ns, low_ns + 2 * values[MONITOR] +
                                  (values[ATTEMPTS] + 2) * values[CONNECT] + PROMOTION_NS};
}

const struct KnobTable repmgr_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

struct ProspectAsk {
    struct PostgresOutlook outlook; /* first */
    struct RepmgrLook tables[POSTGRES_HOSTS_MAX];
    struct RepmgrSettings settings[POSTGRES_HOSTS_MAX];
};

static bool take_tables(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    repmgr_take(&mine->tables[index], answer);
    return true;
}

static bool take_settings(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    if (answer->end == CALL_ANSWERED && answer->code == 0)
        repmgr_read_settings(answer->bytes, &mine->settings[index]);
    return true;
}

static void judge_tables(struct ProspectAsk *mine)
{
    const struct Role *role = mine->outlook.look.system->role;
    size_t primary = look_primary(&mine->outlook.look);
    char differs[300];
    for (size_t n = 0; n < role->host_count; n++) {
        const struct RepmgrLook *tables = &mine->tables[n];
        const char *name = role->hosts[n]->name;
        if (!tables->answered)
            postgres_trap(&mine->outlook, "repmgr's tables on %.100s give no answer%s%.120s", name,
                          tables->error[0] != '\0' ? ": " : "", tables->error);
        else if (!tables->runs)
            postgres_trap(&mine->outlook, "repmgrd does not run on %.100s", name);
        else if (tables->paused)
            postgres_trap(&mine->outlook, "repmgrd is paused on %.100s: no failover will start",
                          name);
        else if (tables->inactive[0] != '\0')
            postgres_trap(&mine->outlook, "repmgr has as failed: %.200s", tables->inactive);
        else if (repmgr_differs(role, tables, primary, n, differs, sizeof(differs)))
            postgres_trap(&mine->outlook, "%.250s", differs);
    }
}

static bool tables_answered(const struct ProspectAsk *mine)
{
    for (size_t n = 0; n < mine->outlook.look.system->role->host_count; n++)
        if (mine->tables[n].answered)
            return true;
    return false;
}

/* 0: not known, for no host's tables say it of every node. */
static int64_t longest_connect_s(const struct ProspectAsk *mine)
{
    int64_t most_s = 0;
    for (size_t n = 0; n < mine->outlook.look.system->role->host_count; n++) {
        if (mine->tables[n].answered && mine->tables[n].connect_timeout_s == 0)
            return 0;
        if (mine->tables[n].connect_timeout_s > most_s)
            most_s = mine->tables[n].connect_timeout_s;
    }
    return most_s;
}

static bool includes(const struct ProspectAsk *mine)
{
    for (size_t n = 0; n < mine->outlook.look.system->role->host_count; n++)
        if (mine->settings[n].includes)
            return true;
    return false;
}

/* Of those that may be promoted. The slowest host counts for the high end, the quickest one for the
 * low end. */
static bool sum_up(struct ProspectAsk *mine, struct RepmgrSettings *most, struct Span *range)
{
    const struct Role *role = mine->outlook.look.system->role;
    size_t unknown = 0, able = 0, replicas = 0;
    *most = (struct RepmgrSettings){.known = true};
    *range = (struct Span){NS_NEVER, 0};
    for (size_t n = 0; n < role->host_count; n++) {
        const struct RepmgrSettings *at = &mine->settings[n];
        if (!mine->outlook.look.hosts[n].replica)
            continue;
        replicas++;
        unknown += at->known ? 0 : 1;
        if (!at->known || !at->automatic || at->priority <= 0)
            continue;
        able++;
        most->consensus = most->consensus || at->consensus;
        most->attempts = at->attempts > most->attempts ? at->attempts : most->attempts;
        most->interval_s = at->interval_s > most->interval_s ? at->interval_s : most->interval_s;
        most->monitor_s = at->monitor_s > most->monitor_s ? at->monitor_s : most->monitor_s;
        most->rerun_s = at->rerun_s > most->rerun_s ? at->rerun_s : most->rerun_s;
        int64_t low_ns = (at->attempts - 1) * at->interval_s * NS_PER_S;
        range->low_ns = low_ns < range->low_ns ? low_ns : range->low_ns;
    }
    if (able == 0 && unknown == 0 && replicas > 0)
        postgres_trap(&mine->outlook, "every replica has failover=manual or priority=0: repmgrd "
                                      "promotes none of them");
    if (able == 0 || unknown > 0)
        return false;
    struct Forecast forecast;
    int64_t connect_s = longest_connect_s(mine);
    range->high_ns = NS_NEVER;
    if (connect_s == 0)
        return true; /* a look at a host that is silent has no end that is known */
    foretell((const int64_t[]){most->attempts, most->interval_s * NS_PER_S,
                               most->monitor_s * NS_PER_S, connect_s * NS_PER_S},
             &forecast);
    range->high_ns = forecast.failover.high_ns;
    /* A sibling that saw the primary a moment ago puts the election off. */
    if (most->consensus && range->low_ns <= 2 * most->monitor_s * NS_PER_S)
        range->high_ns += most->rerun_s * NS_PER_S;
    return true;
}

static void number_knob(struct ProspectAsk *mine, const char *name, int64_t value, const char *unit)
{
    char text[40];
    snprintf(text, sizeof(text), "%lld%s", (long long)value, unit);
    postgres_knob(&mine->outlook, name, text);
}

static void tell_prospect(struct Ask *ask)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    const struct Role *role = mine->outlook.look.system->role;
    size_t primary = look_primary(&mine->outlook.look);
    struct RepmgrSettings most;
    struct Span range;
    postgres_judge(&mine->outlook);
    judge_tables(mine);
    bool known = sum_up(mine, &most, &range);
    if (primary < role->host_count) {
        if (mine->tables[primary].version[0] != '\0')
            postgres_knob(&mine->outlook, "repmgr", mine->tables[primary].version);
        if (!mine->outlook.look.hosts[primary].rewinds)
            postgres_trap(&mine->outlook, "wal_log_hints and checksums are off: a former primary "
                                          "could not come back, for pg_rewind wants one of them");
    }
    if (longest_connect_s(mine) > 0)
        number_knob(mine, "connect_timeout", longest_connect_s(mine), " s");
    else if (tables_answered(mine))
        postgres_knob(&mine->outlook, "beware",
                      "a conninfo without connect_timeout: a silent primary is missed late");
    if (known) {
        number_knob(mine, "reconnect_attempts", most.attempts, "");
        number_knob(mine, "reconnect_interval", most.interval_s, " s");
        number_knob(mine, "monitor_interval_secs", most.monitor_s, " s");
        postgres_knob(&mine->outlook, "primary_visibility_consensus",
                      most.consensus ? "on" : "off");
    } else {
        postgres_knob(&mine->outlook, "beware",
                      includes(mine) ? "repmgr.conf includes other files, which are not read here"
                                     : "repmgr.conf cannot be read on every replica");
    }
    postgres_tell(&mine->outlook, known ? range : (struct Span){0, NS_NEVER},
                  (struct Span){0, SWITCHOVER_NS});
}

void repmgr_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct Repmgr *system = data;
    struct ProspectAsk *mine =
        look_begin(&system->postgres, sizeof(*mine), deadline, tell_prospect);
    struct Ask *ask = &mine->outlook.look.ask;
    const char *const argv[] = {"sh", "-c", settings_sh, "faildrill", system->config->file, NULL};
    mine->outlook.done = done;
    mine->outlook.data = done_data;
    for (size_t n = 0; n < system->postgres.role->host_count; n++) {
        (void)repmgr_look_at(ask, system, n, take_tables);
        struct AskPart *part = ask_part(ask, n, take_settings);
        part->call = remote_call(system->postgres.remote, n, argv, deadline, ask_answered, part);
    }
    look_at_all(&mine->outlook.look, deadline);
    ask_go(ask);
}
