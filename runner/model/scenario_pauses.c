/* scenario_pauses.c - steps that wait, note or ask; and one that asks a database. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include <stddef.h>

#include "../base/duration.h"
#include "../base/text.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

static void wait_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const char *text = ((const struct PauseFields *)record)->text, *why = "";
    const struct Node *value = node_get(node, "wait");
    int64_t wait_ns = 0;
    if (text_equal(text, "steady") || reference_present(text))
        return;
    bool good = duration_parse(text, &wait_ns, &why);
    if (good && wait_ns > 0 && wait_ns <= DAY_NS)
        return;
    problems_say(decode->problems, ERR_VALUE, value->where, NULL, "'%s' is no time to wait", text);
    err_at(problems_last(decode->problems), "%s", good ? "more than nothing, at most a day" : why);
    err_hint(problems_last(decode->problems), "wait: 30s, or wait: steady");
}

#define SUBJECT(sample, text_)                                                                     \
    {                                                                                              \
        .name = "text", .type = FIELD_TEXT, .offset = offsetof(struct PauseFields, text),          \
        .flags = FIELD_SUBJECT | FIELD_REQUIRED, .example = sample, .doc = text_                   \
    }

static const struct Field WAIT_FIELDS[] = {
    SUBJECT("30s", "A duration; or `steady`: until every probe and system is as before the first "
                   "fault, for `steady: {for}` from here on."),
    {.name = NULL},
};
const struct Record WAIT_RECORD = {
    .name = "wait",
    .doc = "Waits; faults without `for` stay in effect, probes go on.",
    .size = sizeof(struct PauseFields),
    .fields = WAIT_FIELDS,
    .check = wait_check,
};

static const struct Field NOTE_FIELDS[] = {
    SUBJECT("the backup is not touched", "A line for the timeline of the run."),
    {.name = NULL},
};
const struct Record NOTE_RECORD = {
    .name = "note",
    .doc = "Writes a line into the timeline.",
    .size = sizeof(struct PauseFields),
    .fields = NOTE_FIELDS,
};

static const struct Field ASK_FIELDS[] = {
    SUBJECT("Has the pager gone off?",
            "A question with yes or no; no, or no answer within `timeout`, ends the drill."),
    {.name = NULL},
};
const struct Record ASK_RECORD = {
    .name = "ask",
    .doc = "Asks a person on the terminal; without one the drill is refused before it begins.",
    .size = sizeof(struct PauseFields),
    .fields = ASK_FIELDS,
};

bool scenario_pause(const struct Chosen *chosen, struct StepSpec *step)
{
    const struct Record *record = chosen->variant->record;
    if (record != &WAIT_RECORD && record != &NOTE_RECORD && record != &ASK_RECORD)
        return false;
    step->said = ((const struct PauseFields *)chosen->config)->text;
    step->type = record == &NOTE_RECORD ? STEP_NOTE : STEP_ASK;
    if (record != &WAIT_RECORD)
        return true;
    step->type = text_equal(step->said, "steady") ? STEP_STEADY : STEP_WAIT;
    bool known = step->said != NULL && duration_parse(step->said, &step->wait_ns, NULL);
    if (step->type == STEP_WAIT && !known)
        step->wait_ns = 0; /* ${env.NAME}, and no environment given; or said to be wrong */
    return true;
}

bool scenario_statement(struct ScenarioBuild *build, const struct StepFields *fields,
                        struct StepSpec *step)
{
    const struct ProbeKind *kind = kinds_statement(build->input->kinds);
    if (kind == NULL || fields->kind.variant->record != &kind->config)
        return false;
    const struct Node *server = node_get(fields->node, fields->kind.variant->name);
    step->type = STEP_SQL;
    step->whom_where = server != NULL ? server->where : step->where;
    step->asked = *(const char *const *)((const unsigned char *)step->config + kind->role_offset);
    return true;
}
