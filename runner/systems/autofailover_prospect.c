/* autofailover_prospect.c - what the monitor's settings promise of a failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "autofailover.h"

/* The nodes report to the monitor each second, and each step of it is taken at such a report. */
#define REPORT_NS NS_PER_S
enum { STEPS = 5 };
/* The log that is left is replayed, and a timeline begun. */
#define PROMOTION_NS (3 * NS_PER_S)

#define GUC "pgautofailover."
#define SETS "alter system set " GUC
enum { UNHEALTHY, DEMOTE, PERIOD, TIMEOUT, RETRIES, DELAY, SYNCHRONOUS };
static const struct KnobRow rows[] = {
    [UNHEALTHY] = {.name = "node_considered_unhealthy_timeout",
                   .unit = KNOB_TIME,
                   .least = 5 * NS_PER_S,
                   .usual = 20 * NS_PER_S,
                   .line = SETS "node_considered_unhealthy_timeout = %s",
                   .written = KNOB_MS},
    [DEMOTE] = {.name = "primary_demote_timeout",
                .unit = KNOB_TIME,
                .least = 5 * NS_PER_S,
                .usual = 30 * NS_PER_S,
                .line = SETS "primary_demote_timeout = %s",
                .written = KNOB_MS},
    [PERIOD] = {.name = "health_check_period",
                .unit = KNOB_TIME,
                .least = NS_PER_S,
                .usual = 5 * NS_PER_S,
                .line = SETS "health_check_period = %s",
                .written = KNOB_MS},
    [TIMEOUT] = {.name = "health_check_timeout",
                 .unit = KNOB_TIME,
                 .least = NS_PER_S,
                 .usual = 5 * NS_PER_S,
                 .line = SETS "health_check_timeout = %s",
                 .written = KNOB_MS},
    [RETRIES] = {.name = "health_check_max_retries",
                 .unit = KNOB_COUNT,
                 .least = 2,
                 .usual = 2,
                 .line = SETS "health_check_max_retries = %s",
                 .written = KNOB_COUNT},
    [DELAY] = {.name = "health_check_retry_delay",
               .unit = KNOB_TIME,
               .least = 500 * NS_PER_MS,
               .usual = 2 * NS_PER_S,
               .line = SETS "health_check_retry_delay = %s",
               .written = KNOB_MS},
    [SYNCHRONOUS] = {.name = "synchronous replication", .unit = KNOB_SWITCH, .better = 1},
};

/* Unhealthy is who fails the monitor's checks and has not reported for so long, whichever lasts
 * longer; its last report was up to a second before the fault. Another takes writes once the time
 * in which the old one could have been demoted is over. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = {0, KNOB_UNKNOWN},
                             .lossless = values[SYNCHRONOUS] == 1,
                             .lossless_if = "as long as a secondary confirms",
                             .stays_primary = KNOWN_NO,
                             .allowed = true};
    for (size_t row = 0; row < COUNT_OF(rows); row++)
        if (values[row] == KNOB_UNKNOWN)
            return;
    int64_t checks_ns =
        values[PERIOD] + values[TIMEOUT] + values[RETRIES] * (values[TIMEOUT] + values[DELAY]);
    int64_t silent_ns = values[UNHEALTHY] > checks_ns ? values[UNHEALTHY] : checks_ns;
    int64_t low_ns = values[UNHEALTHY] + values[DEMOTE] - 3 * REPORT_NS;
    out->failover = (struct Span){low_ns > 0 ? low_ns : 0,
                                  silent_ns + values[DEMOTE] + STEPS * REPORT_NS + PROMOTION_NS};
    if (out->lossless)
        out->acked = (struct Span){0, 0};
}

const struct KnobTable autofailover_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* ---- as it is now ---- */

struct ProspectAsk {
    struct PostgresOutlook outlook; /* first */
    struct MonitorLook monitor;
    int64_t values[COUNT_OF(rows)];
    int64_t grace_ms, up_ms; /* of the monitor; 0 = it did not say */
    char version[24];
};

static bool take_state(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    (void)index;
    monitor_take(&mine->monitor, mine->outlook.look.system->role, answer);
    return true;
}

static const char settings_text[] =
    "select name, setting from pg_settings where name like 'pgautofailover.%' union all select "
    "'version', extversion from pg_extension where extname = 'pgautofailover' union all select "
    "'up', (1000 * extract(epoch from now() - pg_postmaster_start_time()))::bigint::text";

static bool take_settings(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    (void)index;
    if (answer->end != CALL_ANSWERED || answer->code != POSTGRES_ROWS)
        return true;
    const struct PostgresRows *found = postgres_rows(answer);
    for (size_t row = 0; row < postgres_row_count(found); row++) {
        const char *name = postgres_value(found, row, 0), *value = postgres_value(found, row, 1);
        int64_t number = 0;
        if (name == NULL || value == NULL)
            continue;
        if (text_equal(name, "version"))
            snprintf(mine->version, sizeof(mine->version), "%s", value);
        if (text_equal(name, "up"))
            (void)int_parse(value, &mine->up_ms, NULL);
        if (text_equal(name, GUC "startup_grace_period"))
            (void)int_parse(value, &mine->grace_ms, NULL);
        for (size_t at = 0; at < SYNCHRONOUS && text_starts(name, GUC); at++)
            if (text_equal(name + strlen(GUC), rows[at].name) && int_parse(value, &number, NULL))
                mine->values[at] = rows[at].unit == KNOB_COUNT ? number : number * NS_PER_MS;
    }
    return true;
}

static void say_knobs(struct ProspectAsk *mine)
{
    postgres_knob(&mine->outlook, "pg_auto_failover", mine->version);
    for (size_t at = 0; at < COUNT_OF(rows); at++) {
        char value[40];
        if (mine->values[at] == KNOB_UNKNOWN)
            continue;
        if (at == SYNCHRONOUS)
            snprintf(value, sizeof(value), "%s", mine->values[at] == 1 ? "on" : "off");
        else if (rows[at].unit == KNOB_COUNT)
            snprintf(value, sizeof(value), "%lld", (long long)mine->values[at]);
        else
            duration_write(mine->values[at], value);
        postgres_knob(&mine->outlook, rows[at].name, value);
    }
}

static void judge_monitor(struct ProspectAsk *mine)
{
    const struct Role *role = mine->outlook.look.system->role;
    const struct MonitorLook *look = &mine->monitor;
    size_t ready = 0;
    if (!look->answered) {
        postgres_trap(&mine->outlook, "the monitor gives no answer, and nobody else promotes%s%s",
                      look->error[0] != '\0' ? ": " : "", look->error);
        return;
    }
    for (size_t n = 0; n < look->count; n++) {
        const struct MonitorNode *node = &look->nodes[n];
        if (node->host == role->host_count)
            postgres_trap(&mine->outlook, "the monitor has a node %s that is no host of this role",
                          node->name);
        else if (strstr(node->state, "maintenance") != NULL ||
                 strstr(node->goal, "maintenance") != NULL)
            postgres_trap(&mine->outlook, "%s is in maintenance", node->name);
        ready += text_equal(node->state, "secondary") && text_equal(node->goal, "secondary") &&
                         node->health != 0 && node->priority > 0
                     ? 1
                     : 0;
    }
    if (monitor_leader(look, role) == role->host_count)
        postgres_trap(&mine->outlook, "the monitor has no node that leads");
    if (ready == 0)
        postgres_trap(&mine->outlook, "the monitor has no secondary that may be promoted");
}

/* A monitor that has just started holds no node for lost, whatever its checks say. */
static void judge_start(struct ProspectAsk *mine)
{
    if (mine->up_ms > 0 && mine->up_ms < mine->grace_ms)
        mine->outlook.cool_down_ns = (mine->grace_ms - mine->up_ms) * NS_PER_MS;
}

static void tell_prospect(struct Ask *ask)
{
    struct ProspectAsk *mine = (struct ProspectAsk *)ask;
    const struct Role *role = mine->outlook.look.system->role;
    size_t primary = look_primary(&mine->outlook.look);
    struct Forecast forecast;
    postgres_judge(&mine->outlook);
    judge_monitor(mine);
    judge_start(mine);
    if (primary < role->host_count) {
        const struct HostLook *leads = &mine->outlook.look.hosts[primary];
        mine->values[SYNCHRONOUS] = leads->waits_for[0] != '\0' &&
                                    !text_equal(leads->commit, "off") &&
                                    !text_equal(leads->commit, "local");
    }
    say_knobs(mine);
    foretell(mine->values, &forecast);
    struct Span planned = {0, forecast.failover.high_ns};
    if (mine->values[DEMOTE] != KNOB_UNKNOWN)
        planned.high_ns = mine->values[DEMOTE] + STEPS * REPORT_NS + PROMOTION_NS;
    postgres_tell(&mine->outlook, forecast.failover, planned);
}

void autofailover_ask_prospect(void *data, struct Mono deadline, ProspectFn *done, void *done_data)
{
    struct Autofailover *system = data;
    struct ProspectAsk *mine =
        look_begin(&system->postgres, sizeof(*mine), deadline, tell_prospect);
    struct Ask *ask = &mine->outlook.look.ask;
    mine->outlook.done = done;
    mine->outlook.data = done_data;
    for (size_t at = 0; at < COUNT_OF(rows); at++)
        mine->values[at] = KNOB_UNKNOWN;
    (void)monitor_look_at(ask, system, take_state);
    (void)monitor_ask(ask, system, &(struct PostgresQuery){.text = settings_text}, take_settings);
    look_at_all(&mine->outlook.look, deadline);
    ask_go(ask);
}
