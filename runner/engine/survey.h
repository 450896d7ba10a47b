/* survey.h - asks hosts and systems, side by side, what a plan needs to know. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_SURVEY_H
#define FD_ENGINE_SURVEY_H

#include "../model/plan.h"
#include "hosts.h"

/* One host of one role, as found. */
struct SurveyHost {
    const struct Role *role;
    const struct Target *target;
    bool beside;        /* of SurveyInput.beside: facts are not asked, `healthy` is */
    bool answered;      /* facts are there; else err says why not */
    enum Known healthy; /* its service runs; without one: the host answers */
    struct HostFacts facts;
    struct List named; /* of struct Named: what steps call by name, and who that is there */
    struct Err err;
    struct Standing standing; /* RANK_UNKNOWN where the role has no system or nobody answered */
};
/* One role with a system. Texts are in the survey's arena. */
struct SurveyRole {
    const struct Role *role;
    const struct Target
        *primary; /* by the control plane, else by the hosts themselves; NULL = unknown */
    struct Prospect prospect;
    bool prospect_known;
    struct Redundancy redundancy;
};
struct Survey {
    struct List hosts; /* of struct SurveyHost */
    struct List roles; /* of struct SurveyRole */
    struct Arena *arena;
};
/* Conductor; runs the loop until every question has ended (10 s at most). Facts are asked of the
 * hosts of `touched`, standing of those of `asked` too. Never fails: silence is an answer. */
struct SurveyInput {
    struct Hosts *hosts;
    struct Loop *loop;
    const struct Role *const *touched;
    size_t touched_count;
    /* Roles of which only the health is asked: their silence speaks against nothing by itself. */
    const struct Role *const *beside;
    size_t beside_count;
    const struct Role *const *asked; /* roles with a system; others are passed over */
    size_t asked_count;
    bool delays;                     /* whether the hosts can delay packets is asked as well */
    const struct Scenario *scenario; /* whom its steps mean by a name, too; may be NULL */
    struct Arena *arena;
};
void survey_make(const struct SurveyInput *input, struct Survey *out);
const struct SurveyHost *survey_host(const struct Survey *survey, const struct Role *role,
                                     const struct Target *target);
/* What the step's own `unit:` or `process:` is on the host; NULL where it has none. */
const struct Named *survey_named(const struct SurveyHost *host, const struct StepSpec *step);
const struct SurveyRole *survey_role(const struct Survey *survey, const struct Role *role);
/* Which hosts of each of `roles` (of const struct Role *) serve: the service runs, and its system,
 * where it was asked, gives the host a rank. Appends struct RoleHealth. */
void survey_healths(const struct Survey *survey, const struct List *roles, struct Arena *arena,
                    struct List *out);

#endif
