/* note.c - `note`: a line of a person in a run's timeline, and the lead's go. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/text.h"
#include "drill.h"

enum { TEXT_MOST = 500 };

#define DAY_S 86400

static const struct Option OPTIONS[] = {
    {.name = "at", .value = "TIME", .doc = "It was then: 14:07, 14:07:30, or with a date before."},
    {.name = "go", .doc = "Says go to the step that asks."},
    {.name = "run", .value = "RUN", .doc = "Of this run; else the one under way, or the last."},
    {.name = NULL},
};

/* ---- When. ---- */

static bool digits(const char **text, int count, int most, int *out)
{
    *out = 0;
    for (; count > 0; count--, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *out = *out * 10 + (**text - '0');
    }
    return *out <= most;
}

static bool sign(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

/* "14:07" is the whole minute, "14:07:30" the whole second. */
static bool read_time(const char *text, struct tm *out, int *width_s)
{
    *width_s = 60;
    if (!digits(&text, 2, 23, &out->tm_hour) || !sign(&text, ':') ||
        !digits(&text, 2, 59, &out->tm_min))
        return false;
    out->tm_sec = 0;
    if (*text == '\0')
        return true;
    *width_s = 1;
    return sign(&text, ':') && digits(&text, 2, 59, &out->tm_sec) && *text == '\0';
}

static bool read_date(const char *text, struct tm *out)
{
    int year, month, day;
    if (!digits(&text, 4, 9999, &year) || !sign(&text, '-') || !digits(&text, 2, 12, &month) ||
        !sign(&text, '-') || !digits(&text, 2, 31, &day) || (*text != ' ' && *text != 'T'))
        return false;
    out->tm_year = year - 1900;
    out->tm_mon = month - 1;
    out->tm_mday = day;
    return month > 0 && day > 0;
}

/* Local time; without a date the last such time. Never one that is still to come. */
static bool when(const char *text, struct Wall now, struct Note *out, struct Err *err)
{
    time_t seconds = (time_t)(now.ns / NS_PER_S);
    struct tm parts;
    int width_s = 0;
    bool dated = strchr(text, '-') != NULL;
    tzset();
    if (localtime_r(&seconds, &parts) == NULL)
        return err_set(err, ERR_OWN, NOWHERE, "there is no local time");
    struct tm today = parts;
    if ((dated && (strlen(text) < 11 || !read_date(text, &parts))) ||
        !read_time(dated ? text + 11 : text, &parts, &width_s)) {
        err_set(err, ERR_USAGE, NOWHERE, "--at %s: a time is like 14:07, 14:07:30 or '%s'", text,
                "2026-11-24 14:07");
        return false;
    }
    parts.tm_isdst = -1;
    time_t at = mktime(&parts);
    if (!dated && at > seconds) {
        today.tm_mday--;
        today.tm_hour = parts.tm_hour;
        today.tm_min = parts.tm_min;
        today.tm_sec = parts.tm_sec;
        today.tm_isdst = -1;
        at = mktime(&today);
    }
    if (at > seconds)
        return err_set(err, ERR_USAGE, NOWHERE, "--at %s is still to come", text);
    out->low.ns = (int64_t)at * NS_PER_S;
    out->high.ns = out->low.ns + width_s * NS_PER_S;
    if (out->high.ns > now.ns)
        out->high = now;
    return true;
}

/* ---- Of what. ---- */

/* "declared", or "declared: the order page is down": the word is the type, and leaves the text. */
static const char *take_type(const char **text)
{
    static const char *const WORDS[] = {"declared", "acknowledged", "mitigated"};
    for (size_t at = 0; at < COUNT_OF(WORDS); at++) {
        size_t size = strlen(WORDS[at]);
        if (strncmp(*text, WORDS[at], size) != 0)
            continue;
        const char *rest = *text + size;
        size_t signs = strspn(rest, " ,:;.");
        if (rest[0] != '\0' && signs == 0)
            continue;
        *text = rest + signs;
        return WORDS[at];
    }
    return "note";
}

static const char *joined(const struct Cli *cli)
{
    const char *text = "";
    for (size_t at = 0; at < cli->arg_count; at++)
        text = arena_printf(cli->arena, "%s%s%s", text, at > 0 ? " " : "", cli->args[at]);
    return text;
}

/* The one under way, else the last. */
static bool find_run(struct Drill *drill, struct RunRow *out, struct Err *err)
{
    struct Cli *cli = drill->cli;
    struct List rows = {0};
    struct History of = {.environment = cli->environment, .most = 50};
    const char *name = cli_option(cli, "run"), *id = NULL;
    if (name != NULL && !store_find_run(drill->store, name, &of, cli->arena, &id, err))
        return false;
    of.most = name != NULL ? 0 : of.most;
    if (!store_runs(drill->store, &of, cli->arena, &rows, err))
        return false;
    const struct RunRow *row = rows.items, *alive = NULL;
    for (size_t at = 0; at < rows.count; at++) {
        if (id != NULL && text_equal(row[at].id, id))
            alive = &row[at];
        if (id != NULL || row[at].finished || !row[at].alive)
            continue;
        if (alive != NULL) {
            err_set(err, ERR_NOT_FOUND, NOWHERE, "more than one run is under way: say --run RUN");
            return err_hint(err, "faildrill status lists them.");
        }
        alive = &row[at];
    }
    if (alive == NULL && rows.count == 0)
        return err_set(err, ERR_NOT_FOUND, NOWHERE, "there is no run to note it for");
    *out = alive != NULL ? *alive : row[0];
    return true;
}

static bool make(struct Drill *drill, const struct RunRow *run, struct Note *out, struct Err *err)
{
    struct Cli *cli = drill->cli;
    const char *at = cli_option(cli, "at");
    bool go = cli_option(cli, "go") != NULL;
    struct Wall now = wall_now();
    const char *text = joined(cli);
    bool empty = text[0] == '\0';
    const char *type = go ? "go" : take_type(&text);
    *out = (struct Note){
        .who = drill->who, .type = type, .text = text, .low = now, .high = now, .made = now};
    if (empty && !go)
        return err_set(err, ERR_USAGE, NOWHERE, "note needs TEXT");
    if (strlen(text) > TEXT_MOST)
        return err_set(err, ERR_USAGE, NOWHERE, "a note is %d bytes at most", TEXT_MOST);
    if (go && at != NULL)
        return err_set(err, ERR_USAGE, NOWHERE, "--go is now: it takes no --at");
    if (go && (run->finished || !run->alive))
        return err_set(err, ERR_NOT_FOUND, NOWHERE, "run %s is over: nobody waits for a go",
                       short_id(run->id));
    if (at != NULL && !when(at, now, out, err))
        return false;
    if (out->high.ns < run->started.ns)
        return err_set(err, ERR_USAGE, NOWHERE, "--at %s lies before run %s began", at,
                       short_id(run->id));
    return true;
}

/* A game day that goes on, where none of its drills does just now. */
static bool find_day(struct Drill *drill, const struct DayRow **out, struct Err *err)
{
    struct List rows = {0}, runs = {0};
    struct Cli *cli = drill->cli;
    struct History of = {.environment = cli->environment, .most = 50};
    *out = NULL;
    if (cli_option(cli, "run") != NULL)
        return true;
    if (!store_days(drill->store, cli->environment, cli->arena, &rows, err) ||
        !store_runs(drill->store, &of, cli->arena, &runs, err))
        return false;
    const struct DayRow *day = rows.items;
    const struct RunRow *run = runs.items;
    for (size_t at = 0; at < runs.count; at++)
        if (run[at].alive && !run[at].finished)
            return true;
    for (size_t at = 0; at < rows.count && *out == NULL; at++)
        if (day[at].alive == KNOWN_YES)
            *out = &day[at];
    return true;
}

static int note_for_day(struct Drill *drill, const struct DayRow *day)
{
    struct Err err;
    struct Note made;
    struct RunRow run = {.id = day->id, .started = day->started, .alive = true};
    if (!make(drill, &run, &made, &err) || !store_day_note(drill->store, day->id, &made, &err))
        return cli_fail(drill->cli, &err);
    struct Buf out = BUF(1000);
    buf_printf(&out, "%s for game day %s\n", text_equal(made.type, "note") ? "noted" : made.type,
               day->name);
    int status = drill->cli->quiet ? 0 : cli_print(&out, 0);
    buf_free(&out);
    return status;
}

static int note(struct Drill *drill)
{
    struct Err err;
    struct RunRow run;
    struct Note made;
    const struct DayRow *day = NULL;
    if (!find_day(drill, &day, &err))
        return cli_fail(drill->cli, &err);
    if (day != NULL)
        return note_for_day(drill, day);
    if (!find_run(drill, &run, &err) || !make(drill, &run, &made, &err) ||
        !store_note(drill->store, run.id, &made, &err))
        return cli_fail(drill->cli, &err);
    struct Buf out = BUF(1000);
    char started[48];
    wall_local(run.started, started);
    buf_printf(&out, "%s for %s (%s in %s, %s %.16s)\n",
               text_equal(made.type, "note") ? "noted" : made.type, short_id(run.id), run.scenario,
               run.environment, run.finished ? "of" : "under way since", started);
    int status = drill->cli->quiet ? 0 : cli_print(&out, 0);
    buf_free(&out);
    return status;
}

static int verb(struct Cli *cli)
{
    return drill_open_for(cli, note);
}

const struct Verb verb_note = {
    .name = "note",
    .takes = "TEXT",
    .least = 0,
    .most = -1,
    .summary = "a line in a run's timeline; declared, acknowledged, mitigated are timed",
    .options = OPTIONS,
    .examples = "  faildrill note 'the order page is slow'\n"
                "  faildrill note declared: incident 4711      timed, since the fault\n"
                "  faildrill note --at 14:07 mitigated         afterwards too\n"
                "  faildrill note --go                         what a step asked for\n",
    .next = "Next: faildrill report last",
    .run = verb,
};
