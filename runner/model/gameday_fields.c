/* gameday_fields.c - the keys of a game day's file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "calendar.h"
#include "environment_notify.h"
#include "gameday.h"
#include "needs.h"

#define HOUR_NS (3600 * NS_PER_S)
#define AT(record, member) .offset = offsetof(struct record, member)

static const struct Field PEOPLE_FIELDS[] = {
    {.name = "lead",
     .type = FIELD_TEXT,
     AT(DayPeople, lead),
     .example = "ana@example.net",
     .doc = "Says go before each drill, on the terminal or by `faildrill note --go`; where a lead "
            "is named, drills wait for it unless they say go: auto."},
    {.name = "observer",
     .type = FIELD_TEXT,
     AT(DayPeople, observer),
     .example = "raj@example.net",
     .doc = "Watches the service."},
    {.name = "scribe",
     .type = FIELD_TEXT,
     AT(DayPeople, scribe),
     .example = "mia@example.net",
     .doc = "Writes down what happens: `faildrill note`."},
    {.name = "may_halt",
     .type = FIELD_LIST,
     AT(DayPeople, may_halt),
     .max = 50,
     .example = "[ana@example.net, oncall@example.net]",
     .doc = "Who is asked to halt a drill; they are shown and reported. A halt by anybody else is "
            "obeyed as well."},
    {.name = NULL},
};
static const struct Record PEOPLE_RECORD = {
    .name = "people",
    .doc = "Who does what on the day.",
    .size = sizeof(struct DayPeople),
    .fields = PEOPLE_FIELDS,
};

static const struct Field STEADY_FIELDS[] = {
    {.name = "for",
     .type = FIELD_DURATION,
     AT(DaySteady, for_ns),
     .fallback = "10s",
     .min = NS_PER_MS,
     .max = HOUR_NS,
     .example = "2m",
     .doc = "How long every probe of the next drill must be good before its first fault."},
    {.name = "within",
     .type = FIELD_DURATION,
     AT(DaySteady, within_ns),
     .fallback = "60s",
     .min = NS_PER_S,
     .max = 24 * HOUR_NS,
     .example = "30m",
     .doc = "How long to wait for that; then the drill is NOT READY."},
    {.name = NULL},
};
static const struct Record STEADY_RECORD = {
    .name = "steady",
    .doc = "What must hold before the next drill; never less than its scenario asks for.",
    .size = sizeof(struct DaySteady),
    .fields = STEADY_FIELDS,
};

static const struct Field BETWEEN_FIELDS[] = {
    {.name = "steady",
     .type = FIELD_RECORD,
     AT(DayBetween, steady),
     .of = &STEADY_RECORD,
     .example = "{for: 2m, within: 30m}",
     .doc = "What must hold before the next drill; never less than its scenario asks for."},
    {.name = "pause",
     .type = FIELD_DURATION,
     AT(DayBetween, pause_ns),
     .min = 0,
     .max = 24 * HOUR_NS,
     .fallback = "0s",
     .example = "5m",
     .doc = "Rest after each drill; the environment is free for others then."},
    {.name = NULL},
};
static const struct Record BETWEEN_RECORD = {
    .name = "between",
    .doc = "What comes between two drills.",
    .size = sizeof(struct DayBetween),
    .fields = BETWEEN_FIELDS,
};

static const struct Field STOP_FIELDS[] = {
    {.name = "failed",
     .type = FIELD_INT,
     AT(DayStop, failed),
     .min = 1,
     .max = 1000,
     .example = "3",
     .doc = "The day ends with so many drills that ended FAIL."},
    {.name = "halted",
     .type = FIELD_INT,
     AT(DayStop, halted),
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .example = "2",
     .doc = "The day ends with so many drills that ended HALTED."},
    {.name = NULL},
};
static const struct Record STOP_RECORD = {
    .name = "stop_on",
    .doc = "What ends the day early; NOT UNDONE and a failure of the runner always do.",
    .size = sizeof(struct DayStop),
    .fields = STOP_FIELDS,
};

static const struct Choice WAYS[] = {
    {"slack", NOTIFY_SLACK, "The channel of Slack."},
    {"teams", NOTIFY_TEAMS, "The channel of Teams."},
    {"webhook", NOTIFY_WEBHOOK, "The service of your own."},
    {.name = NULL},
};
static const struct Field REPORT_FIELDS[] = {
    {.name = "html",
     .type = FIELD_BOOL,
     AT(DayReports, html),
     .fallback = "true",
     .example = "true",
     .doc = "Writes the day's page."},
    {.name = "markdown",
     .type = FIELD_BOOL,
     AT(DayReports, markdown),
     .fallback = "true",
     .example = "true",
     .doc = "Writes the day as Markdown, for the review document."},
    {.name = "notify",
     .type = FIELD_LIST,
     AT(DayReports, notify),
     .max = 3,
     .choices = WAYS,
     .example = "[slack]",
     .doc = "Who is told how the day ended, a line a drill: of those that environment or project "
            "name under their `notify`."},
    {.name = NULL},
};
static const struct Record REPORT_RECORD = {
    .name = "report",
    .doc = "What is written at the end, JSON always, and who is told.",
    .size = sizeof(struct DayReports),
    .fields = REPORT_FIELDS,
};

static const struct Choice GOES[] = {
    {"auto", GO_AUTO, "It begins by itself."},
    {"ask", GO_ASK, "It waits for the lead's go."},
    {.name = NULL},
};
static const struct Field DRILL_FIELDS[] = {
    {.name = "scenario",
     .type = FIELD_TEXT,
     AT(DayDrill, scenario),
     .flags = FIELD_REQUIRED,
     .example = "redis_primary_dies",
     .doc = "Which drill, by its name; each once."},
    {.name = "owner",
     .type = FIELD_TEXT,
     AT(DayDrill, owner),
     .example = "raj@example.net",
     .doc = "Who answers for it on the day."},
    {.name = "params",
     .type = FIELD_TEXTS,
     AT(DayDrill, params),
     .max = 100,
     .example = "{machines: 2}",
     .doc = "Values of the scenario's parameters."},
    {.name = "after_pass",
     .type = FIELD_LIST,
     AT(DayDrill, after_pass),
     .max = 50,
     .example = "[redis_primary_dies]",
     .doc = "Drills before it that must have passed that day; else it is left out."},
    {.name = "go",
     .type = FIELD_CHOICE,
     AT(DayDrill, go),
     .choices = GOES,
     .example = "ask",
     .doc = "Whether somebody says go first; default: ask where a lead is named, else auto."},
    {.name = "", .type = FIELD_NODE, AT(DayDrill, node)},
    {.name = NULL},
};
static const struct Record DRILL_RECORD = {
    .name = "drill",
    .doc = "One drill of the day.",
    .size = sizeof(struct DayDrill),
    .fields = DRILL_FIELDS,
};

static const struct Field FIELDS[] = {
    {.name = "gameday",
     .type = FIELD_TEXT,
     AT(GameDay, name),
     .flags = FIELD_REQUIRED,
     .example = "2026-12-staging",
     .doc = "The name, the same as the file's."},
    {.name = "environment",
     .type = FIELD_TEXT,
     AT(GameDay, environment),
     .flags = FIELD_REQUIRED,
     .example = "staging",
     .doc = "Where all of it runs."},
    NEEDS_ROW(offsetof(struct GameDay, needs)),
    SCHEDULE_ROW(offsetof(struct GameDay, schedule)),
    {.name = "window",
     .type = FIELD_TEXT,
     AT(GameDay, window_text),
     .example = "2026-12-03 14:00-17:00",
     .doc = "Nothing is started that may last beyond its end; a weekday in the place of the date "
            "means each week. By the clocks of the environment's timezone."},
    {.name = "people",
     .type = FIELD_RECORD,
     AT(GameDay, people),
     .of = &PEOPLE_RECORD,
     .example = "{lead: ana@example.net}",
     .doc = "Who does what on the day."},
    {.name = "between",
     .type = FIELD_RECORD,
     AT(GameDay, between),
     .flags = FIELD_ALWAYS,
     .of = &BETWEEN_RECORD,
     .example = "{steady: {for: 2m, within: 30m}, pause: 5m}",
     .doc = "What comes between two drills."},
    {.name = "stop_on",
     .type = FIELD_RECORD,
     AT(GameDay, stop_on),
     .flags = FIELD_ALWAYS,
     .of = &STOP_RECORD,
     .example = "{failed: 3, halted: 2}",
     .doc = "What ends the day early; NOT UNDONE and a failure of the runner always do."},
    {.name = "drills",
     .type = FIELD_LIST,
     AT(GameDay, drills),
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 100,
     .of = &DRILL_RECORD,
     .example = "[{scenario: redis_primary_dies, owner: raj@example.net}]",
     .doc = "The drills, in their order."},
    {.name = "report",
     .type = FIELD_RECORD,
     AT(GameDay, report),
     .flags = FIELD_ALWAYS,
     .of = &REPORT_RECORD,
     .example = "{html: true, notify: slack}",
     .doc = "What is written at the end, JSON always, and who is told."},
    {.name = "", .type = FIELD_NODE, AT(GameDay, node)},
    {.name = NULL},
};
const struct Record GAMEDAY_RECORD = {
    .name = "gameday",
    .doc = "Several drills in one go: in which order, with whom, and when it stops.",
    .size = sizeof(struct GameDay),
    .fields = FIELDS,
};
