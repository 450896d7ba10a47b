/* people.c - what people said of a run, as times since its fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"

#include "../runner/base/duration.h"
#include "../runner/base/text.h"

static const char *const WORDS[PEOPLE_WORDS] = {"declared", "acknowledged", "mitigated"};

/* A note of a minute in which the fault lies may have been before it: from no time on. */
static bool is_after(const struct Report *report, const struct RunNote *note)
{
    return mono_before(report->t0.low, note->at.high);
}

static struct Span since(const struct Moment *t0, const struct Moment *at)
{
    int64_t low = mono_since(t0->high, at->low), high = mono_since(t0->low, at->high);
    return (struct Span){.low_ns = low > 0 ? low : 0, .high_ns = high};
}

void people_said(const struct Report *report, struct Said out[PEOPLE_WORDS])
{
    const struct RunRecord *run = report->run;
    bool proven = report->cause_count > 0 && report->t0.high.ns != 0;
    for (size_t word = 0; word < PEOPLE_WORDS; word++) {
        out[word] = (struct Said){.word = WORDS[word]};
        for (size_t n = 0; proven && n < run->note_count && out[word].note == NULL; n++) {
            if (!text_equal(run->notes[n].type, WORDS[word]) || !is_after(report, &run->notes[n]))
                continue;
            out[word].note = &run->notes[n];
            out[word].since_fault = since(&report->t0, &run->notes[n].at);
        }
    }
}

void people_say(const struct Report *report, struct Buf *out)
{
    struct Said said[PEOPLE_WORDS];
    const char *comma = "";
    people_said(report, said);
    for (size_t n = 0; n < PEOPLE_WORDS; n++) {
        char time[64];
        if (said[n].note == NULL)
            continue;
        span_say(said[n].since_fault.low_ns, said[n].since_fault.high_ns, time);
        buf_printf(out, "%s%s %s", comma, said[n].word, time);
        comma = ", ";
    }
    buf_put(out, out->size > 0 ? " after the fault" : "");
}
