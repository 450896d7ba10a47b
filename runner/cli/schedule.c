/* schedule.c - `schedule`: when a drill or a game day is due, and what starts it then. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#include <limits.h>
#include <stdlib.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "gameday.h"

enum { DATES = 5, DATES_MOST = 1000 };

static const struct Option OPTIONS[] = {
    {.name = "systemd", .doc = "Prints a timer and its service."},
    {.name = "cron", .doc = "Prints a line for `crontab -e`."},
    {.name = "k8s", .doc = "Prints a CronJob for Kubernetes."},
    {.name = "github", .doc = "Prints a workflow for GitHub."},
    {.name = "count", .letter = 'n', .value = "N", .doc = "So many dates; 5 else."},
    {.name = NULL},
};

static bool count_of(const struct Cli *cli, int64_t *out, struct Err *err)
{
    const char *text = cli_option(cli, "count"), *why = NULL;
    *out = DATES;
    if (text == NULL || (int_parse(text, out, &why) && *out > 0 && *out <= DATES_MOST))
        return true;
    return err_set(err, ERR_USAGE, NOWHERE, "-n %s: a number from 1 to %d", text, DATES_MOST);
}

static bool has_schedule(struct Cli *cli, const char *text, struct Scheduled *out, struct Err *err)
{
    const char *why = NULL;
    char full[PATH_MAX];
    if (text == NULL) {
        err_set(err, ERR_NOT_FOUND, NOWHERE, "'%s' says no `schedule:`", out->name);
        return err_hint(err, "add a line such as schedule: Tue 10:30");
    }
    if (!calendar_parse(text, cli->arena, &out->calendar, &why))
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' is no calendar time: %s", text, why);
    if (realpath(out->file, full) == NULL)
        return err_set(err, ERR_FILE, NOWHERE, "%s: %m", out->file);
    out->file = arena_text(cli->arena, full);
    if (out->calendar.zone_name != NULL)
        out->zone_name = out->calendar.zone_name;
    out->zone = zone_read(out->zone_name, cli->arena);
    return out->zone != NULL ||
           err_set(err, ERR_VALUE, NOWHERE, "there is no time zone '%s'", out->zone_name);
}

/* A drill, or a game day, which names its environment. 0, or the exit status after it was printed.
 */
static int read_file(struct Cli *cli, struct Loaded *loaded, struct Scheduled *out,
                     const char **schedule)
{
    const struct Document *document = gameday_file(cli, cli->args[0]);
    struct Problems *problems = problems_new();
    struct GameDay *day = document != NULL ? gameday_new(document, problems) : NULL;
    int status = cli_problems(cli, problems);
    problems_free(problems);
    out->is_day = day != NULL;
    if (day != NULL) {
        out->name = arena_text(cli->arena, day->name);
        out->file = arena_text(cli->arena, day->path);
        *schedule = arena_text(cli->arena, day->schedule);
        status = cli_load(cli, NULL, arena_text(cli->arena, day->environment), loaded);
    } else if (document == NULL) {
        status = cli_load(cli, cli->args[0], cli->environment, loaded);
    }
    gameday_free(day);
    if (status == 0 && !out->is_day) {
        out->name = loaded->scenario->name;
        out->file = loaded->scenario->path;
        *schedule = loaded->scenario->schedule;
    }
    return status;
}

static int look_up(struct Cli *cli, struct Loaded *loaded, struct Scheduled *out)
{
    struct Err err;
    const char *schedule = NULL;
    out->machine_zone = zone_here(cli->arena);
    int status = read_file(cli, loaded, out, &schedule);
    if (status != 0)
        return status;
    const struct Environment *environment = loaded->environment;
    out->environment = environment != NULL ? environment->name : NULL;
    out->is_protected = environment != NULL && environment->is_protected;
    out->zone_name = environment != NULL && environment->timezone != NULL ? environment->timezone
                                                                          : out->machine_zone;
    return has_schedule(cli, schedule, out, &err) ? 0 : cli_fail(cli, &err);
}

/* "Tue 2026-11-24 10:30:00 CET" */
static void say_at(const struct Zone *zone, struct Wall at, char out[64])
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct ZoneTime time;
    zone_time(zone, at, &time);
    snprintf(out, 64, "%s %04d-%02d-%02d %02d:%02d:%02d %s", DAYS[time.weekday], time.year,
             time.month, time.day, time.minute / 60, time.minute % 60, (int)(at.ns / NS_PER_S % 60),
             time.name);
}

static void put_dates(struct Cli *cli, const struct Scheduled *drill, int64_t count,
                      struct Buf *out)
{
    const struct Zone *utc = zone_read("UTC", cli->arena);
    struct Wall now = wall_now(), at = now;
    buf_printf(out, "%s  %s  by the clocks of %s\n", drill->name, drill->calendar.text,
               drill->zone_name);
    for (int64_t n = 0; n < count; n++) {
        char local[64], there[64], left[32];
        at = calendar_next(&drill->calendar, drill->zone, at);
        if (at.ns == 0) {
            buf_put(out, n == 0 ? "  never\n" : "  and never again\n");
            return;
        }
        say_at(drill->zone, at, local);
        say_at(utc != NULL ? utc : drill->zone, at, there);
        duration_say((at.ns - now.ns) / (60 * NS_PER_S) * 60 * NS_PER_S, left);
        buf_printf(out, "  %s   %s   in %s\n", local, there, left);
    }
}

static void put_json(const struct Scheduled *drill, int64_t count, struct Buf *out)
{
    struct Wall at = wall_now();
    struct Json json = json_begin(out, true);
    json_open_object(&json);
    json_put_text(&json, "name", drill->name);
    json_put_text(&json, "file", drill->file);
    json_put_text(&json, "environment", drill->environment);
    json_put_text(&json, "schedule", drill->calendar.text);
    json_put_text(&json, "zone", drill->zone_name);
    json_key(&json, "dates");
    json_open_array(&json);
    for (int64_t n = 0; n < count; n++) {
        char local[64], utc[32];
        at = calendar_next(&drill->calendar, drill->zone, at);
        if (at.ns == 0)
            break;
        say_at(drill->zone, at, local);
        wall_utc(at, utc);
        json_open_object(&json);
        json_put_text(&json, "local", local);
        json_put_text(&json, "utc", utc);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    buf_char(out, '\n');
}

typedef bool FormFn(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                    struct Err *err);

/* NULL: the dates; NULL and *err where two were asked for. */
static FormFn *form_of(const struct Cli *cli, bool *good, struct Err *err)
{
    static const struct {
        const char *name;
        FormFn *form;
    } FORMS[] = {{"systemd", schedule_systemd},
                 {"cron", schedule_cron},
                 {"k8s", schedule_k8s},
                 {"github", schedule_github}};
    FormFn *found = NULL;
    *good = true;
    for (size_t at = 0; at < COUNT_OF(FORMS); at++) {
        if (cli_option(cli, FORMS[at].name) == NULL)
            continue;
        if (found != NULL)
            *good = err_set(err, ERR_USAGE, NOWHERE, "one form at a time");
        found = FORMS[at].form;
    }
    return found;
}

static int print(struct Cli *cli, const struct Scheduled *drill, int64_t count)
{
    struct Err err;
    bool good = true;
    struct Buf out = BUF(1U << 20);
    FormFn *form = form_of(cli, &good, &err);
    if (form != NULL && good && drill->environment == NULL) {
        good = err_set(&err, ERR_REFUSED, NOWHERE,
                       "no environment was named, and there is none "
                       "by default");
        err_hint(&err, "say -e NAME");
    }
    if (form == NULL && good && cli->json)
        put_json(drill, count, &out);
    else if (form == NULL && good)
        put_dates(cli, drill, count, &out);
    else if (good)
        good = form(cli, drill, &out, &err);
    int status = good ? cli_print(&out, 0) : cli_fail(cli, &err);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    struct Err err;
    struct Loaded loaded = {.environment = NULL};
    struct Scheduled drill = {.name = NULL};
    int64_t count = 0;
    if (!count_of(cli, &count, &err))
        return cli_fail(cli, &err);
    int status = look_up(cli, &loaded, &drill);
    if (status == 0)
        status = print(cli, &drill, count);
    cli_unload(&loaded);
    return status;
}

const struct Verb verb_schedule = {
    .name = "schedule",
    .takes = "FILE",
    .least = 1,
    .most = 1,
    .summary = "when a drill or a game day is due next; prints what starts it then",
    .options = OPTIONS,
    .examples = "  faildrill schedule redis_primary_dies                     the next dates\n"
                "  faildrill schedule -e staging --systemd redis_primary_dies\n"
                "  faildrill schedule -e staging --cron redis_primary_dies   it installs nothing\n",
    .next = "Next: faildrill trends says what is overdue",
    .run = verb,
};
