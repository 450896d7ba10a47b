/* run.c - `run`: break, measure, undo, report. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../base/text.h"
#include "../engine/run.h"
#include "../model/redact.h"
#include "approval.h"
#include "gameday.h"
#include "judge.h"
#include "plan_file.h"
#include "repeat.h"
#include "telling.h"
#include "watch.h"

static const struct Option OPTIONS[] = {
    {.name = "confirm",
     .value = "NAME",
     .doc = "The protected environment's name, instead of typing it."},
    {.name = "seed", .value = "N", .doc = "Draw the hosts with this seed."},
    {.name = "times", .value = "N", .doc = "Run it so often, as `repeat: {times: N}` does."},
    {.name = "unattended",
     .doc = "Asks nothing, and says nothing unless something is wrong: for timers and cron."},
    {.name = "resume", .doc = "Goes on with the game day of this file whose runner died."},
    {.name = "only", .value = "DRILL", .many = true, .doc = "Of a game day, only this drill."},
    {.name = "skip", .value = "DRILL", .many = true, .doc = "Of a game day, not this drill."},
    {.name = "param", .letter = 'p', .value = "K=V", .many = true, .doc = "Set a parameter."},
    {.name = "gate",
     .value = "RULE",
     .many = true,
     .doc = "A stricter rule, as under `gate:` in a file: 'longest_fault: 1m'."},
    {.name = "override",
     .value = "RULE",
     .many = true,
     .doc = "Sets windows, freeze, max_per_day or passed_in aside; every report says so."},
    {.name = "reason", .value = "TEXT", .doc = "Why a rule is overridden, for every report."},
    {.name = NULL},
};

/* The first word of every refusal, where a person and a log look for it. */
static int refuse(struct Drill *drill, const struct Err *err)
{
    const char *word = err_status(err->code) == 4   ? "REFUSED"
                       : err_status(err->code) == 3 ? "NOT READY"
                                                    : NULL;
    struct Cli *cli = drill->cli;
    snprintf(drill->refusal, sizeof drill->refusal, "%s", err->message);
    if (word == NULL || drill->loaded.scenario == NULL)
        return cli_fail(cli, err);
    struct Buf out = BUF(2000);
    buf_printf(&out, "%s  %s  %s  %s\n", word, drill->loaded.scenario->name,
               loud(cli->arena, drill->loaded.environment->name), err->message);
    if (err->hint[0] != '\0')
        buf_printf(&out, "  = help: %s\n", err->hint);
    buf_put(&out, "  nothing was injected\n");
    int status = cli_print(&out, err_status(err->code));
    buf_free(&out);
    return status;
}

/* The name of a protected environment, typed or given; for others a plain yes, where somebody is
 * there to ask. */
static bool confirm(struct Drill *drill, char *typed, size_t room, const char **confirmed)
{
    struct Cli *cli = drill->cli;
    const struct Environment *environment = drill->loaded.environment;
    const struct GateOverride *row = environment->overrides.items;
    bool later = drill->repeat->cycle.number > 1;
    for (size_t at = 0; at < environment->overrides.count && !later; at++)
        fprintf(stderr, "OVERRIDDEN %s\n", override_say(&row[at], cli->arena));
    *confirmed = later ? drill->repeat->confirmed : cli_option(cli, "confirm");
    if (*confirmed != NULL || !cli->may_ask || later)
        return true;
    const char *question =
        environment->is_protected
            ? arena_printf(cli->arena, "This breaks %s on purpose. Type its name to go on: ",
                           loud(cli->arena, environment->name))
            : arena_printf(cli->arena, "Run %s in %s? [y/N] ", drill->loaded.scenario->name,
                           environment->name);
    if (!cli_ask_line(question, typed, room))
        return false;
    if (environment->is_protected)
        *confirmed = arena_text(cli->arena, typed);
    return environment->is_protected || typed[0] == 'y' || typed[0] == 'Y';
}

static bool gate(struct Drill *drill, struct Err *err)
{
    char typed[200];
    const char *confirmed = NULL;
    struct List rules = {0};
    /* First without the name: nobody types a name only to be refused for another reason. */
    if (!drill_gate(drill, false, NULL, &rules, err))
        return false;
    if (!confirm(drill, typed, sizeof typed, &confirmed))
        return err_set(err, ERR_REFUSED, NOWHERE, "not confirmed");
    drill->repeat->confirmed = confirmed;
    rules = (struct List){0};
    return drill_gate(drill, true, confirmed, &rules, err);
}

/* Before any host is asked. */
static bool may_be_run(struct Drill *drill, const struct SavedPlan *saved, struct Err *err)
{
    const struct Environment *environment = drill->loaded.environment;
    bool later = drill->repeat->cycle.number > 1;
    enum Known was_run = later ? KNOWN_NO : store_was_run(drill->store, saved->token.text, err);
    if (was_run == KNOWN_UNKNOWN)
        return false;
    if (wall_now().ns > saved->valid_until.ns)
        err_set(err, ERR_REFUSED, NOWHERE, "plan %s is no longer valid",
                short_id(saved->token.text));
    else if (drill->store_id[0] == '\0' || !text_equal(saved->store, drill->store_id))
        err_set(err, ERR_REFUSED, NOWHERE,
                "plan %s was made with another state folder, which alone knows whether it was run",
                short_id(saved->token.text));
    else if (was_run == KNOWN_YES)
        err_set(err, ERR_REFUSED, NOWHERE, "plan %s was run already: a plan is run once",
                short_id(saved->token.text));
    else if (!text_equal(saved->environment_name, environment->name) ||
             !text_equal(saved->scenario_name, drill->loaded.scenario->name))
        err_set(err, ERR_REFUSED, NOWHERE, "plan %s is for %s in %s, not for %s in %s",
                short_id(saved->token.text), saved->scenario_name, saved->environment_name,
                drill->loaded.scenario->name, environment->name);
    else
        return true;
    return err_hint(err, "Make a new one: faildrill plan.");
}

struct Running {
    struct Drill *drill;
    struct Run *run;
    struct Watching *watching;
    int signals;
    const char *question; /* of the step that asks; NULL = none */
    int tty;              /* an opening of our own: the loop makes it one that does not wait, which
                             stdin and stderr, shared with the shell, must not become */
};

/* ---- The question of a step: what is typed is read by the loop, which waits for nobody. ---- */

static void question_end(struct Running *running)
{
    if (running->question == NULL)
        return;
    if (running->tty >= 0) {
        loop_watch(running->drill->loop, running->tty, 0, NULL, NULL);
        close(running->tty);
    }
    running->question = NULL;
    watch_question(running->watching, NULL);
}

static void typed(void *data, int events)
{
    (void)events;
    struct Running *running = data;
    char line[200];
    ssize_t size = read(running->tty, line, sizeof line);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool yes = size > 0 && (line[0] == 'y' || line[0] == 'Y');
    watch_typed(running->watching);
    if (size > 0 && !yes && line[0] != 'n' && line[0] != 'N') {
        watch_question(running->watching, running->question);
        return;
    }
    question_end(running);
    run_answer(running->run, yes);
}

/* What was typed before the question was there answers another one. */
static void question(void *data, const char *text)
{
    struct Running *running = data;
    question_end(running);
    if (text == NULL)
        return;
    running->question = text;
    running->tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    watch_question(running->watching, text);
    if (running->tty < 0) {
        if (running->drill->day == NULL) /* of a game day `note --go` may still come */
            run_answer(running->run, false);
        return;
    }
    tcflush(running->tty, TCIFLUSH);
    loop_watch(running->drill->loop, running->tty, LOOP_READ, typed, running);
}

/* The first one halts and undoes; the second and later say what is left. None skips an undo. */
static void signalled(void *data, int number)
{
    struct Running *running = data;
    const char *name = number == SIGINT ? "Ctrl-C" : number == SIGTERM ? "SIGTERM" : "SIGHUP";
    const char *does = run_tidies_up(running->run)
                           ? "the step under `always` is no longer awaited; the next one comes"
                       : running->signals == 0 ? "halting, undoing what is in effect"
                                               : "still undoing; nothing is skipped";
    struct Buf left = BUF(2000);
    run_left(running->run, &left);
    watch_say(running->watching, "%s: %s%s%s", name, does, left.size ? "\n" : "", left.text);
    buf_free(&left);
    running->signals++;
    run_abort(running->run, VERDICT_HALTED, number == SIGINT ? "halted by Ctrl-C" : name);
}

/* What somebody signed may have ended, or been taken back, while a steady state was awaited. */
static const char *forbids(void *data)
{
    struct Drill *drill = data;
    struct List rules = {0};
    const char *why = drill->day ? drill->day->forbids(drill->day->data, drill->plan) : NULL;
    if (why != NULL || drill->saved == NULL)
        return why;
    if (wall_now().ns > drill->saved->valid_until.ns)
        return "the plan is no longer valid";
    if (gate_approvals(drill, &rules))
        return NULL;
    return arena_printf(drill->cli->arena, "approvals: %s",
                        ((const struct GateRule *)rules.items)->sentence);
}

/* Said last and loudest, whatever became of the report; also where a store that failed could not
 * keep the proof, so that its record of this run says so. */
static int say_not_undone(const struct Running *running)
{
    struct Buf left = BUF(4000), clean = BUF(8000);
    run_left(running->run, &left);
    if (left.size == 0)
        buf_put(&left, "all of it was seen undone, which the store does not know; by hand on "
                       "a host: sudo sh /run/faildrill/undo\n");
    redact(left.text, &clean);
    struct Repeat *of = running->drill->repeat;
    of->not_undone = arena_printf(
        of->cli->arena, "NOT UNDONE: a fault may still be in effect; faildrill undo %s\n%s",
        short_id(running->drill->plan->token.text), clean.text);
    fputs(of->not_undone, stderr);
    buf_free(&clean);
    buf_free(&left);
    return verdict_status(VERDICT_NOT_UNDONE);
}

static int go(struct Drill *drill)
{
    struct Running running = {.drill = drill};
    running.watching = watch_new(drill);
    struct RunWatch shown = watch_of(running.watching);
    struct Telling *telling = telling_open(drill, &shown);
    struct RunAsk input = {.plan = drill->plan,
                           .kinds = drill->cli->kinds,
                           .loop = drill->loop,
                           .hosts = drill->hosts,
                           .store = drill->store,
                           .who = drill->who,
                           .version = CLI_VERSION,
                           .state = drill->cli->state,
                           .cycle = repeat_begins(drill->repeat, drill->plan),
                           .steady_ns = drill->day ? drill->day->steady.for_ns : 0,
                           .steady_within_ns = drill->day ? drill->day->steady.within_ns : 0,
                           .forbids = forbids,
                           .forbids_data = drill,
                           .watch = telling_watch(telling)};
    input.watch.ask = question;
    input.watch.ask_data = &running;
    /* In the background a terminal would stop who touches it, with a fault in effect. */
    sigaction(SIGTTOU, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    sigaction(SIGTTIN, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    running.run = run_new(&input);
    telling_run(telling, running.run);
    loop_signals(drill->loop, signalled, &running);
    run_go(running.run);
    question_end(&running);
    watch_end(running.watching);
    const char *why = "";
    enum Verdict ended_as = run_ended_as(running.run, &why);
    int status;
    struct Err err;
    if (!run_was_stored(running.run)) {
        err_set(&err, ended_as == VERDICT_REFUSED ? ERR_LOCKED : ERR_STORE, NOWHERE, "%s", why);
        status = refuse(drill, &err);
    } else {
        status = judge_run(drill, drill->plan->token.text);
    }
    telling_end(telling, status);
    telling_close(telling);
    if (ended_as == VERDICT_NOT_UNDONE || status == verdict_status(VERDICT_NOT_UNDONE))
        status = say_not_undone(&running);
    hosts_free(drill->hosts);
    drill->hosts = NULL;
    loop_free(drill->loop); /* first: what was posted late refers to the run */
    drill->loop = NULL;
    run_free(running.run);
    return status;
}

/* A drill that nobody can answer would stand there with its fault in effect. */
static bool can_be_asked(const struct Drill *drill, struct Err *err)
{
    const struct List *steps = &drill->loaded.scenario->steps;
    const struct StepSpec *step = steps->items;
    bool somebody = drill->cli->may_ask || (drill->day != NULL && drill->day->can_be_asked);
    for (size_t at = 0; at < steps->count && !somebody; at++) {
        if (step[at].type != STEP_ASK)
            continue;
        err_set(err, ERR_REFUSED, NOWHERE, "step %zu asks a person, and there is nobody to ask",
                at + 1);
        return err_hint(err, "Run it on a terminal, without --no-input.");
    }
    return true;
}

int drill_run(struct Drill *drill, const struct SavedPlan *saved)
{
    struct Err err;
    drill->saved = saved;
    if (!repeat_loaded(drill->repeat, drill, &err) ||
        (saved != NULL && !may_be_run(drill, saved, &err)) || !drill_narrow(drill, saved, &err))
        return refuse(drill, &err);
    /* Whoever holds it is named, before its hosts are asked and tell of that run's traces. */
    if (!can_be_asked(drill, &err) ||
        !store_is_free(drill->store, drill->loaded.environment->name, &err) || !gate(drill, &err))
        return refuse(drill, &err);
    int status = drill_plan(drill, saved);
    if (status != 0 || !repeat_planned(drill->repeat, drill->plan))
        return status;
    if ((saved != NULL && !plan_is_same(drill, saved, &err)) ||
        !drill_obstacles(drill->plan, &err) || !drill_gate_plan(drill, &err) ||
        !gameday_begins(drill, &err))
        return refuse(drill, &err);
    return go(drill);
}

static int run(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct SavedPlan saved;
    struct Err err;
    enum Known known = drill_saved_plan(drill, cli->args[0], &saved, &err);
    if (known == KNOWN_UNKNOWN)
        return cli_fail(cli, &err);
    if (known == KNOWN_YES) {
        cli->params = saved.params;
        cli->param_count = saved.param_count;
    } else if (!cli_environment_named(cli, &err)) {
        return cli_fail(cli, &err);
    }
    int status = drill_load(drill, known == KNOWN_YES ? saved.scenario : cli->args[0],
                            known == KNOWN_YES ? saved.environment : cli->environment);
    if (status != 0)
        return status;
    if (known == KNOWN_YES && cli->environment != NULL &&
        !text_equal(cli->environment, drill->loaded.environment->name)) {
        err_set(&err, ERR_REFUSED, NOWHERE, "the plan is for environment '%s', not '%s'",
                drill->loaded.environment->name, cli->environment);
        return refuse(drill, &err);
    }
    return drill_run(drill, known == KNOWN_YES ? &saved : NULL);
}

static int once(struct Cli *cli, struct Repeat *repeat)
{
    struct Drill drill;
    int status = drill_open(cli, &drill);
    drill.repeat = repeat;
    if (status == 0)
        status = run(&drill);
    drill_close(&drill);
    return status;
}

static int verb(struct Cli *cli)
{
    bool unattended = cli_option(cli, "unattended") != NULL;
    cli->may_ask = cli->may_ask && !unattended;
    cli->quiet = cli->quiet || unattended;
    const struct Document *day = gameday_file(cli, cli->args[0]);
    return day != NULL ? gameday_run(cli, day) : repeat_run(cli, once, NULL);
}

const struct Verb verb_run = {
    .name = "run",
    .takes = "FILE or PLAN",
    .least = 1,
    .most = 1,
    .summary = "break, measure, undo, report; Ctrl-C halts and undoes",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples = "  faildrill run -e staging redis_primary_dies\n"
                "  faildrill run 4k2p --confirm production     a plan that was saved\n"
                "  faildrill run scenarios/2026-12-staging.yaml --resume    a game day\n",
    .next = "Next: faildrill report last, faildrill trends",
    .asks = true,
    .run = verb,
};
