/* page_parts.h - what the files of a run's page share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_PAGE_PARTS_H
#define FD_REPORTS_PAGE_PARTS_H

#include "html.h"
#include "say.h"

/* In the order in which they are read: LANGUAGE.md 6.1. */
void page_banner(const struct Report *report, struct Buf *out); /* page_head.c */
void page_figures(const struct Report *report, struct Buf *out);
void page_pictures(const struct Report *report, struct Buf *out);     /* page.c */
void page_expectations(const struct Report *report, struct Buf *out); /* page_tables.c */
void page_data(const struct Report *report, struct Buf *out);
void page_latency(const struct Report *report, struct Buf *out);
void page_timeline(const struct Report *report, struct Buf *out); /* page_timeline.c */
void page_faults(const struct Report *report, struct Buf *out);   /* page_context.c */
void page_context(const struct Report *report, struct Buf *out);

/* "good", "bad" or "warn": a class of the style. */
const char *verdict_class(enum Verdict verdict);
const char *verdict_sign(enum Verdict verdict);
/* What stays changed on purpose, or nothing. */
void page_stays(const struct Report *report, struct Buf *out);

#endif
