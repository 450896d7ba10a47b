/* explain.c - one word of the files, or all of them, from the field tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

enum { TEXT_MOST = 4 << 20 };

static const struct Option OPTIONS[] = {
    {"all", 0, NULL, false, "Every word of every file, as Markdown."},
    {.name = NULL},
};

static int explain(struct Cli *cli);
const struct Verb verb_explain = {
    .name = "explain",
    .takes = "[WORD]",
    .most = 1,
    .summary = "what a key of a file means: type, default, example",
    .options = OPTIONS,
    .examples = "  faildrill explain expect              every bound\n"
                "  faildrill explain kill                one verb and its keys\n"
                "  faildrill explain scenario.hold       one key\n",
    .next = "Next: faildrill validate",
    .run = explain,
};

static bool write_kinds(struct Cli *cli, struct Buf *out, struct Err *err)
{
    size_t file_count, set_count;
    const struct FileKind *files = kinds_files(&file_count);
    const struct VariantSet *sets = kinds_sets(cli->kinds, cli->arena, &set_count);
    if (cli_option(cli, "all") != NULL) {
        reference_write(files, file_count, sets, set_count, out);
        return true;
    }
    if (cli->arg_count == 1)
        return explain_path(&(struct Tables){files, file_count, sets, set_count}, cli->args[0], out,
                            err);
    buf_put(out, "Files and kinds; each is a word for `faildrill explain`\n");
    for (size_t i = 0; i < file_count; i++)
        buf_printf(out, "  %-12s %s\n", files[i].name, files[i].summary);
    for (size_t i = 0; i < set_count; i++)
        for (size_t k = 0; k < sets[i].count; k++)
            buf_printf(out, "  %-14s %-6s  %s\n", sets[i].at[k].name, sets[i].name,
                       sets[i].at[k].summary);
    return true;
}

static int explain(struct Cli *cli)
{
    struct Buf out = BUF(TEXT_MOST);
    struct Err err;
    int status = write_kinds(cli, &out, &err) ? 0 : cli_fail(cli, &err);
    if (status == 0)
        status = cli_print(&out, status);
    buf_free(&out);
    return status;
}
