/* schedule.h - what is due when, and what starts it then. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_SCHEDULE_H
#define FD_CLI_SCHEDULE_H

#include "../model/calendar.h"
#include "cli.h"

struct Scheduled {
    const char *name; /* of the drill or the game day */
    bool is_day;
    const char *file;        /* absolute */
    const char *environment; /* or NULL */
    bool is_protected;
    const char *zone_name, *machine_zone; /* whose clocks are meant; by which cron goes */
    const struct Zone *zone;
    struct Calendar calendar;
};
/* Each writes the whole of it, or says in *err why it cannot be said there. */
bool schedule_systemd(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                      struct Err *err) MUST_CHECK;
bool schedule_cron(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                   struct Err *err) MUST_CHECK;
bool schedule_k8s(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                  struct Err *err) MUST_CHECK;
bool schedule_github(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                     struct Err *err) MUST_CHECK;

#endif
