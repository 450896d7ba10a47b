/* receipt.c - a pass as a signed file: written here, believed elsewhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "../transports/signature.h"
#include "gate.h"
#include "judge.h"

#define RECEIPT_SPACE "faildrill-receipt"
#define HASH_PREFIX "sha256:"

enum { RECEIPT_MOST = 1 << 20, LOOKED_AT_MOST = 500 };

static const char *folder_at(struct Drill *drill, size_t at)
{
    const struct Project *project = &drill->cli->project;
    const char *folder = ((const char *const *)project->receipts.items)[at];
    return folder[0] == '/' ? folder
                            : arena_printf(drill->cli->arena, "%s/%s", project->dir, folder);
}

/* ---- Writing. ---- */

static void put_receipt(const struct Drill *drill, const struct Report *report, struct Buf *out)
{
    const struct RunRecord *run = report->run;
    const struct Scenario *scenario = drill->plan->scenario;
    char started[32], ended[32], undone[32], hash[80];
    wall_utc(run->started, started);
    wall_utc(run->ended, ended);
    snprintf(undone, sizeof undone, "%u of %u", report->undone_count, report->fault_count);
    snprintf(hash, sizeof hash, HASH_PREFIX "%s", scenario->text_hash);
    struct Json json = json_begin(out, true);
    json_open_object(&json);
    json_put_int(&json, "receipt", 1);
    json_put_text(&json, "run", run->id);
    json_put_text(&json, "scenario", run->scenario);
    json_put_text(&json, "text", hash);
    json_put_text(&json, "environment", run->environment);
    json_put_text(&json, "verdict", verdict_name(report->verdict));
    json_put_bool(&json, "unaffected", report->unaffected);
    json_put_text(&json, "started", started);
    json_put_text(&json, "ended", ended);
    json_put_text(&json, "undone", undone);
    json_put_text(&json, "version", CLI_VERSION);
    json_put_text(&json, "canonical", scenario->canonical);
    json_end(&json);
    buf_char(out, '\n');
}

/* A cycle of a repeat is a pass only as the last of them, where all are. */
static enum Known is_a_pass(struct Drill *drill, const struct RunRecord *run, struct Err *err)
{
    struct History of = {.environment = run->environment, .scenario = run->scenario, .most = 1};
    struct List rows = {.items = NULL};
    if (run->cycle.of < 2)
        return KNOWN_YES;
    if (!store_passes(drill->store, &of, drill->cli->arena, &rows, err))
        return KNOWN_UNKNOWN;
    const struct PassRow *row = rows.items;
    return rows.count > 0 && text_equal(row->run, run->id) ? KNOWN_YES : KNOWN_NO;
}

bool receipt_write(struct Drill *drill, const struct Report *report, struct Err *err)
{
    const char *key = drill->loaded.environment->receipt_key;
    if (key == NULL || report->verdict != VERDICT_PASS)
        return true;
    enum Known passed = is_a_pass(drill, report->run, err);
    if (passed != KNOWN_YES)
        return passed == KNOWN_NO;
    struct Arena *arena = drill->cli->arena;
    struct Buf text = BUF(RECEIPT_MOST), signature = BUF(RECEIPT_MOST);
    const char *folder = folder_at(drill, 0);
    const char *path = arena_printf(arena, "%s/%s.json", folder, report->run->id);
    put_receipt(drill, report, &text);
    (void)mkdir(folder, 0755); /* there already, or the write says so */
    bool ok = !text.cut
                  ? signature_make(key, RECEIPT_SPACE, &text, &signature, err)
                  : err_set(err, ERR_LIMIT, NOWHERE, "the scenario is too long for a receipt");
    ok = ok && file_write(arena_printf(arena, "%s.sig", path), &signature, err) &&
         file_write(path, &text, err);
    buf_free(&text);
    buf_free(&signature);
    return ok;
}

/* ---- Reading. ---- */

static void add_trouble(struct Drill *drill, struct List *troubles, const char *path,
                        const char *what)
{
    const char *slash = strrchr(path, '/');
    *(const char **)list_add(troubles, drill->cli->arena, sizeof(char *)) =
        arena_printf(drill->cli->arena, "receipt %s %s", slash != NULL ? slash + 1 : path, what);
}

bool file_read(const char *path, struct Buf *out)
{
    char chunk[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    for (size_t got = 1; got > 0 && !out->cut;) {
        got = fread(chunk, 1, sizeof chunk, file);
        buf_add(out, chunk, got);
    }
    bool whole = ferror(file) == 0 && !out->cut;
    fclose(file);
    return whole;
}

const struct Document *signers_read(struct Drill *drill, const char *path)
{
    struct Arena *arena = drill->cli->arena;
    const struct Document *const *known = drill->signers.items;
    for (size_t at = 0; at < drill->signers.count; at++)
        if (text_equal(known[at]->path, path))
            return known[at];
    struct Buf text = BUF(RECEIPT_MOST);
    struct Document *list = NULL;
    if (file_read(path, &text)) {
        list = arena_zero(arena, 1, sizeof *list);
        *list = (struct Document){
            .path = path, .text = arena_bytes(arena, text.text, text.size), .size = text.size};
        *(const struct Document **)list_add(&drill->signers, arena, sizeof(void *)) = list;
    }
    buf_free(&text);
    return list;
}

static const char *text_of(const json_t *receipt, const char *key)
{
    const char *text = json_string_value(json_object_get(receipt, key));
    return text != NULL ? text : "";
}

/* Whether it is about this scenario there; only then does its signature matter. */
static bool concerns(const struct Drill *drill, const json_t *receipt)
{
    return text_equal(text_of(receipt, "scenario"), drill->loaded.scenario->name) &&
           text_equal(text_of(receipt, "environment"),
                      drill->loaded.environment->passed_in->environment) &&
           text_equal(text_of(receipt, "verdict"), "PASS");
}

/* What was signed is taken at its word, but for the text that must be that of its hash. */
static const char *pass_of(struct Drill *drill, const json_t *receipt, const char *signer,
                           struct GatePass *out)
{
    struct Arena *arena = drill->cli->arena;
    const char *hash = text_of(receipt, "text"), *canonical = text_of(receipt, "canonical");
    char real[65];
    hash_hex(canonical, strlen(canonical), real);
    if (!wall_parse(text_of(receipt, "ended"), &out->ended) || text_of(receipt, "run")[0] == '\0')
        return "is not whole";
    if (!text_starts(hash, HASH_PREFIX) || !text_equal(hash + strlen(HASH_PREFIX), real))
        return "holds another text than its hash says";
    out->run = arena_text(arena, text_of(receipt, "run"));
    out->text_hash = arena_text(arena, real);
    out->canonical = arena_text(arena, canonical);
    out->unaffected = json_is_true(json_object_get(receipt, "unaffected"));
    out->by = arena_text(arena, signer);
    return NULL;
}

/* The newest that are about this drill: no number of others hides them. */
static void take_receipt(struct Drill *drill, const char *path, struct List *passes,
                         struct List *troubles, size_t *looked_at)
{
    struct Arena *arena = drill->cli->arena;
    struct Buf text = BUF(RECEIPT_MOST);
    struct Err err;
    char signer[128];
    json_t *receipt = file_read(path, &text) ? json_loadb(text.text, text.size, 0, NULL) : NULL;
    if (receipt == NULL || json_integer_value(json_object_get(receipt, "receipt")) != 1) {
        add_trouble(drill, troubles, path, "cannot be read as one");
    } else if (concerns(drill, receipt) && (*looked_at)++ < LOOKED_AT_MOST) {
        const char *signers = drill->loaded.environment->passed_in->signed_by;
        const struct Document *list = signers_read(drill, signers);
        struct SignatureLook look = {.signers = signers,
                                     .list = list != NULL ? list->text : NULL,
                                     .list_size = list != NULL ? list->size : 0,
                                     .space = RECEIPT_SPACE,
                                     .signature = arena_printf(arena, "%s.sig", path),
                                     .bytes = text.text,
                                     .size = text.size};
        struct GatePass pass = {.run = NULL};
        bool good = signature_check(&look, signer, &err) == SIGNATURE_GOOD;
        const char *wrong = good ? pass_of(drill, receipt, signer, &pass) : err.message;
        if (wrong == NULL)
            *(struct GatePass *)list_add(passes, arena, sizeof pass) = pass;
        else
            add_trouble(drill, troubles, path, wrong);
    }
    json_decref(receipt);
    buf_free(&text);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

void receipts_read(struct Drill *drill, struct List *passes, struct List *troubles)
{
    struct Arena *arena = drill->cli->arena;
    size_t looked_at = 0;
    for (size_t at = 0; at < drill->cli->project.receipts.count; at++) {
        const char *folder = folder_at(drill, at);
        struct List names = {.items = NULL};
        DIR *dir = opendir(folder);
        for (struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir))
            if (entry->d_name[0] != '.' && text_ends(entry->d_name, ".json"))
                *(const char **)list_add(&names, arena, sizeof(char *)) =
                    arena_printf(arena, "%s/%s", folder, entry->d_name);
        if (dir != NULL)
            closedir(dir);
        const char **paths = names.items;
        if (names.count > 0)
            qsort(paths, names.count, sizeof *paths, newest_first);
        for (size_t i = 0; i < names.count; i++)
            take_receipt(drill, paths[i], passes, troubles, &looked_at);
    }
}
