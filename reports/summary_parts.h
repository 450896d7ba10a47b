/* summary_parts.h - what the files of the summary share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_SUMMARY_PARTS_H
#define FD_REPORTS_SUMMARY_PARTS_H

#include "kinds.h"
#include "say.h"

struct Summary {
    const struct Report *report;
    struct TextStyle style;
    struct Buf *out;
    int name, measures, measured, limit; /* columns */
};

void summary_paint(struct Summary *text, const char *code, const char *what);
void summary_mark(struct Summary *text, enum Verdict verdict);
/* summary_end.c: rules set aside, what spoiled it, what was found, the undo, where to look. */
void summary_overrides(struct Summary *text);
void summary_sentences(struct Summary *text);
void summary_people(struct Summary *text); /* who declared it when, where somebody did */
void summary_undone(struct Summary *text);
void summary_pointers(struct Summary *text);

#endif
