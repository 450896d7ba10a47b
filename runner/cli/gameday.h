/* gameday.h - `run` of a game day: its drills one after the other, each a run like any other. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_GAMEDAY_H
#define FD_CLI_GAMEDAY_H

#include "../model/gameday.h"
#include "drill.h"

/* The file of that name or path where it is a game day's; NULL where it is anything else. */
const struct Document *gameday_file(struct Cli *cli, const char *name);
/* The whole day; between two drills nobody holds the environment. Returns the exit status. */
int gameday_run(struct Cli *cli, const struct Document *document);

/* Right before a run: the day of the drill, where it has one, keeps its id. False: it must not
 * begin. */
bool gameday_begins(struct Drill *drill, struct Err *err) MUST_CHECK;

/* ---- gameday_report.c ---- */
/* The newest day of that name or end of an id; *out NULL where there is none. */
bool gameday_find(struct Drill *drill, const char *name, const struct DayRow **out,
                  struct Err *err) MUST_CHECK;
/* Writes the pages that `file` asks for (all where NULL) beside the day, and says what came of it
 * on stdout unless `silent`. */
bool gameday_publish(struct Drill *drill, const struct DayRow *day, const struct GameDay *file,
                     bool silent, struct Err *err) MUST_CHECK;
/* ---- gameday_tell.c ---- */
/* Whom `report: {notify}` names is known to the environment or to the project. */
bool gameday_may_tell(const struct Cli *cli, const struct GameDay *file,
                      const struct Environment *environment, struct Err *err) MUST_CHECK;
struct DayReport;
/* Who does not answer is said on stderr, and no reason for anything. */
void gameday_tell(struct Drill *drill, const struct DayReport *report, const struct GameDay *file,
                  const char *page);
/* `report DAY`: html, text, json or md. */
int gameday_write(struct Drill *drill, const struct DayRow *day, const char *format);

#endif
