/* gameday.h - several drills in one go: in which order, with whom, and when it stops. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_GAMEDAY_H
#define FD_MODEL_GAMEDAY_H

#include "../schema/decode.h"
#include "times.h"

enum DayGo { GO_NOT_GIVEN, GO_AUTO, GO_ASK };
struct DayDrill {
    const char *scenario, *owner;
    struct List params;     /* of struct TextPair */
    struct List after_pass; /* of const char *: drills before it */
    int go;                 /* enum DayGo, never GO_NOT_GIVEN once read */
    const struct Node *node;
};
struct DayPeople {
    const char *lead, *observer, *scribe;
    struct List may_halt; /* of const char * */
};
struct DaySteady {
    int64_t for_ns, within_ns;
};
struct DayBetween {
    const struct DaySteady *steady; /* NULL: as each scenario says */
    int64_t pause_ns;
};
struct DayStop {
    int64_t failed, halted; /* failed 0 = no such rule */
};
struct DayReports {
    bool html, markdown;
    struct List notify; /* of const char *: the environment's or project's ways, by their names */
};
/* "2026-12-03 14:00-17:00", or each week "Thu 14:00-17:00". */
struct DayWindow {
    bool given, dated;
    int64_t date; /* days since 1970 */
    struct TimeWindow hours;
};
/* All in its arena; owns all of it. */
struct GameDay {
    const char *name, *environment, *needs, *schedule, *path, *text;
    const char *window_text;
    char hash[65]; /* SHA-256 of the file */
    struct DayWindow window;
    const struct DayPeople *people; /* NULL where nobody is named */
    const struct DayBetween *between;
    const struct DayStop *stop_on;
    const struct DayReports *report;
    struct List drills; /* of struct DayDrill */
    const struct Node *node;
    struct Arena *arena;
};
extern const struct Record GAMEDAY_RECORD;

/* Decodes and checks all; the scenarios are not read. NULL where anything was an error. */
struct GameDay *gameday_new(const struct Document *document, struct Problems *problems);
void gameday_free(struct GameDay *day); /* accepts NULL */
/* The drill of that name, or NULL. */
const struct DayDrill *gameday_drill(const struct GameDay *day, const char *scenario);
/* From `at` to lasts_ns later without a gap; true where there is no window. */
bool gameday_open(const struct GameDay *day, const struct Zone *zone, struct Wall at,
                  int64_t lasts_ns);

#endif
