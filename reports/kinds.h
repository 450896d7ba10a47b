/* kinds.h - the report formats; main.c names them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_KINDS_H
#define FD_REPORTS_KINDS_H

#include "../runner/model/report.h"

/* A format fails only where the report does not fit into `out` (then nothing of it is of use). */
extern const struct ReportFormat report_text; /* as a terminal shows it: UTF-8, no colour */
extern const struct ReportFormat report_json; /* all that is known but the samples */
extern const struct ReportFormat report_html; /* one self-contained page */

/* The summary for people, as the stream that it goes to can show it. */
struct TextStyle {
    bool unicode, color;
};
void report_text_style(const struct Report *report, struct TextStyle style, struct Buf *out);

#endif
