/* json_advice.c - settings that explain a FAIL, for machines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"

void out_advice(struct JsonOut *out, const struct Report *report)
{
    out_array(out, "advice");
    for (size_t n = 0; n < report->advice_count; n++) {
        const struct Advice *row = &report->advice[n];
        json_open_object(&out->json);
        json_put_text(&out->json, "role", row->role);
        json_put_text(&out->json, "knob", row->knob);
        json_put_text(&out->json, "today", row->today);
        json_put_text(&out->json, "value", row->value);
        json_put_text(&out->json, "line", row->line);
        json_put_text(&out->json, "gain", row->gain);
        json_end(&out->json);
    }
    json_end(&out->json);
}
