/* drill.h - what plan, run, undo and doctor open and close together. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_DRILL_H
#define FD_CLI_DRILL_H

#include "../engine/hosts.h"
#include "../engine/planner.h"
#include "../model/environment_notify.h"
#include "../model/gate.h"
#include "../store/store.h"
#include "cli.h"

struct SavedPlan;
struct Repeat;
/* What a game day adds to its drills. */
struct DayHooks {
    /* The run has its id, and is about to begin. False ends it there. */
    bool (*begins)(void *data, const char *run, struct Err *err);
    /* As RunAsk.forbids. */
    const char *(*forbids)(void *data, const struct Plan *plan);
    void *data;
    struct DaySteadyFor {
        int64_t for_ns, within_ns;
    } steady; /* at least, before the first fault */
    bool can_be_asked;
};
struct Drill {
    struct Cli *cli;
    struct Store *store;
    struct Loop *loop;
    struct Hosts *hosts;
    struct Loaded loaded;
    struct Plan *plan;
    const char *who; /* "ana@drillbox" */
    char store_id[33];
    struct List notify;  /* of struct NotifyTo: who is told of runs in the environment */
    struct List signers; /* of const struct Document *: the lists that were read, once each */
    struct List gates;   /* of const char *: rules of the command line, as written */
    const struct SavedPlan *saved; /* that is run; NULL: a file */
    struct Repeat *repeat;         /* that the run belongs to; NULL: nothing is run */
    const struct DayHooks *day;    /* NULL: it runs alone */
    char refusal[400];             /* why no run began; "" = one did */
};
/* Opens store and loop; says on stderr which runs did not end. 0, or the exit status after it was
 * printed. */
int drill_open(struct Cli *cli, struct Drill *out);
void drill_close(struct Drill *drill);
/* What a verb does with it, from open to close; its exit status. */
int drill_open_for(struct Cli *cli, int (*verb)(struct Drill *drill));
/* Reads the files of a scenario in the environment named by -e, unlocks its secrets. */
int drill_load(struct Drill *drill, const char *scenario, const char *environment);
/* A saved plan: its scenario, environment, seed, token and parameters. */
struct SavedPlan {
    const char *path;
    const struct Document *document; /* its bytes are what is signed */
    const char *scenario, *environment, *hash, *bytes_hash;
    const char *scenario_name, *environment_name, *who;
    const char *store;     /* that it was made in, and knows whether it was run */
    struct List inventory; /* of const char *: the hosts of each group that it went by */
    struct List shows;     /* of const char *: its steps, as people read them */
    struct List gates;     /* of const char *: rules of the command line that made it */
    struct List overrides; /* of struct GateOverride */
    uint64_t seed;
    struct Token token;
    struct Wall made, valid_until;
    struct ParamValue *params;
    size_t param_count;
};
/* KNOWN_NO where `name` names no saved plan: a unique end of its id, or the path of a file that
 * ends in .json. */
enum Known drill_saved_plan(struct Drill *drill, const char *name, struct SavedPlan *out,
                            struct Err *err);
/* Overrides set rules of the environment's own aside; then the scenario's rules, and those of the
 * command line (or of the saved plan as well), tighten what is left. Before anything is asked. */
bool drill_narrow(struct Drill *drill, const struct SavedPlan *saved, struct Err *err) MUST_CHECK;
/* Surveys and plans. `saved` may be NULL. */
int drill_plan(struct Drill *drill, const struct SavedPlan *saved);
/* False with the worst of what stands in the plan's way. */
bool drill_obstacles(const struct Plan *plan, struct Err *err) MUST_CHECK;
/* run.c: gate, plan, run and report of what was loaded; returns the exit status. */
int drill_run(struct Drill *drill, const struct SavedPlan *saved);
bool drill_gate(struct Drill *drill, bool ask_name, const char *confirmed, struct List *rules,
                struct Err *err) MUST_CHECK;
/* What only the plan shows: `forbid`, `longest_fault`, `blast_radius`, `keep_healthy`. */
bool drill_gate_plan(struct Drill *drill, struct Err *err) MUST_CHECK;
/* The last 4 characters of a run's id, in capitals as people say it. */
const char *short_id(const char *id);
/* "STAGING"/"PRODUCTION": capitals, as the first line of everything. In the arena. */
const char *loud(struct Arena *arena, const char *name);

#endif
