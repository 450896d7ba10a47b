/* remote.c - commands on the hosts of a role, each a call that ends once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "remote.h"

#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/err.h"
#include "../io/worker.h"
#include "../model/transport.h"

enum { OUTPUT_MAX = 16 * 1024 };
/* A login takes longer than a look, and the looks that wait for it may be given up meanwhile. */
#define OPEN_NS (4 * NS_PER_S)

/* What the host's thread alone touches, but for the worker itself. */
struct Line {
    const struct Target *target;
    struct Worker *worker;
    void *session;
};
struct Job {
    struct Call call; /* first */
    struct Remote *remote;
    struct Job *next;
    struct Timer *timer; /* NULL: it was told, or cancelled */
    struct Line *line;
    const char **argv;
    struct Mono started, deadline;
    CallDone *done;
    void *data;
    enum CallEnd end; /* from here on the thread's, until it is back */
    int status;
    struct Buf out, errors;
};
struct Remote {
    struct Loop *loop;
    const struct Role *role;
    struct Line *lines;
    struct Job *jobs; /* not yet back from their threads */
};

struct Remote *remote_open(struct Loop *loop, const struct Role *role)
{
    struct Remote *remote = mem_zero(1, sizeof(*remote));
    *remote = (struct Remote){.loop = loop, .role = role};
    remote->lines = mem_zero(role->host_count, sizeof(*remote->lines));
    for (size_t n = 0; n < role->host_count; n++)
        remote->lines[n].target = role->hosts[n];
    return remote;
}

static void free_job(struct Job *job)
{
    loop_timer_free(job->timer);
    buf_free(&job->out);
    buf_free(&job->errors);
    for (size_t n = 0; job->argv[n] != NULL; n++)
        mem_free((char *)(uintptr_t)job->argv[n]);
    mem_free(job->argv);
    mem_free(job);
}

void remote_close(struct Remote *remote)
{
    if (remote == NULL)
        return;
    for (size_t n = 0; n < remote->role->host_count; n++)
        worker_drop(remote->lines[n].worker);
    for (size_t n = 0; n < remote->role->host_count; n++) {
        struct Line *line = &remote->lines[n];
        worker_free(line->worker);
        if (line->session != NULL)
            line->target->reach->close(line->session);
    }
    while (remote->jobs != NULL) {
        struct Job *job = remote->jobs;
        remote->jobs = job->next;
        free_job(job);
    }
    mem_free(remote->lines);
    mem_free(remote);
}

/* ---- on the host's thread ---- */

static bool run_command(struct Job *job, void *channel, struct Err *err)
{
    const struct TransportKind *reach = job->line->target->reach;
    bool ended = false;
    if (!reach->end_input(channel, job->deadline, err))
        return false;
    while (!ended)
        if (!reach->read(channel, &job->out, &ended, job->deadline, err))
            return false;
    return reach->status(channel, &job->status, &job->errors, job->deadline, err);
}

/* Nobody hears it after the deadline, and over ssh nobody ends it: the host does so itself. */
static void *start_limited(const struct Job *job, struct Err *err)
{
    char seconds[24];
    const char *before[] = {"timeout", "-k", "1", seconds};
    size_t words = 0;
    int64_t left_ns = mono_since(mono_now(), job->deadline);
    snprintf(seconds, sizeof(seconds), "%lld",
             (long long)(left_ns > 0 ? (left_ns - 1) / NS_PER_S + 1 : 1));
    while (job->argv[words] != NULL)
        words++;
    const char **argv = mem_zero(COUNT_OF(before) + words + 1, sizeof(*argv));
    memcpy(argv, before, sizeof(before));
    memcpy(argv + COUNT_OF(before), job->argv, words * sizeof(*argv));
    void *channel = job->line->target->reach->start(job->line->session, argv, job->deadline, err);
    mem_free(argv);
    return channel;
}

static void work(void *own, void *data)
{
    struct Line *line = own;
    struct Job *job = data;
    const struct TransportKind *reach = line->target->reach;
    struct Err err = {.code = ERR_OWN};
    if (line->session == NULL && !worker_dropped())
        line->session = reach->open(line->target->reach_config, line->target,
                                    mono_add(mono_now(), OPEN_NS), &err);
    if (line->session == NULL || worker_dropped() || !mono_before(mono_now(), job->deadline))
        return;
    void *channel = start_limited(job, &err);
    bool good = channel != NULL && run_command(job, channel, &err);
    if (channel != NULL)
        reach->finish(channel);
    if (good) {
        job->end = CALL_ANSWERED;
        return;
    }
    reach->close(line->session); /* what comes late must not be taken for the next one's */
    line->session = NULL;
}

/* ---- on the loop ---- */

static void tell(struct Job *job, enum CallEnd end)
{
    bool printed = job->out.size > 0;
    const struct Answer answer = {.end = end,
                                  .code = end == CALL_ANSWERED ? job->status : 0,
                                  .bytes = end != CALL_ANSWERED ? ""
                                           : printed            ? job->out.text
                                                                : job->errors.text,
                                  .size = end != CALL_ANSWERED ? 0
                                          : printed            ? job->out.size
                                                               : job->errors.size,
                                  .cut = end == CALL_ANSWERED && job->out.cut,
                                  .peer = "",
                                  .started = job->started,
                                  .ended = mono_now()};
    loop_timer_free(job->timer);
    job->timer = NULL;
    job->done(job->data, &answer);
}

static void on_back(void *own, void *data)
{
    (void)own;
    struct Job *job = data, **at = &job->remote->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next; /* done may close us: the job is nobody's but ours from here on */
    if (job->timer != NULL)
        tell(job, job->end);
    free_job(job);
}

/* The thread may have its hands full with what came before. It goes on with the job, untold. */
static void on_deadline(void *data, int events)
{
    (void)events;
    struct Job *job = data;
    const struct Answer answer = {
        .end = CALL_TIMEOUT, .bytes = "", .peer = "", .started = job->started, .ended = mono_now()};
    loop_timer_free(job->timer);
    job->timer = NULL;
    job->done(job->data, &answer);
}

static void cancel(struct Call *call)
{
    struct Job *job = (struct Job *)call;
    loop_timer_free(job->timer);
    job->timer = NULL;
}

static const char **copy_words(const char *const *argv)
{
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    const char **words = mem_zero(count + 1, sizeof(*words));
    for (size_t n = 0; n < count; n++)
        words[n] = mem_text(argv[n]);
    return words;
}

struct Call *remote_call(struct Remote *remote, size_t host, const char *const *argv,
                         struct Mono deadline, CallDone *done, void *data)
{
    struct Line *line = &remote->lines[host];
    struct Job *job = mem_zero(1, sizeof(*job));
    *job = (struct Job){.call = {.cancel = cancel},
                        .remote = remote,
                        .next = remote->jobs,
                        .line = line,
                        .argv = copy_words(argv),
                        .started = mono_now(),
                        .deadline = deadline,
                        .done = done,
                        .data = data,
                        .end = CALL_RESET,
                        .out = BUF(OUTPUT_MAX),
                        .errors = BUF(OUTPUT_MAX)};
    remote->jobs = job;
    job->timer = loop_timer(remote->loop, on_deadline, job);
    loop_timer_at(job->timer, deadline);
    if (line->worker == NULL)
        line->worker = worker_new(remote->loop, line);
    worker_do(line->worker, work, on_back, job);
    return &job->call;
}

void remote_fold(const char *text, struct Buf *out)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '\n')
            buf_put(out, "\\n");
        else if (*at == '\\')
            buf_put(out, "\\\\");
        else
            buf_char(out, *at);
    if (out->cut)
        bug("a script of more than %zu bytes", out->size);
}
