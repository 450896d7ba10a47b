/* lateness.c - how late attempts are sent: ours, a bare timerfd, timers of libuv. */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: lateness [PAIRS [SECONDS]] */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include "../../probes/engine.h"
#include "../../runner/base/arena.h"
#include "measure.h"

enum { PAIRS_MAX = 100, TICKS_MAX = 60000 };
#define INTERVAL_NS (1 * NS_PER_MS)

struct Lateness {
    double p50, p99;
};

static struct Lateness sum_up(double *us, size_t count)
{
    return (struct Lateness){.p50 = quantile(us, count, 0.5), .p99 = quantile(us, count, 0.99)};
}

/* The least that does it: one timerfd, absolute, re-armed, on epoll. */
static struct Lateness run_bare(size_t ticks, double *us)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    struct Mono due = mono_add(mono_now(), INTERVAL_NS);
    for (size_t n = 0; n < ticks; n++, due = mono_add(due, INTERVAL_NS)) {
        struct itimerspec set = {
            .it_value = {.tv_sec = due.ns / NS_PER_S, .tv_nsec = due.ns % NS_PER_S}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &set, NULL);
        while (mono_before(mono_now(), due)) {
            uint64_t expired;
            (void)epoll_wait(epoll, &event, 1, -1);
            if (read(timer, &expired, sizeof(expired)) < 0)
                continue;
        }
        us[n] = (double)mono_since(due, mono_now()) / 1000.0;
    }
    close(timer);
    close(epoll);
    return sum_up(us, ticks);
}

struct UvRun {
    uv_timer_t timer;
    struct Mono due;
    size_t ticks, done;
    double *us;
};

static void on_uv(uv_timer_t *timer)
{
    struct UvRun *run = timer->data;
    run->us[run->done++] = (double)mono_since(run->due, mono_now()) / 1000.0;
    run->due = mono_add(run->due, INTERVAL_NS);
    if (run->done == run->ticks) {
        uv_stop(timer->loop);
        return;
    }
    int64_t left = mono_since(mono_now(), run->due);
    uv_update_time(timer->loop);
    uv_timer_start(timer, on_uv, left > 0 ? (uint64_t)((left + NS_PER_MS - 1) / NS_PER_MS) : 0, 0);
}

static struct Lateness run_libuv(size_t ticks, double *us)
{
    uv_loop_t loop;
    struct UvRun run = {.ticks = ticks, .us = us};
    uv_loop_init(&loop);
    uv_timer_init(&loop, &run.timer);
    run.timer.data = &run;
    run.due = mono_add(mono_now(), INTERVAL_NS);
    uv_timer_start(&run.timer, on_uv, 1, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&run.timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return sum_up(us, ticks);
}

/* A probe that is answered at once: what is left is the engine. */
static void *null_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    (void)loop;
    (void)err;
    return (void *)input;
}

static void null_start(void *probe, void *slot, struct Attempt *attempt)
{
    (void)probe;
    (void)slot;
    const struct Reply reply = {.outcome = OUTCOME_OK, .by = "", .detail = ""};
    attempt_done(attempt, &reply);
}

static void null_close(void *probe)
{
    (void)probe;
}

static struct Lateness run_prober(size_t ticks, double *us)
{
    static const struct ProbeKind kind = {.name = "null",
                                          .slot_size = 8,
                                          .open = null_open,
                                          .start = null_start,
                                          .close = null_close};
    struct ProbeSpec spec = {
        .name = "null", .kind = &kind, .interval_ns = INTERVAL_NS, .timeout_ns = 2 * NS_PER_MS};
    struct BoundProbe bound = {.spec = &spec};
    struct Environment environment = {.name = "bench"};
    struct Plan plan = {.environment = &environment, .probes = {.items = &bound, .count = 1}};
    const struct ProberInput input = {.plan = &plan};
    struct Err err;
    struct Prober *prober = prober_start(&input, &err);
    if (prober == NULL)
        bug("%s", err.message);
    for (size_t n = 0; n < ticks;) {
        struct Flight flight;
        (void)poll(NULL, 0, 50); /* as the conductor does: in batches, not in step */
        while (n < ticks && prober_take(prober, &flight))
            if (flight.type == FLIGHT_SAMPLE)
                us[n++] =
                    (double)mono_since(flight.sample.intended, flight.sample.started) / 1000.0;
    }
    prober_stop(prober);
    return sum_up(us, ticks);
}

int main(int argc, char **argv)
{
    size_t pairs = (size_t)argument(argc, argv, 1, 5);
    size_t ticks = 1000 * (size_t)argument(argc, argv, 2, 4);
    static double us[TICKS_MAX], p50[PAIRS_MAX], p99[PAIRS_MAX], uv99[PAIRS_MAX];
    if (pairs > PAIRS_MAX || ticks > TICKS_MAX)
        return 2;
    printf("lateness at 1,000/s, us: p50 p99\n");
    for (size_t n = 0; n < pairs; n++) {
        struct Lateness bare = run_bare(ticks, us), ours = run_prober(ticks, us),
                        uv = run_libuv(ticks, us);
        printf("  bare %6.1f %7.1f   prober %6.1f %7.1f   libuv timers %6.1f %7.1f\n", bare.p50,
               bare.p99, ours.p50, ours.p99, uv.p50, uv.p99);
        p50[n] = ours.p50 / bare.p50;
        p99[n] = ours.p99 / bare.p99;
        uv99[n] = ours.p99 / uv.p99;
    }
    printf("goal 1: p50 %.2f x bare (<= 3), p99 %.2f x bare (<= 2), p99 %.3f x libuv (<= 0.25)\n",
           quantile(p50, pairs, 0.5), quantile(p99, pairs, 0.5), quantile(uv99, pairs, 0.5));
    return 0;
}
