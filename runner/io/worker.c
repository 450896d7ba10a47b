/* worker.c - a thread that does jobs in their order and reports to a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/err.h"

/* Where done jobs arrive; the home loop's thread only. It outlives its worker while posts to the
 * loop are on their way. */
struct Inbox {
    size_t open;
    bool closed;
};

struct Job {
    struct Job *next;
    WorkFn *fn, *done;
    void *own, *job;
    struct Inbox *inbox;
    uint64_t number; /* 1, 2, ... */
};

struct Worker {
    struct Loop *home;
    void *own;
    struct Inbox *inbox;
    uint64_t asked;           /* jobs so far; the home loop's thread only */
    uint64_t under_way;       /* a job's number; its own thread only */
    atomic_ullong dropped_to; /* the jobs up to this number give up */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    struct Job *first, **last;
    bool stop;
};

static _Thread_local struct Worker *here;

static void job_ended(struct Job *job)
{
    struct Inbox *inbox = job->inbox;
    mem_free(job);
    inbox->open--;
    if (inbox->closed && inbox->open == 0)
        mem_free(inbox);
}

static void on_home(void *data, int events)
{
    (void)events;
    struct Job *job = data;
    struct Job ended = *job;
    bool closed = job->inbox->closed;
    job_ended(job);
    if (!closed && ended.done != NULL)
        ended.done(ended.own, ended.job);
}

/* The next job, or NULL when there will be none. */
static struct Job *next_job(struct Worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->first == NULL && !worker->stop)
        pthread_cond_wait(&worker->more, &worker->lock);
    struct Job *job = worker->stop ? NULL : worker->first;
    if (job != NULL) {
        worker->first = job->next;
        if (worker->first == NULL)
            worker->last = &worker->first;
    }
    pthread_mutex_unlock(&worker->lock);
    return job;
}

static void *work(void *data)
{
    struct Worker *worker = here = data;
    for (struct Job *job = next_job(worker); job != NULL; job = next_job(worker)) {
        worker->under_way = job->number;
        job->fn(job->own, job->job);
        loop_post(worker->home, on_home, job);
    }
    return NULL;
}

struct Worker *worker_new(struct Loop *home, void *own)
{
    struct Worker *worker = mem_zero(1, sizeof(*worker));
    worker->home = home;
    worker->own = own;
    worker->inbox = mem_zero(1, sizeof(*worker->inbox));
    worker->last = &worker->first;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->more, NULL);
    int failed = pthread_create(&worker->thread, NULL, work, worker);
    if (failed != 0)
        bug("no thread for a worker: %s", strerror(failed));
    return worker;
}

void worker_do(struct Worker *worker, WorkFn *fn, WorkFn *done, void *data)
{
    struct Job *job = mem_zero(1, sizeof(*job));
    *job = (struct Job){
        .fn = fn, .done = done, .own = worker->own, .job = data, .inbox = worker->inbox};
    job->number = ++worker->asked;
    worker->inbox->open++;
    pthread_mutex_lock(&worker->lock);
    *worker->last = job;
    worker->last = &job->next;
    pthread_cond_signal(&worker->more);
    pthread_mutex_unlock(&worker->lock);
}

size_t worker_open(const struct Worker *worker)
{
    return worker->inbox->open;
}

void worker_drop(struct Worker *worker)
{
    if (worker != NULL)
        atomic_store(&worker->dropped_to, worker->asked);
}

bool worker_dropped(void)
{
    return here != NULL && here->under_way <= atomic_load(&here->dropped_to);
}

bool worker_is_here(void)
{
    return here != NULL;
}

void worker_free(struct Worker *worker)
{
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_signal(&worker->more);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    struct Inbox *inbox = worker->inbox;
    inbox->closed = true;
    inbox->open++; /* until the dropped ones are gone */
    for (struct Job *job = worker->first, *next; job != NULL; job = next) {
        next = job->next;
        job_ended(job);
    }
    if (--inbox->open == 0)
        mem_free(inbox);
    pthread_cond_destroy(&worker->more);
    pthread_mutex_destroy(&worker->lock);
    mem_free(worker);
}
