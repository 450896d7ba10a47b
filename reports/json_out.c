/* json_out.c - how times and durations stand in JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"

void out_ns(struct JsonOut *out, const char *key, int64_t ns)
{
    json_key(&out->json, key);
    if (ns == NS_NEVER || ns == -1)
        json_nothing(&out->json);
    else
        json_int(&out->json, ns);
}

void out_at(struct JsonOut *out, const char *key, struct Mono at)
{
    json_key(&out->json, key);
    if (at.ns == 0)
        json_nothing(&out->json);
    else
        json_int(&out->json, mono_since(out->run->mono_started, at));
}

void out_span(struct JsonOut *out, const char *key, struct Span span)
{
    json_key(&out->json, key);
    if (span.low_ns == NS_NEVER) {
        json_nothing(&out->json);
        return;
    }
    json_open_object(&out->json);
    out_ns(out, "low_ns", span.low_ns);
    out_ns(out, "high_ns", span.high_ns);
    json_end(&out->json);
}

void out_moment(struct JsonOut *out, const char *key, struct Moment moment)
{
    json_key(&out->json, key);
    if (moment.low.ns == 0 && moment.high.ns == 0) {
        json_nothing(&out->json);
        return;
    }
    json_open_object(&out->json);
    out_at(out, "low_at_ns", moment.low);
    out_at(out, "high_at_ns", moment.high);
    json_end(&out->json);
}

void out_wall(struct JsonOut *out, const char *key, struct Wall wall)
{
    char text[32];
    wall_utc(wall, text);
    json_put_text(&out->json, key, text);
}

void out_count(struct JsonOut *out, const char *key, uint64_t count)
{
    json_put_int(&out->json, key, (int64_t)count);
}

void out_object(struct JsonOut *out, const char *key)
{
    json_key(&out->json, key);
    json_open_object(&out->json);
}

void out_array(struct JsonOut *out, const char *key)
{
    json_key(&out->json, key);
    json_open_array(&out->json);
}
