/* judge.c - from a stored run to its report: read, analyse, keep the verdict, write the pages. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../reports/analyse.h"
#include "../../reports/kinds.h"
#include "../base/text.h"

#define PAGE_BYTES (16U << 20)

/* Comparable: same scenario, environment and behaviour; the run itself is not its own past. */
static bool past_of(struct Drill *drill, const struct RunRecord *run, struct Arena *arena,
                    struct List *out, struct Err *err)
{
    struct List all = {0};
    struct History of = {.scenario = run->scenario, .environment = run->environment};
    if (!store_past(drill->store, &of, arena, &all, err))
        return false;
    const struct Past *rows = all.items;
    for (size_t at = 0; at < all.count; at++)
        if (text_equal(rows[at].behaviour_hash, run->behaviour_hash) &&
            !text_equal(rows[at].id, run->id) && rows[at].started.ns < run->started.ns &&
            !(run->cycle.of > 1 && text_equal(rows[at].cycle.first, run->cycle.first)))
            *(struct Past *)list_add(out, arena, sizeof(struct Past)) = rows[at];
    return true;
}

static bool others_of(struct Drill *drill, const struct RunRecord *run, struct Arena *arena,
                      struct Report *out, struct Err *err)
{
    struct List all = {0};
    if (!store_cycles(drill->store, run->cycle.first, arena, &all, err))
        return false;
    out->cycles = all.items;
    out->cycle_count = all.count;
    return true;
}

/* What a kind of system knows of its settings is no matter of the store. */
static void know_systems(const struct Kinds *kinds, struct RunRecord *run)
{
    for (size_t at = 0; at < run->system_count; at++)
        for (const struct SystemKind *const *kind = kinds->systems; *kind != NULL; kind++)
            if (text_equal((*kind)->name, run->systems[at].system)) {
                run->systems[at].table = (*kind)->knobs;
                run->systems[at].relays = (*kind)->ledger != NULL && (*kind)->ledger->relays;
            }
}

bool judge_read(struct Drill *drill, const char *run, struct Arena *arena, struct Report *out,
                struct Err *err)
{
    struct RunRecord *record = arena_zero(arena, 1, sizeof *record);
    struct List past = {0};
    if (!store_read_run(drill->store, run, arena, record, err) ||
        !past_of(drill, record, arena, &past, err))
        return false;
    know_systems(drill->cli->kinds, record);
    analyse(record, past.items, past.count, arena, out);
    return record->cycle.of < 2 || others_of(drill, record, arena, out, err);
}

const struct ReportFormat *judge_format(const struct Drill *drill, const char *name)
{
    for (const struct ReportFormat *const *at = drill->cli->kinds->formats; *at != NULL; at++)
        if (text_equal((*at)->name, name))
            return *at;
    return NULL;
}

bool file_write(const char *path, const struct Buf *text, struct Err *err)
{
    struct Buf beside = BUF(5000);
    buf_printf(&beside, "%s.new", path);
    int fd = open(beside.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t done = 0;
    ssize_t wrote = 0;
    while (fd >= 0 && done < text->size &&
           (wrote = write(fd, text->text + done, text->size - done)) > 0)
        done += (size_t)wrote;
    bool ok = fd >= 0 && done == text->size && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    if (ok && rename(beside.text, path) != 0) {
        ok = false;
        why = errno;
    }
    buf_free(&beside);
    return ok ? true : err_set(err, ERR_OWN, NOWHERE, "cannot write '%s': %s", path, strerror(why));
}

static bool write_page(struct Drill *drill, const struct Report *report, const char *format,
                       const char *folder, struct Err *err)
{
    const struct ReportFormat *kind = judge_format(drill, format);
    struct Buf page = BUF(PAGE_BYTES);
    bool ok = kind->write(report, &page, err) &&
              file_write(arena_printf(drill->cli->arena, "%s/report.%s", folder, kind->extension),
                         &page, err);
    buf_free(&page);
    return ok;
}

static const char *make_folder(struct Drill *drill, const char *run)
{
    struct Arena *arena = drill->cli->arena;
    const char *runs = arena_printf(arena, "%s/runs", drill->cli->state);
    const char *folder = arena_printf(arena, "%s/%s", runs, run);
    (void)mkdir(runs, 0700); /* there already, or the write says so */
    (void)mkdir(folder, 0700);
    return folder;
}

static bool publish(struct Drill *drill, const char *run, struct Report *report, struct Err *err)
{
    struct Cli *cli = drill->cli;
    const char *folder = make_folder(drill, run);
    if (!write_page(drill, report, "html", folder, err) ||
        !write_page(drill, report, "json", folder, err))
        return false;
    if (report->verdict == VERDICT_PASS && cli_option(cli, "unattended") != NULL)
        return true;
    struct Buf text = BUF(PAGE_BYTES);
    struct TextStyle style = {.unicode = cli->out.unicode, .color = cli->out.color};
    bool ok = true;
    if (cli->json) {
        ok = judge_format(drill, "json")->write(report, &text, err);
    } else {
        report_text_style(report, style, &text);
        buf_printf(&text, "report %s/report.html\n", folder);
    }
    if (ok)
        ok = cli_print(&text, 0) == 0 ? true
                                      : err_set(err, ERR_OWN, NOWHERE, "standard output is closed");
    buf_free(&text);
    return ok;
}

int judge_run(struct Drill *drill, const char *run)
{
    struct Err err;
    struct Arena *arena = arena_new("report", (size_t)4 << 30);
    struct Report report = {0};
    int status;
    if (!judge_read(drill, run, arena, &report, &err)) {
        status = cli_fail(drill->cli, &err);
    } else {
        status = verdict_status(report.verdict);
        bool kept = store_run_judged(drill->store, &report, &err);
        if (!kept || !publish(drill, run, &report, &err) || !receipt_write(drill, &report, &err)) {
            int failed = cli_fail(drill->cli, &err);
            if (status != verdict_status(VERDICT_NOT_UNDONE))
                status = failed;
        }
    }
    arena_free(arena);
    return status;
}
