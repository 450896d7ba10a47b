/* watch.c - what a person sees while a run goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <stdarg.h>
#include <string.h>

#define HEARTBEAT_NS (30 * NS_PER_S)

struct Watching {
    struct Drill *drill;
    struct Mono began;
    struct Wall wall_began;
    struct Mono spoke;
};

struct Watching *watch_new(struct Drill *drill)
{
    struct Watching *watching = arena_zero(drill->cli->arena, 1, sizeof *watching);
    *watching = (struct Watching){
        .drill = drill, .began = mono_now(), .wall_began = wall_now(), .spoke = mono_now()};
    return watching;
}

/* "10:43:07.112", local. */
static void clock_of(const struct Watching *watching, struct Mono at, char out[16])
{
    char whole[48];
    wall_local((struct Wall){watching->wall_began.ns + mono_since(watching->began, at)}, whole);
    snprintf(out, 16, "%.12s", whole + 11);
}

static void line(struct Watching *watching, struct Mono at, const char *subject, const char *text)
{
    char clock[16];
    struct Buf out = BUF(2000);
    clock_of(watching, at, clock);
    buf_printf(&out, "%s %-9s ", clock, subject);
    buf_visible(&out, text, strlen(text), false);
    buf_char(&out, '\n');
    fputs(out.text, stderr);
    buf_free(&out);
    watching->spoke = mono_now();
}

static void event(void *data, struct Mono at, const char *subject, const char *text)
{
    struct Watching *watching = data;
    if (!watching->drill->cli->quiet)
        line(watching, at, subject, text);
}

/* A log without a redraw says at least each half minute that it lives. */
static void tick(void *data, const struct RunView *view)
{
    struct Watching *watching = data;
    size_t in_effect = 0;
    if (watching->drill->cli->quiet || mono_since(watching->spoke, view->now) < HEARTBEAT_NS)
        return;
    for (size_t at = 0; at < view->fault_count; at++)
        in_effect += view->faults[at].state == FAULT_IN_EFFECT;
    char text[100];
    snprintf(text, sizeof text, "%s, %zu fault%s in effect", run_state_name(view->state), in_effect,
             in_effect == 1 ? "" : "s");
    line(watching, view->now, "alive", text);
}

struct RunWatch watch_of(struct Watching *watching)
{
    return (struct RunWatch){.event = event, .tick = tick, .data = watching};
}

void watch_say(struct Watching *watching, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    (void)watching;
}

void watch_end(struct Watching *watching)
{
    fflush(stderr);
    (void)watching;
}
