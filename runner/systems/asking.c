/* asking.c - several calls at once, to several servers, and one end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "asking.h"

#include "../base/arena.h"

void *ask_begin(struct Asking *all, size_t size, struct Mono deadline,
                void (*finish)(struct Ask *ask))
{
    struct Ask *ask = mem_zero(1, size);
    *ask = (struct Ask){
        .all = all, .next = all->asks, .asked = mono_now(), .deadline = deadline, .finish = finish};
    all->asks = ask;
    return ask;
}

static void unlink_ask(struct Ask *ask)
{
    struct Ask **at = &ask->all->asks;
    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
    loop_timer_free(ask->timer);
    ask->timer = NULL;
}

static void free_part(struct AskPart *part)
{
    if (part->release != NULL)
        part->release(part->owned);
    mem_free(part);
}

static void drop_parts(struct Ask *ask)
{
    while (ask->parts != NULL) {
        struct AskPart *part = ask->parts;
        ask->parts = part->next;
        call_cancel(part->call);
        free_part(part);
    }
}

static void end_ask(struct Ask *ask)
{
    unlink_ask(ask);
    drop_parts(ask);
    ask->finish(ask);
    mem_free(ask);
}

void asks_cancel(struct Asking *all)
{
    while (all->asks != NULL) {
        struct Ask *ask = all->asks;
        unlink_ask(ask);
        drop_parts(ask);
        mem_free(ask);
    }
}

struct AskPart *ask_part(struct Ask *ask, size_t index, AskFn *fn)
{
    struct AskPart *part = mem_zero(1, sizeof(*part));
    *part = (struct AskPart){.ask = ask, .next = ask->parts, .fn = fn, .index = index};
    ask->parts = part;
    ask->waiting++;
    return part;
}

void ask_answered(void *data, const struct Answer *answer)
{
    struct AskPart *part = data;
    struct Ask *ask = part->ask;
    struct AskPart **at = &ask->parts;
    while (*at != part)
        at = &(*at)->next;
    *at = part->next;
    ask->waiting--;
    bool more = part->fn(ask, part->index, answer);
    free_part(part);
    if (!more || ask->waiting == 0)
        end_ask(ask);
}

static void on_timer(void *data, int events)
{
    (void)events;
    struct Ask *ask = data;
    ask->waiting--;
    bool more = ask->after != NULL && ask->after(ask);
    if (!more || ask->waiting == 0)
        end_ask(ask);
}

void ask_wait(struct Ask *ask, int64_t ns, bool (*after)(struct Ask *ask))
{
    ask->after = after;
    if (ask->timer == NULL)
        ask->timer = loop_timer(ask->all->loop, on_timer, ask);
    loop_timer_at(ask->timer, mono_min(mono_add(mono_now(), ns), ask->deadline));
    ask->waiting++;
}

void ask_go(struct Ask *ask)
{
    if (ask->waiting == 0)
        ask_wait(ask, 0, NULL);
}
