/* engine.c - the prober: a thread that runs nothing but probes. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pthread_setname_np */
#include "engine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/resource.h>

#include "../runner/base/arena.h"
#include "engine_parts.h"

#define PROBER_NICE (-10)

enum { QUEUE_ROOM = 16 * 1024 };

void prober_put(struct Prober *prober, const struct Flight *flight)
{
    (void)queue_put(prober->queue, flight); /* what is lost is counted */
    if (!atomic_exchange(&prober->told, true) && prober->input.wake != NULL)
        prober->input.wake(prober->input.wake_data);
}

bool prober_take(struct Prober *prober, struct Flight *out)
{
    if (queue_take(prober->queue, out))
        return true;
    atomic_store(&prober->told, false);
    return queue_take(prober->queue, out); /* what came before the line above told nobody */
}

uint64_t prober_lost(const struct Prober *prober)
{
    return queue_lost(prober->queue);
}

static void put_census(void *data, const struct Census *census)
{
    struct ProberProbe *probe = data;
    struct Flight flight = {.type = FLIGHT_CENSUS, .census = *census};
    flight.census.probe = probe->index;
    prober_put(probe->prober, &flight);
}

static bool place(void *data, const char *host, uint16_t port, struct Endpoint *out)
{
    const struct ProberProbe *probe = data;
    const struct ProberInput *input = &probe->prober->input;
    if (probe->bound->from != NULL && input->place != NULL)
        return input->place(input->place_data, probe->index, host, port, out);
    out->host = host;
    out->port = port;
    return probe->bound->from == NULL;
}

/* ---- starting and stopping ---- */

static bool open_probe(struct Prober *prober, uint32_t index, struct Err *err)
{
    const struct Plan *plan = prober->input.plan;
    struct ProberProbe *probe = &prober->probes[index];
    probe->prober = prober;
    probe->bound = (const struct BoundProbe *)plan->probes.items + index;
    probe->index = index;
    attempts_open(probe);
    probe->input = (struct ProbeInput){.config = probe->bound->spec->config,
                                       .role = probe->bound->role,
                                       .from = probe->bound->from,
                                       .place = place,
                                       .place_data = probe,
                                       .run = plan->token.text,
                                       .index = index,
                                       .slots = probe->slots,
                                       .keep = probe->bound->spec->keep,
                                       .census = put_census,
                                       .census_data = probe};
    probe->state = probe->bound->spec->kind->open(&probe->input, prober->loop, err);
    return probe->state != NULL;
}

static void free_prober(struct Prober *prober)
{
    for (uint32_t n = 0; n < prober->probe_count; n++) {
        struct ProberProbe *probe = &prober->probes[n];
        if (probe->state != NULL)
            probe->bound->spec->kind->close(probe->state);
        attempts_close(probe);
    }
    prober->stopping = true;
    loop_free(prober->loop); /* runs what was posted */
    for (struct ReadBack *old = prober->read_backs, *next = NULL; old != NULL; old = next) {
        next = old->next;
        mem_free(old);
    }
    queue_free(prober->queue);
    sem_destroy(&prober->paused);
    mem_free(prober->probes);
    mem_free(prober);
}

/* Each probe at its own part of its interval, so that they do not queue up behind each other. */
static void begin_all(void *data, int events)
{
    (void)events;
    struct Prober *prober = data;
    struct Mono now = mono_now();
    for (uint32_t n = 0; n < prober->probe_count && !prober->stopping; n++) {
        struct ProberProbe *probe = &prober->probes[n];
        int64_t part = probe->bound->spec->interval_ns / prober->probe_count * n;
        attempts_begin(probe, mono_add(now, part));
    }
}

static void *run_thread(void *data)
{
    struct Prober *prober = data;
    pthread_setname_np(pthread_self(), "prober");
    /* Of this thread alone, and where we may: what else runs here should not make attempts late. */
    (void)setpriority(PRIO_PROCESS, 0, PROBER_NICE);
    loop_run(prober->loop);
    return NULL;
}

/* Signals are the conductor's: the thread is born with all of them blocked. */
static bool start_thread(struct Prober *prober, struct Err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&prober->thread, NULL, run_thread, prober);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return err_set(err, ERR_OWN, NOWHERE, "no thread for the probes: %s", strerror(failed));
    prober->threaded = true;
    return true;
}

/* A service that falls silent leaves a connection in each slot; without a descriptor an attempt is
 * broken, which says nothing of the service. */
static void ask_for_descriptors(const struct Prober *prober)
{
    struct rlimit limit = {.rlim_cur = 0};
    rlim_t wanted = 512;
    for (uint32_t n = 0; n < prober->probe_count; n++)
        wanted += 2 * prober->probes[n].slots;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* what it lacks shows as BROKEN */
}

struct Prober *prober_start(const struct ProberInput *input, struct Err *err)
{
    struct Prober *prober = mem_zero(1, sizeof(*prober));
    prober->input = *input;
    prober->loop = loop_new();
    prober->queue = queue_new(sizeof(struct Flight), QUEUE_ROOM);
    sem_init(&prober->paused, 0, 0);
    prober->probe_count = (uint32_t)input->plan->probes.count;
    prober->probes = mem_zero(prober->probe_count, sizeof(*prober->probes));
    bool good = true;
    for (uint32_t n = 0; n < prober->probe_count && good; n++)
        good = open_probe(prober, n, err);
    if (good) {
        ask_for_descriptors(prober);
        loop_post(prober->loop, begin_all, prober);
        good = start_thread(prober, err);
    }
    if (good)
        return prober;
    free_prober(prober);
    return NULL;
}

static void end_all(void *data, int events)
{
    (void)events;
    struct Prober *prober = data;
    for (uint32_t n = 0; n < prober->probe_count; n++) {
        attempts_pause(&prober->probes[n]);
        attempts_cancel(&prober->probes[n]);
    }
    loop_stop(prober->loop);
}

void prober_stop(struct Prober *prober)
{
    if (prober == NULL)
        return;
    loop_post(prober->loop, end_all, prober);
    pthread_join(prober->thread, NULL);
    free_prober(prober);
}

/* ---- pausing ---- */

void prober_attempt_ended(struct Prober *prober)
{
    if (!prober->pausing)
        return;
    for (uint32_t n = 0; n < prober->probe_count; n++)
        if (prober->probes[n].running > 0)
            return;
    prober->pausing = false;
    sem_post(&prober->paused);
}

static void pause_all(void *data, int events)
{
    (void)events;
    struct Prober *prober = data;
    for (uint32_t n = 0; n < prober->probe_count; n++)
        attempts_pause(&prober->probes[n]);
    prober->pausing = true;
    prober_attempt_ended(prober); /* perhaps none is under way */
}

void prober_pause(struct Prober *prober)
{
    loop_post(prober->loop, pause_all, prober);
    while (sem_wait(&prober->paused) != 0 && errno == EINTR) {
    }
}

/* ---- reading back ---- */

static void begin_read_back(struct ReadBack *read_back)
{
    struct ProberProbe *probe = &read_back->prober->probes[read_back->input.probe];
    if (read_back->input.tidy)
        probe->bound->spec->kind->tidy(probe->state, read_back->input.deadline, read_back);
    else
        probe->bound->spec->kind->read_back(probe->state, read_back->input.host,
                                            read_back->input.deadline, read_back);
}

void readback_found(struct ReadBack *to, uint32_t writer, uint64_t number)
{
    to->input.found(to->input.data, writer, number);
}

void readback_note(struct ReadBack *to, const char *text)
{
    if (to->input.note != NULL)
        to->input.note(to->input.data, text);
}

static void read_next(void *data, int events)
{
    (void)events;
    struct Prober *prober = data;
    if (!prober->stopping)
        begin_read_back(prober->read_backs);
}

void readback_done(struct ReadBack *to, enum Known complete)
{
    struct Prober *prober = to->prober;
    struct ReadBackInput input = to->input;
    if (to != prober->read_backs)
        bug("a read-back ended that was not under way");
    prober->read_backs = to->next;
    mem_free(to);
    input.done(input.data, complete);
    if (prober->read_backs != NULL)
        loop_post(prober->loop, read_next, prober); /* not from within the kind */
}

/* One after the other: a ledger has one reader. */
static void queue_read_back(void *data, int events)
{
    (void)events;
    struct ReadBack *read_back = data;
    struct ReadBack **at = &read_back->prober->read_backs;
    while (*at != NULL)
        at = &(*at)->next;
    *at = read_back;
    if (read_back->prober->read_backs == read_back && !read_back->prober->stopping)
        begin_read_back(read_back);
}

void prober_read_back(struct Prober *prober, const struct ReadBackInput *input)
{
    struct ReadBack *read_back = mem_zero(1, sizeof(*read_back));
    read_back->prober = prober;
    read_back->input = *input;
    loop_post(prober->loop, queue_read_back, read_back);
}
