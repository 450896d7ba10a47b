/* json_people.c - what people noted, for machines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"
#include "people.h"

/* Left out where nobody said anything. */
void out_people(struct JsonOut *out, const struct Report *report)
{
    struct Said said[PEOPLE_WORDS];
    const struct RunRecord *run = report->run;
    if (run->note_count == 0)
        return;
    out_array(out, "notes");
    for (size_t n = 0; n < run->note_count; n++) {
        json_open_object(&out->json);
        out_at(out, "at_low_ns", run->notes[n].at.low);
        out_at(out, "at_high_ns", run->notes[n].at.high);
        json_put_text(&out->json, "who", run->notes[n].who);
        json_put_text(&out->json, "type", run->notes[n].type);
        json_put_text(&out->json, "text", run->notes[n].text);
        json_end(&out->json);
    }
    json_end(&out->json);
    people_said(report, said);
    out_object(out, "people");
    for (size_t n = 0; n < PEOPLE_WORDS; n++)
        if (said[n].note != NULL)
            out_span(out, said[n].word, said[n].since_fault);
    json_end(&out->json);
}
