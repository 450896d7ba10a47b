/* schema.c - JSON Schemas of the files, for editors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "../base/text.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_MOST = 4 << 20 };

static const struct Option OPTIONS[] = {
    {"output", 'o', "DIR", false,
     "Writes KIND.json into that folder; all kinds where none is named."},
    {.name = NULL},
};

static int schema(struct Cli *cli);
const struct Verb verb_schema = {
    .name = "schema",
    .takes = "[KIND]",
    .most = 1,
    .summary = "the JSON Schema of scenario, environment, gameday or project files",
    .options = OPTIONS,
    .examples = "  faildrill schema scenario\n"
                "  faildrill schema -o .faildrill/schema    all kinds, for an editor:\n"
                "      # yaml-language-server: $schema=../.faildrill/schema/scenario.json\n",
    .next = "Next: faildrill validate",
    .run = schema,
};

static void write_kind(struct Cli *cli, const struct FileKind *kind, struct Buf *out)
{
    size_t set_count;
    const struct VariantSet *sets = kinds_sets(cli->kinds, cli->arena, &set_count);
    struct Json json = json_begin(out, true);
    json_schema_write(kind, sets, set_count, &json);
    buf_char(out, '\n');
}

static bool save(struct Cli *cli, const struct FileKind *kind, const char *folder, struct Err *err)
{
    const char *path = arena_printf(cli->arena, "%s/%s.json", folder, kind->name);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return err_set(err, ERR_FILE, NOWHERE, "%s: %s", path, strerror(errno));
    struct Buf out = BUF(TEXT_MOST);
    write_kind(cli, kind, &out);
    bool written = fwrite(out.text, 1, out.size, file) == out.size;
    written = fclose(file) == 0 && written;
    buf_free(&out);
    return written || err_set(err, ERR_FILE, NOWHERE, "%s: %s", path, strerror(errno));
}

static const struct FileKind *find_kind(const char *name, struct Err *err)
{
    size_t count;
    const struct FileKind *kinds = kinds_files(&count);
    for (size_t i = 0; i < count; i++)
        if (text_equal(kinds[i].name, name))
            return &kinds[i];
    err_set(err, ERR_USAGE, NOWHERE, "there is no kind of file '%s'", name);
    for (size_t i = 0; i < count; i++)
        err_allow(err, kinds[i].name);
    return NULL;
}

bool schema_save(struct Cli *cli, const char *only, const char *folder, struct Err *err)
{
    size_t count;
    const struct FileKind *kinds = kinds_files(&count);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return err_set(err, ERR_FILE, NOWHERE, "%s: %s", folder, strerror(errno));
    for (size_t i = 0; i < count; i++)
        if ((only == NULL || text_equal(kinds[i].name, only)) && !save(cli, &kinds[i], folder, err))
            return false;
    return true;
}

static int schema(struct Cli *cli)
{
    struct Err err;
    const char *folder = cli_option(cli, "output");
    const struct FileKind *kind = cli->arg_count == 1 ? find_kind(cli->args[0], &err) : NULL;
    if (cli->arg_count == 1 && kind == NULL)
        return cli_fail(cli, &err);
    if (folder != NULL)
        return schema_save(cli, cli->arg_count == 1 ? cli->args[0] : NULL, folder, &err)
                   ? 0
                   : cli_fail(cli, &err);
    if (kind == NULL) {
        err_set(&err, ERR_USAGE, NOWHERE, "schema needs a kind of file, or -o DIR for all");
        err_hint(&err, "faildrill schema scenario");
        return cli_fail(cli, &err);
    }
    struct Buf out = BUF(TEXT_MOST);
    write_kind(cli, kind, &out);
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}
