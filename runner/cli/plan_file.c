/* plan_file.c - a plan as a file: what `plan` saves and `run PLAN` finds again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_file.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../model/inventory.h"
#include "plan_show.h"

enum { SHOWN_MOST = 1 << 20 };

/* Who will not hear whom, of every row that may be chosen; now says what it would be now. */
static void write_edges(const struct Plan *plan, struct Json *json)
{
    const struct PlannedFault *faults = plan->faults.items;
    json_key(json, "edges");
    json_open_array(json);
    for (size_t at = 0; at < plan->faults.count; at++) {
        const struct Edge *edges = faults[at].edges.items;
        for (size_t k = 0; k < faults[at].edges.count; k++) {
            json_open_object(json);
            json_put_int(json, "step", faults[at].step_index + 1);
            json_put_text(json, "from", edges[k].from->name);
            json_put_text(json, "to", edges[k].to->name);
            json_put_text(json, "on", faults[at].target->name);
            json_put_bool(json, "now", faults[at].chosen);
            json_end(json);
        }
    }
    json_end(json);
}

/* "api_servers: api-1 (10.0.0.1), api-2", a line a group. */
static struct List inventory_lines(const struct Drill *drill)
{
    const struct Environment *environment = drill->plan->environment;
    const struct InventoryGroup *groups = environment->groups.items;
    struct Arena *arena = drill->cli->arena;
    struct List lines = {.items = NULL};
    for (size_t at = 0; at < environment->groups.count; at++) {
        struct Buf line = BUF(SHOWN_MOST);
        inventory_group_say(&groups[at], &line);
        *(const char **)list_add(&lines, arena, sizeof(char *)) = arena_text(arena, line.text);
        buf_free(&line);
    }
    return lines;
}

static void write_inventory(const struct Drill *drill, struct Json *json)
{
    struct List lines = inventory_lines(drill);
    json_key(json, "inventory");
    json_open_array(json);
    for (size_t at = 0; at < lines.count; at++)
        json_text(json, ((const char *const *)lines.items)[at]);
    json_end(json);
}

/* The first group that is not as it was; false: then *err says how. */
static bool hosts_same(const struct Drill *drill, const struct SavedPlan *saved, struct Err *err)
{
    struct List lines = inventory_lines(drill);
    const char *const *now = lines.items, *const *then = saved->inventory.items;
    size_t most = lines.count > saved->inventory.count ? lines.count : saved->inventory.count;
    for (size_t at = 0; at < most; at++) {
        const char *is = at < lines.count ? now[at] : "nothing";
        const char *was = at < saved->inventory.count ? then[at] : "nothing";
        if (!text_equal(is, was))
            return err_set(err, ERR_REFUSED, NOWHERE,
                           "plan %s was made for other hosts: the inventory has %.120s, and had "
                           "%.120s",
                           short_id(saved->token.text), is, was);
    }
    return true;
}

/* What whoever runs it runs it under. */
static void write_gate(const struct Drill *drill, struct Json *json)
{
    const char *const *gates = drill->gates.items;
    const struct GateOverride *row = drill->plan->environment->overrides.items;
    json_key(json, "gate");
    json_open_array(json);
    for (size_t at = 0; at < drill->gates.count; at++)
        json_text(json, gates[at]);
    json_end(json);
    json_key(json, "overrides");
    json_open_array(json);
    for (size_t at = 0; at < drill->plan->environment->overrides.count; at++) {
        json_open_object(json);
        json_put_text(json, "rule", row[at].rule);
        json_put_text(json, "who", row[at].who);
        json_put_text(json, "reason", row[at].reason);
        json_end(json);
    }
    json_end(json);
}

static void write_shows(const struct Drill *drill, struct Json *json)
{
    struct Buf text = BUF(SHOWN_MOST), line = BUF(SHOWN_MOST);
    plan_show_whole(drill, &text);
    json_key(json, "shows");
    json_open_array(json);
    for (const char *at = text.text; *at != '\0'; at += *at == '\n' ? 1 : 0) {
        size_t size = strcspn(at, "\n");
        buf_clear(&line);
        buf_add(&line, at, size);
        json_text(json, line.text);
        at += size;
    }
    json_end(json);
    buf_free(&text);
    buf_free(&line);
}

static bool shows_same(const struct Drill *drill, const struct SavedPlan *saved)
{
    struct Buf now = BUF(SHOWN_MOST), then = BUF(SHOWN_MOST);
    plan_show_whole(drill, &now);
    text_swap(now.text, drill->plan->token.text, saved->token.text);
    const char *const *lines = saved->shows.items;
    for (size_t at = 0; at < saved->shows.count; at++)
        buf_printf(&then, "%s\n", lines[at]);
    bool same = !now.cut && !then.cut && text_equal(now.text, then.text);
    buf_free(&now);
    buf_free(&then);
    return same;
}

bool plan_is_same(const struct Drill *drill, const struct SavedPlan *saved, struct Err *err)
{
    struct PlanHashes hashes;
    const char *id = short_id(saved->token.text);
    if (!plan_hash_as(drill->plan, &saved->token, drill->who, CLI_VERSION, &hashes, err))
        return false;
    if (!hosts_same(drill, saved, err))
        return err_hint(err, "Make a new one: faildrill plan.");
    if (!text_equal(hashes.bytes, saved->bytes_hash))
        err_set(err, ERR_REFUSED, NOWHERE,
                "plan %s no longer says what would run: its hosts or files changed", id);
    else if (!text_equal(hashes.whole, saved->hash))
        err_set(err, ERR_REFUSED, NOWHERE, "plan %s was made from other files", id);
    else if (!shows_same(drill, saved))
        err_set(err, ERR_REFUSED, NOWHERE, "plan %s shows other steps than it would run", id);
    else
        return true;
    return err_hint(err, "Make a new one: faildrill plan.");
}

/* Enough to make the very same plan again; what it then does is compared by bytes_hash. */
void plan_file_write(const struct Drill *drill, int64_t valid_ns, struct Buf *out)
{
    const struct Plan *plan = drill->plan;
    char made[32], until[32];
    wall_utc(plan->made, made);
    wall_utc((struct Wall){plan->made.ns + valid_ns}, until);
    struct Json json = json_begin(out, true);
    json_open_object(&json);
    json_put_int(&json, "plan", 1);
    json_put_text(&json, "token", plan->token.text);
    json_put_text(&json, "scenario_name", plan->scenario->name);
    json_put_text(&json, "environment_name", plan->environment->name);
    json_put_text(&json, "who", drill->who);
    json_put_text(&json, "store", drill->store_id);
    json_put_text(&json, "scenario", plan->scenario->path);
    json_put_text(&json, "environment", plan->environment->path);
    json_put_int(&json, "seed", (int64_t)plan->seed);
    json_put_text(&json, "hash", plan->hash);
    json_put_text(&json, "bytes_hash", plan->bytes_hash);
    json_put_text(&json, "text_hash", plan->scenario->text_hash);
    json_put_text(&json, "made", made);
    json_put_text(&json, "valid_until", until);
    json_key(&json, "params");
    json_open_object(&json);
    for (size_t at = 0; at < drill->cli->param_count; at++)
        json_put_text(&json, drill->cli->params[at].name, drill->cli->params[at].value);
    json_end(&json);
    write_gate(drill, &json);
    write_inventory(drill, &json);
    write_edges(plan, &json);
    write_shows(drill, &json);
    json_end(&json);
}

static const char *text_of(const struct Node *root, const char *key)
{
    const struct Node *node = node_get(root, key);
    return node && node->type == NODE_SCALAR ? node->text : "";
}

static void read_texts(struct Arena *arena, const struct Node *list, struct List *out)
{
    for (size_t at = 0; list != NULL && list->type == NODE_LIST && at < list->count; at++)
        *(const char **)list_add(out, arena, sizeof(char *)) =
            list->items[at]->type == NODE_SCALAR ? list->items[at]->text : "";
}

static void read_gate(struct Arena *arena, const struct Node *root, struct SavedPlan *out)
{
    const struct Node *rows = node_get(root, "overrides");
    read_texts(arena, node_get(root, "gate"), &out->gates);
    for (size_t at = 0; rows != NULL && rows->type == NODE_LIST && at < rows->count; at++)
        *(struct GateOverride *)list_add(&out->overrides, arena, sizeof(struct GateOverride)) =
            (struct GateOverride){.rule = text_of(rows->items[at], "rule"),
                                  .who = text_of(rows->items[at], "who"),
                                  .reason = text_of(rows->items[at], "reason")};
}

static enum Known read_plan(struct Arena *arena, const struct Node *root, struct SavedPlan *out,
                            struct Err *err)
{
    int64_t seed = 0;
    const char *why = NULL;
    out->scenario_name = text_of(root, "scenario_name");
    out->environment_name = text_of(root, "environment_name");
    out->who = text_of(root, "who");
    out->store = text_of(root, "store");
    read_texts(arena, node_get(root, "shows"), &out->shows);
    read_texts(arena, node_get(root, "inventory"), &out->inventory);
    read_gate(arena, root, out);
    out->scenario = text_of(root, "scenario");
    out->environment = text_of(root, "environment");
    out->hash = text_of(root, "hash");
    out->bytes_hash = text_of(root, "bytes_hash");
    snprintf(out->token.text, sizeof out->token.text, "%s", text_of(root, "token"));
    if (!wall_parse(text_of(root, "valid_until"), &out->valid_until) ||
        !wall_parse(text_of(root, "made"), &out->made) || out->scenario[0] == '\0' ||
        out->token.text[0] == '\0' || !int_parse(text_of(root, "seed"), &seed, &why)) {
        err_set(err, ERR_FILE, NOWHERE, "the saved plan is not whole");
        return KNOWN_UNKNOWN;
    }
    out->seed = (uint64_t)seed;
    const struct Node *params = node_get(root, "params");
    out->params = arena_zero(arena, (params ? params->count : 0) + 1, sizeof *out->params);
    for (size_t at = 0; params != NULL && params->type == NODE_MAP && at < params->count; at++)
        out->params[out->param_count++] =
            (struct ParamValue){.name = params->keys[at]->text, .value = params->items[at]->text};
    return KNOWN_YES;
}

/* The one file in STATE/plans whose name ends so; NULL where there is none, or more (then *err). */
static const char *find_plan(struct Drill *drill, const char *name, struct Err *err)
{
    struct Arena *arena = drill->cli->arena;
    const char *folder = arena_printf(arena, "%s/plans", drill->cli->state);
    const char *ending = arena_printf(arena, "%s.json", name);
    const char *found = NULL;
    DIR *dir = opendir(folder);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.' || !text_ends(entry->d_name, ending))
            continue;
        if (found != NULL) {
            err_set(err, ERR_NOT_FOUND, NOWHERE, "more than one saved plan ends in '%s'", name);
            found = NULL;
            break;
        }
        found = arena_printf(arena, "%s/%s", folder, entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

enum Known drill_saved_plan(struct Drill *drill, const char *name, struct SavedPlan *out,
                            struct Err *err)
{
    struct Problems *problems = problems_new();
    *out = (struct SavedPlan){0};
    err->message[0] = '\0';
    const char *path =
        text_ends(name, ".json") && access(name, F_OK) == 0 ? name : find_plan(drill, name, err);
    if (path == NULL) {
        problems_free(problems);
        return err->message[0] ? KNOWN_UNKNOWN : KNOWN_NO;
    }
    const struct Document *document = document_read(path, drill->cli->arena, problems);
    out->path = path;
    out->document = document;
    enum Known known = KNOWN_UNKNOWN;
    if (document->root == NULL)
        *err = *problems_at(problems, 0);
    else
        known = read_plan(drill->cli->arena, document->root, out, err);
    problems_free(problems);
    return known;
}
