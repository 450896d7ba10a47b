/* json_judged.c - an expectation: its limit, and what was measured against it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/text.h"
#include "../runner/model/bound.h"
#include "json_out.h"

static void put_limit(struct JsonOut *out, const struct RunExpectation *expectation)
{
    enum BoundWord word = BOUND_COUNT;
    enum When when = WHEN_ALL;
    const char *unit = expectation->limit_is_duration ? "ns" : "count";
    if (bound_read(expectation->word, &when, &word)) {
        enum FieldType type = bound_row(word)->type;
        unit = type == FIELD_DURATION || (type == FIELD_LOSS && expectation->limit_is_duration)
                   ? "ns"
               : type == FIELD_SHARE ? "millionths"
               : type == FIELD_BOOL  ? "bool"
               : type == FIELD_TEXT  ? (expectation->limit_is_duration ? "ns" : "text")
                                     : "count";
    }
    if (text_equal(unit, "text"))
        json_put_text(&out->json, "limit", expectation->text);
    else if (text_equal(unit, "ns"))
        out_ns(out, "limit", expectation->limit); /* NS_NEVER: a way back that no bound is for */
    else
        json_put_int(&out->json, "limit", expectation->limit);
    json_put_text(&out->json, "limit_unit", unit);
}

void out_judged(struct JsonOut *out, const struct Judged *judged)
{
    json_open_object(&out->json);
    json_put_text(&out->json, "probe", judged->expectation->probe);
    json_put_text(&out->json, "word", judged->expectation->word);
    put_limit(out, judged->expectation);
    json_put_text(&out->json, "verdict", verdict_name(judged->verdict));
    json_put_text(&out->json, "measured", judged->measured);
    json_put_text(&out->json, "limit_text", judged->limit);
    json_put_text(&out->json, "note", judged->note);
    if (judged->broke[0] != '\0')
        json_put_text(&out->json, "broke", judged->broke);
    json_end(&out->json);
}
