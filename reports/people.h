/* people.h - what people said of a run, as times since its fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_PEOPLE_H
#define FD_REPORTS_PEOPLE_H

#include "../runner/base/buf.h"
#include "../runner/model/report.h"

enum { PEOPLE_WORDS = 3 };
/* "declared", "acknowledged", "mitigated": the first time that each was said after the fault. */
struct Said {
    const char *word;
    const struct RunNote *note; /* NULL = it was not */
    struct Span since_fault;    /* from T0; as wide as the note's own time and T0 are */
};
/* Without a proven fault there is nothing to count from: all are NULL. */
void people_said(const struct Report *report, struct Said out[PEOPLE_WORDS]);
/* "declared 72.1-72.5 s after the fault, acknowledged ...", or nothing. */
void people_say(const struct Report *report, struct Buf *out);

#endif
