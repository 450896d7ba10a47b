/* commands.c - writes the commands of a procedure, and the service that they are about. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <stdarg.h>
#include <string.h>

#include "../base/text.h"
#include "../model/system.h"

#define WORDS_MAX 24
#define UNIT_MAX 200

static const struct Choice only_choices[] = {
    {"all", 0, "All processes of the service."},
    {"main", 1, "Its main process; what becomes of the others is measured."},
    {.name = NULL},
};

const struct Field service_fields[] = {SERVICE_FIELDS, {.name = NULL}};

const struct Field service_fields_only[] = {SERVICE_FIELDS,
                                            {.name = "only",
                                             .type = FIELD_CHOICE,
                                             .offset = offsetof(struct ServiceConfig, only_main),
                                             .choices = only_choices,
                                             .fallback = "all",
                                             .example = "main",
                                             .doc = "Which of the service's processes."},
                                            {.name = NULL}};

static void add_command(struct Commands *commands, struct Arena *arena, const struct Command *new)
{
    struct Command *all = arena_zero(arena, commands->count + 1, sizeof *all);
    for (size_t i = 0; i < commands->count; i++)
        all[i] = commands->at[i];
    all[commands->count] = *new;
    commands->at = all;
    commands->count++;
}

void commands_add(struct Commands *commands, struct Arena *arena, const char *what,
                  int64_t timeout_s, ...)
{
    const char **argv = arena_zero(arena, WORDS_MAX, sizeof *argv);
    va_list words;
    va_start(words, timeout_s);
    for (size_t i = 0; (argv[i] = va_arg(words, const char *)) != NULL; i++)
        if (i + 1 == WORDS_MAX)
            bug("a command of more than %d words", WORDS_MAX);
    va_end(words);
    add_command(commands, arena,
                &(struct Command){.what = what, .argv = argv, .timeout_ns = timeout_s * NS_PER_S});
}

void commands_add_argv(struct Commands *commands, struct Arena *arena, const char *what,
                       int64_t timeout_s, const char *const *argv)
{
    add_command(commands, arena,
                &(struct Command){.what = what, .argv = argv, .timeout_ns = timeout_s * NS_PER_S});
}

static bool unit_is_named(const char *unit)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:_.@-\\";
    size_t size = strlen(unit);
    return size > 0 && size <= UNIT_MAX && strspn(unit, allowed) == size && unit[0] != '-';
}

bool path_is_plain(const char *path)
{
    return path[0] == '/' && strstr(path, "/../") == NULL && !text_ends(path, "/..") &&
           strpbrk(path, "\r\n") == NULL;
}

static bool check_form(const struct Subject *subject, const struct PlanInput *input,
                       struct Err *err)
{
    const struct Where where = input->target->where;
    if (subject->form == NULL) {
        err_set(err, ERR_RULE, where, "role '%s' does not say how its service is run",
                input->role->name);
        return err_hint(err, "Give the role `unit:`, `service:`, `process:` or `container:`.");
    }
    if (subject->is_unit && !unit_is_named(subject->name))
        return err_set(err, ERR_VALUE, where, "'%s' is no name of a unit", subject->name);
    if (subject->is_unit && !input->facts->systemd)
        return err_set(err, ERR_NOT_READY, where, "'%s' has no systemd, so no unit '%s'",
                       input->target->name, subject->name);
    bool named = text_equal(subject->form, "exe") && strchr(subject->name, '/') == NULL &&
                 text_is_name(subject->name, true);
    if (!subject->is_unit && !subject->is_container && !named && !path_is_plain(subject->name))
        return err_set(err, ERR_VALUE, where, "'%s' is no absolute path", subject->name);
    if (subject->same != NULL && subject->same[0] == '\0')
        return err_set(err, ERR_NOT_READY, where, "no process of '%s' runs on '%s'", subject->name,
                       input->target->name);
    if (subject->with != NULL && strpbrk(subject->with, "\r\n") != NULL)
        return err_set(err, ERR_VALUE, where, "the arguments of '%s' are several lines",
                       subject->name);
    return true;
}

bool subject_make(const struct ServiceConfig *config, const struct PlanInput *input,
                  struct Arena *arena, struct Subject *out, struct Err *err)
{
    const struct Service *service = &input->role->service;
    struct Subject subject = {.only_main = config->only_main != 0};
    if (config->unit != NULL && config->process != NULL)
        return err_set(err, ERR_RULE, input->target->where,
                       "a step names one thing: `unit` or `process`");
    if (config->unit != NULL || config->process != NULL) {
        subject.is_unit = config->unit != NULL;
        subject.name = subject.is_unit ? config->unit : config->process;
        subject.same = !subject.is_unit && input->named != NULL ? input->named->processes : NULL;
    } else {
        subject.is_unit = service->unit != NULL;
        subject.name = subject.is_unit    ? service->unit
                       : service->pidfile ? service->pidfile
                       : service->exe     ? service->exe
                                          : service->container;
        subject.is_container = service->container != NULL;
        subject.with = service->exe != NULL ? service->args : NULL;
        subject.start = service->start;
        subject.stop = service->stop;
        if (input->rejoin.count > 0)
            subject.rejoin = commands_shell(&input->rejoin, arena);
        subject.over = input->role->system != NULL && input->role->system->left_as != NULL;
    }
    bool by_file = config->process == NULL && !subject.is_unit && service->pidfile != NULL;
    if (subject.name != NULL)
        subject.form = subject.is_unit        ? "unit"
                       : subject.is_container ? "container"
                       : by_file              ? "pidfile"
                                              : "exe";
    if (!check_form(&subject, input, err))
        return false;
    *out = subject;
    return true;
}

bool subject_can_start(const struct Subject *subject, const struct PlanInput *input,
                       struct Err *err)
{
    if (subject->is_unit || subject->start != NULL || subject->rejoin != NULL ||
        input->leave_stopped || (subject->is_container && input->facts->engine_starts))
        return true;
    err_set(err, ERR_NO_UNDO, input->target->where, "nobody knows how '%s' is started again",
            subject->name);
    return err_hint(err, "Give the role's service a `start:`, or say `undo: {leave: stopped}`.");
}

const char *subject_stays_down(const struct Subject *subject, const struct PlanInput *input,
                               struct Arena *arena)
{
    const char *start = subject->start != NULL ? subject->start
                        : subject->is_unit
                            ? arena_printf(arena, "systemctl start %s", subject->name)
                            : NULL;
    const char *as = input->role->system != NULL ? ", as a replica where another one leads" : "";
    if (start == NULL)
        return arena_printf(arena, "the service stays down until somebody starts it%s", as);
    return arena_printf(arena, "the service stays down until somebody starts it%s: %.*s", as,
                        (int)strcspn(start, "\r\n"), start);
}

void subject_add(const struct Subject *subject, struct Commands *commands, struct Arena *arena,
                 const char *what, const char *verb)
{
    bool turns = text_equal(verb, "turn");
    bool starts = text_equal(verb, "start") || text_equal(verb, "restart") || turns;
    bool stops = text_equal(verb, "stop") || text_equal(verb, "restart") || turns;
    bool looks = text_equal(verb, "up") || text_equal(verb, "unchanged");
    bool strikes =
        stops || text_equal(verb, "save") || text_equal(verb, "kill") || text_equal(verb, "freeze");
    const char **argv = arena_zero(arena, WORDS_MAX, sizeof *argv);
    size_t count = 0;
    const char *const base[] = {"sh", "service", verb, subject->form, subject->name};
    for (; count < COUNT_OF(base); count++)
        argv[count] = base[count];
    const struct {
        const char *word, *value;
    } more[] = {
        {"with", subject->with},
        {"only", subject->only_main ? "main" : NULL},
        {"same", strikes ? subject->same : NULL},
        {"freezer", subject->freezer},
        {"stop", stops && !subject->is_unit ? subject->stop : NULL},
        {"rejoin", starts ? subject->rejoin : NULL},
        {"over", (starts || looks) && subject->rejoin != NULL && subject->over ? "yes" : NULL},
        {"by", starts && subject->rejoin == NULL && !subject->is_unit ? subject->start : NULL},
    };
    for (size_t i = 0; i < COUNT_OF(more); i++)
        if (more[i].value != NULL) {
            argv[count++] = more[i].word;
            argv[count++] = more[i].value;
        }
    add_command(commands, arena,
                &(struct Command){.what = what,
                                  .argv = argv,
                                  .timeout_ns = (starts || stops ? 90 : 20) * NS_PER_S});
}

void subject_save(const struct Subject *subject, const struct PlanInput *input,
                  struct Commands *commands, struct Arena *arena)
{
    subject_add(subject, commands, arena, "record all processes of the service", "save");
    for (size_t i = 0; subject->rejoin != NULL && i < input->ready.count; i++)
        add_command(commands, arena, &input->ready.at[i]);
}

struct Procedure procedure_of(const struct PlanInput *input, enum FaultClass ends_by)
{
    return (struct Procedure){
        .ends_by = ends_by, .lease_ns = input->lease_ns, .cap_ns = input->cap_ns};
}
