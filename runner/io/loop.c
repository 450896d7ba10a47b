/* loop.c - what one may ask of libuv. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "../base/arena.h"
#include "../base/err.h"
#include "heap.h"

struct Watch {
    uv_poll_t poll; /* first: libuv hands it back */
    struct Loop *loop;
    int fd, events;
    LoopFn *fn; /* NULL once forgotten; freed when libuv has closed the handle */
    void *data;
};

struct Timer {
    struct HeapNode node; /* first: the heap hands it back */
    struct Loop *loop;
    LoopFn *fn;
    void *data;
};

struct Post {
    struct Post *next;
    LoopFn *fn;
    void *data;
};

#define EXPIRED_NS INT64_MIN

enum { SIGNAL_COUNT = 3 };
static const int signal_numbers[SIGNAL_COUNT] = {SIGINT, SIGTERM, SIGHUP};

struct Loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t before_wait;
    uv_poll_t clock;
    int clock_fd;
    struct Mono armed; /* what the timerfd is set to; NS_NEVER = off, EXPIRED_NS = it went off */
    struct Heap timers;
    uint64_t next_order;
    bool firing;
    struct Watch **watches; /* by fd */
    size_t watch_room;
    _Atomic(struct Post *) posts; /* newest first */
    _Atomic bool stop;
    uv_signal_t signals[SIGNAL_COUNT];
    bool signals_open;
    void (*on_signal)(void *data, int number);
    void *signal_data;
};

static void must(int result, const char *what)
{
    if (result < 0)
        bug("libuv: %s: %s", what, uv_strerror(result));
}

/* ---- timers ---- */

static void arm(struct Loop *loop, struct Mono when)
{
    if (when.ns == loop->armed.ns)
        return;
    loop->armed = when;
    struct itimerspec set = {.it_value = {0, 0}};
    if (when.ns != NS_NEVER) {
        int64_t ns = when.ns > 0 ? when.ns : 1; /* all zero would turn it off */
        set.it_value.tv_sec = (time_t)(ns / NS_PER_S);
        set.it_value.tv_nsec = (long)(ns % NS_PER_S);
    }
    if (timerfd_settime(loop->clock_fd, TFD_TIMER_ABSTIME, &set, NULL) != 0)
        bug("timerfd_settime: %s", strerror(errno));
}

/* Once a turn, so that a timer that is set and cleared within it costs nothing. */
static void arm_earliest(uv_prepare_t *prepare)
{
    struct Loop *loop = prepare->data;
    const struct HeapNode *first = heap_first(&loop->timers);
    arm(loop, first == NULL ? (struct Mono){.ns = NS_NEVER} : first->when);
}

/* Timers set while these fire wait for the next turn, so that none can keep the loop busy. */
static void fire_due(struct Loop *loop)
{
    const struct HeapNode *first = heap_first(&loop->timers);
    if (first == NULL || loop->firing)
        return;
    struct Mono now = mono_now();
    uint64_t end = loop->next_order;
    loop->firing = true;
    while (first != NULL && first->when.ns <= now.ns && first->order < end) {
        struct Timer *timer = (struct Timer *)first;
        heap_drop(&loop->timers, &timer->node);
        timer->fn(timer->data, 0);
        first = heap_first(&loop->timers);
    }
    loop->firing = false;
}

static void on_clock(uv_poll_t *poll, int status, int events)
{
    (void)events;
    must(status, "timerfd");
    struct Loop *loop = poll->data;
    loop->armed.ns = EXPIRED_NS; /* it is set anew before the next wait, which empties it */
    fire_due(loop);
}

struct Timer *loop_timer(struct Loop *loop, LoopFn *fn, void *data)
{
    struct Timer *timer = mem_zero(1, sizeof(*timer));
    timer->loop = loop;
    timer->fn = fn;
    timer->data = data;
    return timer;
}

void loop_timer_at(struct Timer *timer, struct Mono when)
{
    struct Loop *loop = timer->loop;
    heap_drop(&loop->timers, &timer->node);
    if (when.ns == NS_NEVER)
        return;
    timer->node.when = when;
    timer->node.order = loop->next_order++;
    heap_put(&loop->timers, &timer->node);
}

void loop_timer_off(struct Timer *timer)
{
    heap_drop(&timer->loop->timers, &timer->node);
}

void loop_timer_free(struct Timer *timer)
{
    if (timer == NULL)
        return;
    loop_timer_off(timer);
    mem_free(timer);
}

struct Mono loop_now(const struct Loop *loop)
{
    (void)loop;
    return mono_now();
}

/* ---- watches ---- */

static void on_ready(uv_poll_t *poll, int status, int ready);

static void start_poll(struct Watch *watch)
{
    int events = (watch->events & LOOP_READ ? UV_READABLE : 0) |
                 (watch->events & LOOP_WRITE ? UV_WRITABLE : 0);
    must(uv_poll_start(&watch->poll, events, on_ready), "poll");
}

/* A batch of ready sockets may take longer than the next timer has: due timers go first. They may
 * forget this very watch. */
static void on_ready(uv_poll_t *poll, int status, int ready)
{
    struct Watch *watch = (struct Watch *)poll;
    fire_due(watch->loop);
    if (watch->fn == NULL)
        return;
    int events = (ready & UV_READABLE ? LOOP_READ : 0) | (ready & UV_WRITABLE ? LOOP_WRITE : 0);
    if (status < 0) {
        start_poll(watch); /* libuv stops a poll that is in error */
        events = LOOP_READ | LOOP_WRITE;
    }
    if (events != 0)
        watch->fn(watch->data, events);
}

static void watch_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

static void watch_room(struct Loop *loop, size_t needed)
{
    if (needed <= loop->watch_room)
        return;
    size_t room = loop->watch_room > 0 ? loop->watch_room : 64;
    while (room < needed)
        room *= 2;
    loop->watches = mem_grow(loop->watches, room * sizeof(*loop->watches));
    memset(loop->watches + loop->watch_room, 0, (room - loop->watch_room) * sizeof(*loop->watches));
    loop->watch_room = room;
}

static void forget(struct Loop *loop, int fd)
{
    struct Watch *watch = (size_t)fd < loop->watch_room ? loop->watches[fd] : NULL;
    if (watch == NULL)
        return;
    loop->watches[fd] = NULL;
    watch->fn = NULL;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

void loop_watch(struct Loop *loop, int fd, int events, LoopFn *fn, void *data)
{
    if (fd < 0)
        bug("a watch of descriptor %d", fd);
    if (events == 0) {
        forget(loop, fd);
        return;
    }
    watch_room(loop, (size_t)fd + 1);
    struct Watch *watch = loop->watches[fd];
    if (watch != NULL) {
        watch->fn = fn;
        watch->data = data;
        if (watch->events == events)
            return;
        watch->events = events;
        start_poll(watch);
        return;
    }
    watch = mem_zero(1, sizeof(*watch));
    *watch = (struct Watch){.loop = loop, .fd = fd, .events = events, .fn = fn, .data = data};
    must(uv_poll_init(&loop->uv, &watch->poll, fd), "poll");
    loop->watches[fd] = watch;
    start_poll(watch);
}

/* ---- posts, signals ---- */

static void run_posts(struct Loop *loop)
{
    struct Post *newest = atomic_exchange_explicit(&loop->posts, NULL, memory_order_acquire);
    struct Post *oldest = NULL;
    while (newest != NULL) {
        struct Post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct Post post = *oldest;
        mem_free(oldest);
        post.fn(post.data, 0);
        oldest = post.next;
    }
}

static void on_wake(uv_async_t *wake)
{
    struct Loop *loop = wake->data;
    run_posts(loop);
    if (atomic_exchange(&loop->stop, false))
        uv_stop(&loop->uv);
}

void loop_post(struct Loop *loop, LoopFn *fn, void *data)
{
    struct Post *post = mem_zero(1, sizeof(*post));
    post->fn = fn;
    post->data = data;
    post->next = atomic_load_explicit(&loop->posts, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&loop->posts, &post->next, post,
                                                  memory_order_release, memory_order_relaxed)) {
    }
    must(uv_async_send(&loop->wake), "wake");
}

void loop_stop(struct Loop *loop)
{
    atomic_store(&loop->stop, true);
    must(uv_async_send(&loop->wake), "wake");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct Loop *loop = handle->data;
    if (loop->on_signal != NULL)
        loop->on_signal(loop->signal_data, number);
}

void loop_signals(struct Loop *loop, void (*fn)(void *data, int number), void *data)
{
    for (size_t n = 0; n < SIGNAL_COUNT; n++) {
        uv_signal_t *handle = &loop->signals[n];
        if (!loop->signals_open)
            must(uv_signal_init(&loop->uv, handle), "signals");
        handle->data = loop;
        if (fn != NULL)
            must(uv_signal_start(handle, on_signal, signal_numbers[n]), "signals");
        else
            must(uv_signal_stop(handle), "signals");
    }
    loop->signals_open = true;
    loop->on_signal = fn;
    loop->signal_data = data;
}

/* ---- the loop ---- */

struct Loop *loop_new(void)
{
    struct Loop *loop = mem_zero(1, sizeof(*loop));
    must(uv_loop_init(&loop->uv), "loop");
    must(uv_async_init(&loop->uv, &loop->wake, on_wake), "async");
    loop->wake.data = loop;
    must(uv_prepare_init(&loop->uv, &loop->before_wait), "prepare");
    loop->before_wait.data = loop;
    must(uv_prepare_start(&loop->before_wait, arm_earliest), "prepare");
    loop->armed.ns = NS_NEVER;
    loop->clock_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->clock_fd < 0)
        bug("timerfd_create: %s", strerror(errno));
    must(uv_poll_init(&loop->uv, &loop->clock, loop->clock_fd), "timerfd");
    loop->clock.data = loop;
    must(uv_poll_start(&loop->clock, UV_READABLE, on_clock), "timerfd");
    return loop;
}

void loop_run(struct Loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_free(struct Loop *loop)
{
    if (loop == NULL)
        return;
    while (atomic_load(&loop->posts) != NULL)
        run_posts(loop);
    for (size_t fd = 0; fd < loop->watch_room; fd++)
        if (loop->watches[fd] != NULL)
            bug("descriptor %zu is still watched", fd);
    if (heap_first(&loop->timers) != NULL)
        bug("a timer is still set");
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->before_wait, NULL);
    uv_close((uv_handle_t *)&loop->clock, NULL);
    for (size_t n = 0; loop->signals_open && n < SIGNAL_COUNT; n++)
        uv_close((uv_handle_t *)&loop->signals[n], NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    must(uv_loop_close(&loop->uv), "close");
    close(loop->clock_fd);
    heap_free(&loop->timers);
    mem_free(loop->watches);
    mem_free(loop);
}
