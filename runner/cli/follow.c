/* follow.c - `status --follow`: a run of another process, drawn from the store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "follow.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "../base/text.h"
#include "follow_look.h"

#define LOOK_NS (NS_PER_S / 2)
#define COSTS 10 /* a look may take one part in so many of our time */
#define HEARTBEAT_NS (30 * NS_PER_S)
#define JUDGED_NS (10 * NS_PER_S) /* until then a run that ended is judged */

enum { LOOK_MEMORY = 1 << 30, VIEW_BYTES = 256 << 10, EVENTS_SHOWN = 6 };

struct Follow {
    struct Drill *drill;
    const char *run;
    struct Timer *timer;
    struct List said;         /* of uint64_t: lines that were printed */
    struct Mono spoke, ended; /* ended: it went on until then */
    unsigned drawn;
    int status;
};

static void take_off(struct Follow *follow)
{
    if (follow->drawn > 0)
        printf("\x1b[%uA\r\x1b[J", follow->drawn);
    follow->drawn = 0;
}

static struct LiveEvent event_of(const struct Line *line)
{
    return (struct LiveEvent){.at = line->at, .subject = line->subject, .text = line->text};
}

static void draw(struct Follow *follow, struct Look *look)
{
    const struct Line *lines = look->lines.items;
    struct winsize size = {.ws_row = 0};
    size_t from = look->lines.count > EVENTS_SHOWN ? look->lines.count - EVENTS_SHOWN : 0;
    struct LiveEvent events[EVENTS_SHOWN];
    for (size_t at = from; at < look->lines.count; at++)
        events[at - from] = event_of(&lines[at]);
    look->state.events = events;
    look->state.event_count = look->lines.count - from;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 4 || size.ws_col < 20)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    struct LiveStyle style = {.rows = size.ws_row - 1U,
                              .columns = size.ws_col,
                              .unicode = follow->drill->cli->out.unicode,
                              .color = follow->drill->cli->out.color};
    struct Buf out = BUF(VIEW_BYTES);
    live_view(&look->state, &style, &out);
    take_off(follow);
    fputs(out.text, stdout);
    for (const char *at = out.text; *at != '\0'; at++)
        follow->drawn += *at == '\n';
    buf_free(&out);
}

static bool is_said(const struct Follow *follow, uint64_t number)
{
    const uint64_t *said = follow->said.items;
    for (size_t at = follow->said.count; at > 0; at--)
        if (said[at - 1] == number)
            return true;
    return false;
}

/* What is known later than it happened comes later. */
static void print_new(struct Follow *follow, struct Look *look)
{
    const struct Line *lines = look->lines.items;
    struct Buf out = BUF(VIEW_BYTES);
    for (size_t at = 0; at < look->lines.count; at++) {
        if (is_said(follow, lines[at].number))
            continue;
        struct LiveEvent event = event_of(&lines[at]);
        *(uint64_t *)list_add(&follow->said, follow->drill->cli->arena, sizeof(uint64_t)) =
            lines[at].number;
        live_event(&look->state, &event, &out);
    }
    if (out.size == 0 && mono_since(follow->spoke, mono_now()) >= HEARTBEAT_NS)
        live_alive(&look->state, &out);
    if (out.size > 0)
        follow->spoke = mono_now();
    fputs(out.text, stdout);
    buf_free(&out);
}

/* True once nothing more will come, and that was said. */
static bool is_over(struct Follow *follow, const struct RunRow *row)
{
    struct Mono now = mono_now();
    if (!row->finished)
        follow->ended = now;
    if (row->finished ? !row->judged && mono_since(follow->ended, now) < JUDGED_NS : !row->gone)
        return false;
    take_off(follow);
    if (row->finished)
        printf("%s  %s  %s  %s\n", verdict_name(row->verdict), row->scenario, row->environment,
               short_id(row->id));
    else
        printf("%s  did not end, and its runner is gone: faildrill undo %s\n", short_id(row->id),
               short_id(row->id));
    return true;
}

static const struct RunRow *row_of(struct Follow *follow, struct Arena *arena, struct Err *err)
{
    struct List rows = {0};
    if (!store_runs(follow->drill->store, &(struct History){0}, arena, &rows, err))
        return NULL;
    const struct RunRow *row = rows.items;
    for (size_t at = 0; at < rows.count; at++)
        if (text_equal(row[at].id, follow->run))
            return &row[at];
    err_set(err, ERR_NOT_FOUND, NOWHERE, "there is no run '%s'", follow->run);
    return NULL;
}

static void tick(void *data, int events)
{
    (void)events;
    struct Follow *follow = data;
    struct Cli *cli = follow->drill->cli;
    struct Mono began = mono_now();
    struct Err err;
    struct Look look = {.arena = arena_new("follow", LOOK_MEMORY)};
    const struct RunRow *row = row_of(follow, look.arena, &err);
    bool good = row != NULL && follow_look(follow->drill->store, follow->run, &look, &err),
         over = !good;
    if (good) {
        if (cli->out.tty)
            draw(follow, &look);
        else
            print_new(follow, &look);
        over = is_over(follow, row);
    } else {
        follow->status = cli_fail(cli, &err);
    }
    if (fflush(stdout) != 0)
        over = true;
    arena_free(look.arena);
    int64_t pause = COSTS * mono_since(began, mono_now());
    if (over)
        loop_stop(follow->drill->loop);
    else
        loop_timer_at(follow->timer, mono_add(mono_now(), pause > LOOK_NS ? pause : LOOK_NS));
}

int follow_run(struct Drill *drill, const char *run)
{
    struct Follow follow = {.drill = drill, .run = run, .spoke = mono_now(), .ended = mono_now()};
    follow.timer = loop_timer(drill->loop, tick, &follow);
    loop_timer_at(follow.timer, mono_now());
    loop_run(drill->loop);
    loop_timer_free(follow.timer);
    return follow.status;
}
