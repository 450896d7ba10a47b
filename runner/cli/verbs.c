/* verbs.c - the table of verbs, in the order that people meet them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static const struct Verb *const VERBS[] = {
    &verb_init,    &verb_doctor,     &verb_plan,    &verb_run,      &verb_status,
    &verb_halt,    &verb_undo,       &verb_report,  &verb_trends,   &verb_validate,
    &verb_explain, &verb_schema,     &verb_approve, &verb_schedule, &verb_note,
    &verb_runs,    &verb_completion, &verb_version, &verb_try,
};

const struct Verb *const *cli_verbs(size_t *count)
{
    *count = COUNT_OF(VERBS);
    return VERBS;
}
