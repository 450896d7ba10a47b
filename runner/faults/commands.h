/* commands.h - writes the commands of a procedure, and the service that they are about. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_COMMANDS_H
#define FD_FAULTS_COMMANDS_H

#include "../model/fault.h"

/* Appends a command of the words after `timeout_s`, up to NULL. Words are borrowed; `what` too. */
void commands_add(struct Commands *commands, struct Arena *arena, const char *what,
                  int64_t timeout_s, ...) __attribute__((sentinel));

/* The same with the words in an array that ends with NULL. */
void commands_add_argv(struct Commands *commands, struct Arena *arena, const char *what,
                       int64_t timeout_s, const char *const *argv);

/* From the root, in one line, and never back up. */
bool path_is_plain(const char *path);

/* What `kill`, `stop`, `freeze` and `restart` have in common in a file: whom. */
struct ServiceConfig {
    const struct Node *target;
    const char *unit;    /* another unit on that host, instead of its role's service */
    const char *process; /* the same by its executable */
    int only_main;
};
/* Their rows. */
#define SERVICE_FIELDS                                                                             \
    {.name = "target",                                                                             \
     .type = FIELD_ANY,                                                                            \
     .offset = offsetof(struct ServiceConfig, target),                                             \
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,                                                      \
     .example = "victim",                                                                          \
     .doc = "Whose service: the name of a target, or a target written in place."},                 \
        {.name = "unit",                                                                           \
         .type = FIELD_TEXT,                                                                       \
         .offset = offsetof(struct ServiceConfig, unit),                                           \
         .example = "patroni.service",                                                             \
         .doc = "Another systemd unit on that host, instead of the role's service."},              \
    {                                                                                              \
        .name = "process", .type = FIELD_TEXT, .offset = offsetof(struct ServiceConfig, process),  \
        .example = "/usr/sbin/haproxy",                                                            \
        .doc = "Another service on that host, by the path or name of its executable: exactly "     \
               "those processes that `plan` finds."                                                \
    }
extern const struct Field service_fields[];      /* those alone */
extern const struct Field service_fields_only[]; /* and `only` */

/* The service as service.sh wants it; all words are checked. In the arena. */
struct Subject {
    const char *form, *name, *with; /* with: NULL, or text of the command line */
    const char *start, *stop;       /* shell lines, NULL where unknown */
    const char *same;               /* who they were in the plan; NULL: not found by name */
    const char *freezer;            /* "1" or "2": of its control group; NULL: signals stop it */
    const char *rejoin;             /* stands in place of start; NULL where plain start is safe */
    bool is_unit, is_container, only_main;
    bool over; /* rejoin also where somebody else has started it */
};
bool subject_make(const struct ServiceConfig *config, const struct PlanInput *input,
                  struct Arena *arena, struct Subject *out, struct Err *err) MUST_CHECK;
/* Refuses what could not be started again, unless it may stay stopped. */
bool subject_can_start(const struct Subject *subject, const struct PlanInput *input,
                       struct Err *err) MUST_CHECK;
/* Appends `sh service VERB ...`. */
void subject_add(const struct Subject *subject, struct Commands *commands, struct Arena *arena,
                 const char *what, const char *verb);
/* Appends the record of its processes, and the looks that a system wants before it goes. */
void subject_save(const struct Subject *subject, const struct PlanInput *input,
                  struct Commands *commands, struct Arena *arena);
/* What is then to be done by hand. */
const char *subject_stays_down(const struct Subject *subject, const struct PlanInput *input,
                               struct Arena *arena);
/* lease, cap and class of `input`. */
struct Procedure procedure_of(const struct PlanInput *input, enum FaultClass ends_by);

#endif
