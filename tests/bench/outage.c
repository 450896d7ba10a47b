/* outage.c - is the length of an outage measured as it was: refused, and frozen (goals 5, 6, 8). */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: outage [OUTAGES]     The server is a process of its own; we are the truth. */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fakes/probing.h"
#include "measure.h"

enum { OUTAGES_MAX = 200 };

/* ---- the server ---- */

static int listen_at(uint16_t *port)
{
    const int on = 1;
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        bug("no server");
    *port = ntohs(at.sin_port);
    return fd;
}

static void answer(int fd)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char bytes[4096];
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    if (got <= 0)
        close(fd);
    else
        (void)send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
}

/* A byte on `control` closes the port, and opens it; the instant comes back. */
static void serve(int control, uint16_t port, int listener)
{
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = control;
    epoll_ctl(epoll, EPOLL_CTL_ADD, control, &event);
    for (;;) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll, ready, 64, -1);
        for (int n = 0; n < count; n++) {
            int fd = ready[n].data.fd;
            char byte = 0;
            if (fd == control) {
                if (read(control, &byte, 1) != 1)
                    _exit(0);
                if (byte == 'c')
                    close(listener);
                else
                    listener = listen_at(&port);
                struct Mono now = mono_now();
                event.data.fd = listener;
                if (byte == 'o')
                    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
                (void)!write(control, &now, sizeof(now));
            } else if (fd == listener) {
                event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (event.data.fd >= 0)
                    epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
            } else {
                answer(fd);
            }
        }
    }
}

struct Truth {
    pid_t pid;
    int control;
    uint16_t port;
    bool freezes;
};

static struct Truth start_server(bool freezes)
{
    int pair[2];
    struct Truth truth = {.freezes = freezes};
    int listener = listen_at(&truth.port);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        bug("no socketpair");
    truth.pid = fork();
    if (truth.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(pair[1], truth.port, listener);
    }
    close(listener);
    close(pair[1]);
    truth.control = pair[0];
    return truth;
}

static struct Mono turn(const struct Truth *truth, bool down)
{
    struct Mono now = {.ns = 0};
    if (truth->freezes) {
        kill(truth->pid, down ? SIGSTOP : SIGCONT);
        return mono_now();
    }
    if (write(truth->control, down ? "c" : "o", 1) != 1 ||
        read(truth->control, &now, sizeof(now)) != sizeof(now))
        bug("the server is gone");
    return now;
}

static void stop_server(const struct Truth *truth)
{
    kill(truth->pid, SIGKILL);
    waitpid(truth->pid, NULL, 0);
    close(truth->control);
}

/* ---- outages, and what the probe says of them ---- */

struct Outage {
    struct Mono down, up;
    struct Mono last_good, first_bad, first_bad_ended, last_bad, good_again; /* 0: none seen */
};

/* Never a multiple of any period. */
static int64_t random_ns(double least_s, double most_s)
{
    uint32_t word = 0;
    if (getrandom(&word, sizeof(word), 0) != sizeof(word))
        bug("no random bytes");
    return (int64_t)((least_s + (most_s - least_s) * word / 4294967296.0) * 1e9);
}

static void pass(int64_t ns)
{
    struct Mono end = mono_add(mono_now(), ns);
    while (mono_before(mono_now(), end)) {
        int64_t left = mono_since(mono_now(), end) / NS_PER_MS;
        (void)poll(NULL, 0, left > 1 ? (int)left : 1);
    }
}

static void take(struct Probing *probing)
{
    struct Flight flight;
    while (prober_take(probing->prober, &flight))
        if (flight.type == FLIGHT_SAMPLE && probing->count < PROBING_SAMPLES)
            probing->samples[probing->count++] = flight.sample;
}

static int by_intended(const void *a, const void *b)
{
    int64_t x = ((const struct Sample *)a)->intended.ns,
            y = ((const struct Sample *)b)->intended.ns;
    return x < y ? -1 : x > y;
}

/* The stretch of bad attempts that meets the outage. */
static void look(const struct Probing *probing, struct Outage *outage)
{
    for (size_t n = 0; n < probing->count; n++) {
        const struct Sample *sample = &probing->samples[n];
        bool bad = sample->outcome == OUTCOME_FAILED || sample->outcome == OUTCOME_TIMEOUT;
        if (bad && outage->first_bad.ns == 0) {
            outage->first_bad = sample->started;
            outage->first_bad_ended = sample->ended;
        }
        if (bad)
            outage->last_bad = sample->started;
        if (sample->outcome == OUTCOME_OK && outage->first_bad.ns == 0)
            outage->last_good = sample->started;
        if (sample->outcome == OUTCOME_OK && outage->last_bad.ns != 0 &&
            sample->started.ns > outage->last_bad.ns && outage->good_again.ns < outage->last_bad.ns)
            outage->good_again = sample->ended;
    }
}

static void run(const char *name, bool freezes, size_t count, const char *goal)
{
    static struct Probing probing;
    static double errors[OUTAGES_MAX], detect[OUTAGES_MAX];
    struct Err err;
    struct Truth truth = start_server(freezes);
    size_t missed = 0, seen = 0, outside = 0;
    probing_open(&probing);
    probing.port = truth.port;
    probing_environment(&probing,
                        "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n");
    probing_add(&probing, "{http: \"http://127.0.0.1:PORT/\"}", 10 * NS_PER_MS, 200 * NS_PER_MS);
    if (!probing_start(&probing, &err))
        bug("%s", err.message);
    for (size_t n = 0; n < count; n++) {
        struct Outage outage = {.down = {.ns = 0}};
        pass(300 * NS_PER_MS);
        take(&probing);
        probing.count = 0;
        pass(100 * NS_PER_MS);
        outage.down = turn(&truth, true);
        pass(random_ns(0.4, 2.4));
        outage.up = turn(&truth, false);
        pass(400 * NS_PER_MS);
        take(&probing);
        qsort(probing.samples, probing.count, sizeof(*probing.samples), by_intended);
        look(&probing, &outage);
        if (outage.first_bad.ns == 0 || outage.good_again.ns == 0) {
            missed++;
            continue;
        }
        double real = (double)mono_since(outage.down, outage.up) / 1e6;
        double low = (double)mono_since(outage.first_bad_ended, outage.last_bad) / 1e6;
        double high = (double)mono_since(outage.last_good, outage.good_again) / 1e6;
        double said = (double)mono_since(outage.first_bad, outage.good_again) / 1e6;
        errors[seen] = fabs(said - real);
        detect[seen++] = (double)mono_since(outage.down, outage.first_bad_ended) / 1e6;
        outside += real < low || real > high;
    }
    printf("%s: %zu outages, %zu missed, %zu outside the interval; error %.1f ms median, %.1f ms "
           "p95; detected in %.0f ms median\n  %s\n",
           name, count, missed, outside, quantile(errors, seen, 0.5), quantile(errors, seen, 0.95),
           quantile(detect, seen, 0.5), goal);
    probing_close(&probing);
    stop_server(&truth);
}

/* Goal 5: 1,000/s for 6 s, frozen for one of them: nothing is omitted, and it is one outage. */
static void run_stall(void)
{
    static struct Probing probing;
    static double latencies[PROBING_SAMPLES];
    struct Err err;
    struct Truth truth = start_server(true);
    probing_open(&probing);
    probing.port = truth.port;
    probing_environment(&probing,
                        "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n");
    probing_add(&probing, "{tcp: \"127.0.0.1:PORT\"}", NS_PER_S, NS_PER_S); /* warms the loop */
    probing_add(&probing, "{http: \"http://127.0.0.1:PORT/\"}", NS_PER_MS, 2 * NS_PER_S);
    if (!probing_start(&probing, &err))
        bug("%s", err.message);
    pass(2500 * NS_PER_MS);
    struct Mono down = turn(&truth, true);
    pass(NS_PER_S);
    double real = (double)mono_since(down, turn(&truth, false)) / 1e6;
    pass(2500 * NS_PER_MS);
    prober_pause(probing.prober);
    take(&probing);
    size_t due = 0, sent = 0, failed = 0;
    for (size_t n = 0; n < probing.count; n++) {
        const struct Sample *sample = &probing.samples[n];
        if (sample->probe != 1)
            continue;
        due++;
        failed += sample->outcome != OUTCOME_OK && sample->outcome != OUTCOME_SKIPPED;
        if (sample->outcome == OUTCOME_OK)
            latencies[sent++] = (double)mono_since(sample->intended, sample->ended) / 1e6;
    }
    /* The worst 1 % of an even spread over the stall, in 6 s. */
    double wanted = real - 0.01 * (double)due;
    printf("stall of %.0f ms at 1,000/s: sent %zu of %zu due (%.1f %%), %zu failed; p99 %.0f ms, "
           "computed %.0f ms\n  goal 5: p99 within 2 %%, sent >= 99.9 %%\n",
           real, sent + failed, due, 100.0 * (double)(sent + failed) / (double)due, failed,
           quantile(latencies, sent, 0.99), wanted);
    probing_close(&probing);
    stop_server(&truth);
}

int main(int argc, char **argv)
{
    size_t count = (size_t)argument(argc, argv, 1, 20);
    if (count > OUTAGES_MAX)
        return 2;
    run("refused", false, count, "goal 6: median <= 5 ms, p95 <= 11 ms, 0 missed");
    run("frozen", true, count, "goal 8: p95 <= 30 ms, 0 missed, detected within 220 ms");
    run_stall();
    return 0;
}
