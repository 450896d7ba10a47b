/* scenario_hash.c - the canonical text of a scenario and its hashes (DESIGN.md 13). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"
#include "node_edit.h"

enum { CANONICAL_MOST = 4 << 20 };

/* Parameters that stand where nothing was filled in: in shell text and inline targets, so in steps.
 */
struct Used {
    const struct Scenario *scenario;
    bool *used;
};

static void mark(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    const struct Used *used = data;
    const struct ParamSpec *params = used->scenario->params.items;
    (void)start;
    (void)size;
    for (size_t i = 0; i < used->scenario->params.count; i++)
        if (text_equal(ns, "param") && text_equal(params[i].name, name))
            used->used[i] = true;
}

static void mark_scalar(void *data, const struct Node *scalar)
{
    reference_each(scalar->text, mark, data);
}

static void put_params(struct ScenarioBuild *build, struct Json *json)
{
    const struct Scenario *scenario = build->scenario;
    const struct ParamSpec *params = scenario->params.items;
    bool *used = arena_zero(build->arena, scenario->params.count + 1, sizeof *used);
    node_each_scalar(node_get(build->root, "steps"), mark_scalar, &(struct Used){scenario, used});
    node_each_scalar(node_get(build->root, "always"), mark_scalar, &(struct Used){scenario, used});
    json_key(json, "params");
    json_open_object(json);
    for (size_t i = 0; i < scenario->params.count; i++)
        if (used[i])
            json_put_text(json, params[i].name, params[i].value);
    json_end(json);
}

static void canonical(struct ScenarioBuild *build, unsigned without, struct Buf *out)
{
    struct Json json = json_begin(out, false);
    const char *const *later = build->decode.later.items;
    json_open_object(&json);
    json_key(&json, "later");
    json_open_array(&json);
    for (size_t i = 0; i < build->decode.later.count; i++)
        json_text(&json, later[i]);
    json_end(&json);
    put_params(build, &json);
    json_key(&json, "scenario");
    canonical_write(&SCENARIO_RECORD, &build->fields, without, &json);
    json_end(&json);
    if (out->cut)
        bug("a scenario of more than %d bytes", CANONICAL_MOST);
}

void scenario_hash(struct ScenarioBuild *build)
{
    struct Scenario *scenario = build->scenario;
    struct Buf out = BUF(CANONICAL_MOST);
    canonical(build, FIELD_PROSE | FIELD_JUDGE, &out);
    hash_hex(out.text, out.size, scenario->behaviour_hash);
    buf_clear(&out);
    canonical(build, FIELD_PROSE, &out);
    hash_hex(out.text, out.size, scenario->text_hash);
    scenario->canonical = arena_bytes(build->arena, out.text, out.size);
    buf_free(&out);
}
