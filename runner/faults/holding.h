/* holding.h - faults that are one process holding a resource: its words and its procedure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_HOLDING_H
#define FD_FAULTS_HOLDING_H

#include "../schema/decode.h"
#include "commands.h"

/* What the kinds have in common in a file; each takes of it what it knows. */
struct HoldingConfig {
    const struct Node *target;
    int64_t share; /* millionths; FIELD_NOT_GIVEN */
    int64_t leave; /* bytes; FIELD_NOT_GIVEN */
    const char *path;
};

/* `exhaust`: begins with what all have. */
enum Exhausted { EXHAUST_PIDS, EXHAUST_DESCRIPTORS, EXHAUST_CONNECTIONS, EXHAUST_SESSIONS };
struct ExhaustConfig {
    struct HoldingConfig amount; /* leave: a number */
    int what;
    const char *address;
    int64_t port, count; /* port 0: not given */
    int64_t ramp_ns, ramp_steps;
};

/* The target; the first field of every config. */
#define HOLDING_TARGET(text)                                                                       \
    {                                                                                              \
        .name = "target", .type = FIELD_ANY, .offset = offsetof(struct HoldingConfig, target),     \
        .flags = FIELD_SUBJECT | FIELD_REQUIRED, .example = "victim", .doc = text                  \
    }

/* Record checks: `path` from the root; and one of `share` and `leave`, and not both. */
void holding_check_path(const void *record, const struct Node *node, struct Decode *decode);
void holding_check(const void *record, const struct Node *node, struct Decode *decode);

/* What is held, as `sh hold VERB KIND [WORD VALUE]...` of holder.sh wants it, and in words. */
struct Holding {
    const char *kind;   /* "disk_fill" */
    const char *taking; /* "fill the disk by a file without a name" */
    const char *checking, *proving, *ending, *clearing; /* NULL: as for what is held */
    const char *words[23];                              /* NULL-ended */
    size_t count;
};
void holding_say(struct Holding *holding, const char *word, const char *value);
/* share and leave, as far as they were given. */
void holding_say_amount(struct Holding *holding, const struct HoldingConfig *config,
                        struct Arena *arena);
/* Class P: check, take, look, end, look. */
struct Procedure holding_plan(const struct Holding *holding, const struct PlanInput *input,
                              struct Arena *arena);

#endif
