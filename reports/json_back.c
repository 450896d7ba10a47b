/* json_back.c - roles that were given back at the end of a drill. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"

static struct Span since_asked(const struct RunSwitchBack *back, struct Moment at)
{
    if (back->asked.ns == 0 || at.high.ns == 0)
        return (struct Span){0, NS_NEVER};
    return (struct Span){mono_since(back->asked, at.low), mono_since(back->asked, at.high)};
}

void out_switch_backs(struct JsonOut *out)
{
    struct Json *json = &out->json;
    out_array(out, "switch_backs");
    for (size_t n = 0; n < out->run->switch_back_count; n++) {
        const struct RunSwitchBack *back = &out->run->switch_backs[n];
        json_open_object(json);
        json_put_text(json, "role", back->role);
        json_put_text(json, "to", back->to);
        json_put_bool(json, "asked", back->asked.ns != 0);
        if (back->asked.ns != 0)
            out_at(out, "at_ns", back->asked);
        out_span(out, "leads", since_asked(back, back->leads));
        out_span(out, "redundant", since_asked(back, back->whole));
        out_count(out, "lost_again", back->lost_again);
        json_put_bool(json, "refused", back->refused);
        json_put_text(json, "why", back->why);
        json_put_text(json, "last", back->last);
        json_end(json);
    }
    json_end(json);
}
