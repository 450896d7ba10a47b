/* gameday.c - `run` of a game day: its drills one after the other, each a run like any other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gameday_parts.h"

#include <string.h>

#include "../base/text.h"
#include "repeat.h"

const struct Document *gameday_file(struct Cli *cli, const char *name)
{
    struct Err ignored;
    const char *path;
    if (!project_scenario(&cli->project, name, cli->arena, &path, &ignored))
        return NULL;
    struct Problems *problems = problems_new();
    const struct Document *document = document_read(path, cli->arena, problems);
    const struct Node *root = document->root;
    bool is_day = root != NULL && root->type == NODE_MAP && root->count > 0 &&
                  text_equal(root->keys[0]->text, "gameday");
    problems_free(problems);
    if (is_day)
        *(const struct Document **)list_add(&cli->documents, cli->arena, sizeof(void *)) = document;
    return is_day ? document : NULL;
}

struct DayDrillRow *day_row(struct Day *day, size_t at)
{
    return (struct DayDrillRow *)day->drills.items + at;
}

bool day_keep(struct Day *day, size_t at, struct Err *err)
{
    return store_day_drill(day->base->store, day->row.id, (uint32_t)at + 1, day_row(day, at), err);
}

void day_set_params(struct Cli *cli, const struct DayDrill *drill)
{
    const struct TextPair *pairs = drill->params.items;
    struct ParamValue *params = arena_zero(cli->arena, drill->params.count + 1, sizeof *params);
    for (size_t at = 0; at < drill->params.count; at++)
        params[at] = (struct ParamValue){.name = pairs[at].name, .value = pairs[at].value};
    cli->params = params;
    cli->param_count = drill->params.count;
}

static bool is_listed(const struct Day *day, const char *option, const char *scenario)
{
    const struct List *given = &day->base->cli->given;
    const struct OptionGiven *rows = given->items;
    for (size_t at = 0; at < given->count; at++)
        if (text_equal(rows[at].option->name, option) && text_same_name(rows[at].value, scenario))
            return true;
    return false;
}

/* ---- One drill. ---- */

bool gameday_begins(struct Drill *drill, struct Err *err)
{
    const struct DayHooks *day = drill->day;
    return day == NULL || day->begins(day->data, drill->plan->token.text, err);
}

static bool begins(void *data, const char *run, struct Err *err)
{
    struct Day *day = data;
    struct DayDrillRow *row = day_row(day, day->at);
    if (day_interrupted(day))
        return err_set(err, ERR_REFUSED, NOWHERE, "ended by %s", day_signal_name(day));
    row->state = "begun";
    row->run = arena_text(day->base->cli->arena, run);
    return day_keep(day, day->at, err);
}

static const char *forbids(void *data, const struct Plan *plan)
{
    struct Day *day = data;
    const struct PlannedFault *faults = plan->faults.items;
    int64_t longest = 0;
    if (day_interrupted(day))
        return "the day was ended by a signal";
    for (size_t at = 0; at < plan->faults.count; at++)
        if (faults[at].procedure.cap_ns > longest)
            longest = faults[at].procedure.cap_ns;
    if (gameday_open(day->file, day->zone, wall_now(), longest))
        return NULL;
    return "its fault may last beyond the end of the day's window";
}

static enum Verdict verdict_of(int status)
{
    for (int verdict = VERDICT_PASS; verdict <= VERDICT_NOT_UNDONE; verdict++)
        if (verdict_status((enum Verdict)verdict) == status)
            return (enum Verdict)verdict;
    return status == 2 ? VERDICT_REFUSED : VERDICT_OWN_FAILURE;
}

/* One cycle of it, where its scenario repeats. */
static int once(struct Cli *cli, struct Repeat *repeat)
{
    struct Day *day = repeat->data;
    const struct DayDrill *spec = (const struct DayDrill *)day->file->drills.items + day->at;
    struct Drill drill;
    int status = drill_open(cli, &drill);
    drill.day = &day->hooks;
    drill.repeat = repeat;
    if (status == 0)
        status = drill_load(&drill, spec->scenario, day->file->environment);
    if (status == 0)
        status = drill_run(&drill, NULL);
    day->refusal = arena_text(cli->arena, drill.refusal);
    day->not_undone = repeat->not_undone;
    drill_close(&drill);
    return status;
}

static bool run_drill(struct Day *day, struct Err *err)
{
    struct Cli *cli = day->base->cli;
    struct DayDrillRow *row = day_row(day, day->at);
    cli->documents.count = 1;
    day_set_params(cli, (const struct DayDrill *)day->file->drills.items + day->at);
    int status = repeat_run(cli, once, day);
    enum Known ran = row->run != NULL ? store_was_run(day->base->store, row->run, err) : KNOWN_NO;
    row->verdict = verdict_of(status);
    day->ended[row->verdict] += ran == KNOWN_NO ? 0 : 1;
    row->state = ran != KNOWN_NO ? "done" : day_interrupted(day) ? "waiting" : "left_out";
    row->run = ran == KNOWN_NO ? NULL : row->run;
    row->why = ran != KNOWN_NO ? "" : day->refusal[0] != '\0' ? day->refusal : "its files changed";
    return day_keep(day, day->at, err);
}

/* ---- The order of the day. ---- */

static const struct DayDrillRow *row_of(const struct Day *day, const char *scenario)
{
    const struct DayDrillRow *rows = day->drills.items;
    for (size_t at = 0; at < day->drills.count; at++)
        if (text_same_name(rows[at].scenario, scenario))
            return &rows[at];
    return NULL;
}

/* Why the drill is left out, or NULL; *as: what that counts for. */
static const char *left_out(struct Day *day, const struct DayDrill *drill, enum Verdict *as)
{
    const char *const *after = drill->after_pass.items;
    *as = VERDICT_PASS;
    if (is_listed(day, "skip", drill->scenario))
        return "--skip";
    if (cli_option(day->base->cli, "only") != NULL && !is_listed(day, "only", drill->scenario))
        return "not named by --only";
    *as = VERDICT_NOT_READY;
    for (size_t at = 0; at < drill->after_pass.count; at++) {
        const struct DayDrillRow *row = row_of(day, after[at]);
        if (row == NULL || !text_equal(row->state, "done") || row->verdict != VERDICT_PASS)
            return arena_printf(day->base->cli->arena, "%s did not pass", after[at]);
    }
    return gameday_open(day->file, day->zone, wall_now(), 0) ? NULL : "the window is closed";
}

/* Why nothing more is begun, or NULL. Who resumes a day has seen how it ended before. */
static const char *stops(const struct Day *day)
{
    const struct DayStop *rule = day->file->stop_on;
    if (day->signal != 0)
        return arena_printf(day->base->cli->arena, "ended by %s", day_signal_name(day));
    if (day->ended[VERDICT_NOT_UNDONE] > 0)
        return "a fault may still be in effect";
    if (day->ended[VERDICT_OWN_FAILURE] > 0)
        return "the runner itself failed";
    if (rule->failed > 0 && day->ended[VERDICT_FAIL] >= (size_t)rule->failed)
        return "as many drills failed as stop_on says";
    if (day->ended[VERDICT_HALTED] >= (size_t)rule->halted)
        return "as many drills were halted as stop_on says";
    return NULL;
}

static bool is_free(struct Day *day)
{
    struct Err ignored;
    return store_is_free(day->base->store, day->file->environment, &ignored);
}

/* The rest after a drill, and whoever else took the environment in it. */
static void rest(struct Day *day)
{
    const struct DayBetween *between = day->file->between;
    int64_t within = between->steady != NULL ? between->steady->within_ns : 0;
    if (day_wait(day, between->pause_ns, NULL))
        (void)day_wait(day, within, is_free);
}

static bool leave_out(struct Day *day, size_t at, const char *why, enum Verdict as, struct Err *err)
{
    struct DayDrillRow *row = day_row(day, at);
    row->state = "left_out";
    row->why = why;
    row->verdict = as;
    return day_keep(day, at, err);
}

static bool each_drill(struct Day *day, const char **why, struct Err *err)
{
    const struct DayDrill *drills = day->file->drills.items;
    bool ran = false;
    for (day->at = 0; day->at < day->drills.count; day->at++) {
        enum Verdict as;
        if (!text_equal(day_row(day, day->at)->state, "waiting"))
            continue;
        const char *reason = left_out(day, &drills[day->at], &as);
        if (reason == NULL && ran)
            rest(day);
        *why = day_interrupted(day) || reason == NULL ? stops(day) : NULL;
        if (*why != NULL)
            return true;
        if (reason == NULL && drills[day->at].go == GO_ASK &&
            !day_go(day, &drills[day->at], &reason) && (*why = stops(day)) != NULL)
            return true;
        bool good = reason != NULL ? leave_out(day, day->at, reason, as, err) : run_drill(day, err);
        if (!good)
            return false;
        ran = ran || reason == NULL;
    }
    return true;
}

/* ---- The end. ---- */

/* What ran decides; where all of that passed, what was left out. */
static enum Verdict verdict_of_day(const struct Day *day)
{
    const struct DayDrillRow *rows = day->drills.items;
    enum Verdict ran = VERDICT_PASS, not_run = VERDICT_PASS;
    for (size_t at = 0; at < day->drills.count; at++) {
        if (text_equal(rows[at].state, "done"))
            ran = verdict_worst(ran, rows[at].verdict);
        else if (text_equal(rows[at].state, "left_out"))
            not_run = verdict_worst(not_run, rows[at].verdict);
    }
    return ran != VERDICT_PASS ? ran : not_run;
}

/* A day that a signal ended may be resumed: what it has not done still waits. */
static bool end(struct Day *day, const char *why, struct Err *err)
{
    bool waits = day->signal != 0;
    for (size_t at = 0; at < day->drills.count && !waits; at++)
        if (text_equal(day_row(day, at)->state, "waiting") &&
            !leave_out(day, at, why != NULL ? why : "", VERDICT_NOT_READY, err))
            return false;
    day->row.verdict = verdict_of_day(day);
    if (waits && verdict_worst(day->row.verdict, VERDICT_HALTED) == VERDICT_HALTED)
        day->row.verdict = VERDICT_HALTED;
    day->row.why = why != NULL ? why : "";
    day->row.ended = wall_now();
    day->row.finished = !waits;
    return waits || store_day_end(day->base->store, day->row.id, day->row.verdict, day->row.why,
                                  day->row.ended, err);
}

/* For those who watch: who leads, and whom to ask for a halt. */
static void say_who(const struct Day *day)
{
    const struct DayPeople *people = day->file->people;
    const char *const *names = people != NULL ? people->may_halt.items : NULL;
    if (day->base->cli->quiet)
        return;
    fprintf(stderr, "game day %s in %s: %zu drills%s%s", day->file->name, day->file->environment,
            day->drills.count, people != NULL && people->lead != NULL ? "; lead " : "",
            people != NULL && people->lead != NULL ? people->lead : "");
    for (size_t at = 0; people != NULL && at < people->may_halt.count; at++)
        fprintf(stderr, "%s%s", at == 0 ? "; may halt: " : ", ", names[at]);
    fputc('\n', stderr);
}

/* The last lines are those that matter most: what each drill left, and then the way by hand, which
 * a day that is resumed knows of its own drills alone. */
static void say_left(const struct Day *day)
{
    const struct DayDrillRow *rows = day->drills.items;
    for (size_t at = 0; at < day->drills.count; at++)
        if (text_equal(rows[at].state, "done") && rows[at].verdict == VERDICT_NOT_UNDONE)
            fprintf(stderr,
                    "NOT UNDONE  %s: a fault may still be in effect; now: faildrill undo %s\n",
                    rows[at].scenario, short_id(rows[at].run));
    const char *by_hand = day->not_undone != NULL ? strchr(day->not_undone, '\n') : NULL;
    if (by_hand != NULL)
        fputs(by_hand + 1, stderr);
}

static int all_day(struct Day *day)
{
    struct Cli *cli = day->base->cli;
    struct Err err;
    const char *why = NULL;
    if (!day_begin(day, &err))
        return cli_fail(cli, &err);
    bool silent = cli_option(cli, "unattended") != NULL;
    say_who(day);
    day_hears(day);
    bool good = each_drill(day, &why, &err) && end(day, why, &err) &&
                gameday_publish(day->base, &day->row, day->file,
                                silent && day->row.verdict == VERDICT_PASS, &err);
    day_deaf(day);
    int failed = good ? 0 : cli_fail(cli, &err);
    say_left(day);
    if (day->ended[VERDICT_NOT_UNDONE] > 0)
        return verdict_status(VERDICT_NOT_UNDONE);
    return good ? verdict_status(day->row.verdict) : failed;
}

static int run_file(struct Day *day)
{
    struct Cli *cli = day->base->cli;
    const struct DaySteady *steady = day->file->between->steady;
    const struct DayPeople *people = day->file->people;
    struct Err err;
    int status = day_read_files(day);
    if (status != 0)
        return status;
    if (!day_may_begin(day, &err) || !day_confirmed(day, &err))
        return cli_fail(cli, &err);
    day->hooks =
        (struct DayHooks){.begins = begins,
                          .forbids = forbids,
                          .data = day,
                          .can_be_asked = day->may_ask || (people != NULL && people->lead != NULL)};
    if (steady != NULL)
        day->hooks.steady = (struct DaySteadyFor){steady->for_ns, steady->within_ns};
    return all_day(day);
}

int gameday_run(struct Cli *cli, const struct Document *document)
{
    struct Problems *problems = problems_new();
    struct Drill base;
    struct Day day = {.base = &base, .may_ask = cli->may_ask};
    cli->may_ask = false; /* asked once for the day, and never by a drill */
    day.file = gameday_new(document, problems);
    int status = cli_problems(cli, problems);
    problems_free(problems);
    if (day.file == NULL || status != 0) {
        gameday_free(day.file);
        return status;
    }
    status = drill_open(cli, &base);
    if (status == 0)
        status = run_file(&day);
    drill_close(&base);
    gameday_free(day.file);
    return status;
}
