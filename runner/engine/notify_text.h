/* notify_text.h - what is told, in the shape that each way wants it. Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_NOTIFY_TEXT_H
#define FD_ENGINE_NOTIFY_TEXT_H

#include "../model/environment_notify.h"
#include "../model/plan.h"

struct NotifyNews {
    enum NotifyWhen when;
    const struct Plan *plan;
    const char *who;
    struct Wall now, until;    /* until: by then it is over, whatever happens; 0 = it is */
    const char *verdict, *why; /* of an end; why: also of a halt */
    const char *left;          /* what may still be in effect, a line each; "" = nothing */
};
/* "PASS  lose_an_api_machine  STAGING": one line. */
void notify_title(const struct NotifyNews *news, struct Buf *out);
/* What, where, until when, how to end it: a line each. */
void notify_lines(const struct NotifyNews *news, struct Buf *out);
/* The body of one way's request, as JSON; not of Grafana. */
void notify_body(enum NotifyWay way, const struct NotifyNews *news, struct Buf *out);
/* How a game day ended. */
struct NotifyDay {
    const char *title, *lines; /* for people */
    const char *name, *id, *environment, *who, *verdict;
    bool is_protected;
    struct Wall now;
};
void notify_day_body(enum NotifyWay way, const struct NotifyDay *day, struct Buf *out);
/* Grafana's: a region that begins with the fault. */
void notify_region(const struct Plan *plan, const char *step, struct Wall from, struct Buf *out);

#endif
