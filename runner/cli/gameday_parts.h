/* gameday_parts.h - what the files of a game day's run share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_GAMEDAY_PARTS_H
#define FD_CLI_GAMEDAY_PARTS_H

#include "gameday.h"

struct Day {
    struct Drill *base; /* open all day: its store keeps the day, its loop hears the signals */
    struct GameDay *file;
    const struct Zone *zone; /* of its window; NULL where there is none */
    struct DayRow row;
    struct List drills;                   /* of struct DayDrillRow: how far each is */
    const char *refusal;                  /* of the drill under way; "" = it ran */
    const char *not_undone;               /* as in struct Repeat */
    size_t at;                            /* the drill under way */
    size_t ended[VERDICT_NOT_UNDONE + 1]; /* drills of this process, by verdict */
    bool may_ask, is_protected, resumed;
    struct DayHooks hooks;
    /* The loop between two drills. */
    struct Timer *timer;
    int signal; /* that was heard; 0 = none */
    struct Mono until;
    bool (*over)(struct Day *day); /* what is waited for has come */
};

/* ---- gameday.c ---- */
struct DayDrillRow *day_row(struct Day *day, size_t at);
bool day_keep(struct Day *day, size_t at, struct Err *err) MUST_CHECK;
void day_set_params(struct Cli *cli, const struct DayDrill *drill);

/* ---- gameday_begin.c ---- */
/* All files of the day, before the first drill: the fourth must not turn out to be broken at noon.
 * 0, or the exit status after it was printed. */
int day_read_files(struct Day *day);
bool day_may_begin(struct Day *day, struct Err *err) MUST_CHECK;
/* Once for the day. */
bool day_confirmed(struct Day *day, struct Err *err) MUST_CHECK;
/* Makes the day, or goes on with one whose runner died. */
bool day_begin(struct Day *day, struct Err *err) MUST_CHECK;

/* ---- gameday_wait.c ---- */
void day_hears(struct Day *day); /* from here on signals end the day, not the program */
void day_deaf(struct Day *day);
/* A signal that came while another loop ran is known after this. */
bool day_interrupted(struct Day *day);
/* Until `over` says so (may be NULL), a signal comes, or so much time has passed: true where it is
 * over, or there was nothing to wait for but time. */
bool day_wait(struct Day *day, int64_t ns, bool (*over)(struct Day *day));
/* Waits for the lead's go. False: *why says why not. */
bool day_go(struct Day *day, const struct DayDrill *drill, const char **why);
const char *day_signal_name(const struct Day *day);

#endif
