/* hosts.c - the hosts in use: two threads and sessions each, jobs in, answers back on the loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts.h"

#include "../io/worker.h"

#define LANE_ARENA_BYTES (64U << 20)

/* Of one host: what its thread alone touches, but for the worker itself. */
struct LaneState {
    struct Worker *worker;
    struct HostNode *node;
    struct Arena *arena;
};
struct HostRow {
    const struct Target *target;
    struct LaneState lanes[LANE_COUNT];
    struct HostRow *next;
};
struct Hosts {
    struct Loop *loop;
    struct HostRow *rows;
    size_t pending;
};
struct Job {
    struct Hosts *hosts;
    struct HostJob ask;
    struct HostCall call;
};

struct Hosts *hosts_new(struct Loop *loop)
{
    struct Hosts *hosts = mem_zero(1, sizeof *hosts);
    hosts->loop = loop;
    return hosts;
}

static struct LaneState *lane_of(struct Hosts *hosts, const struct Target *target, enum Lane lane)
{
    struct HostRow *row = hosts->rows;
    while (row != NULL && row->target != target)
        row = row->next;
    if (row == NULL) {
        row = mem_zero(1, sizeof *row);
        row->target = target;
        row->next = hosts->rows;
        hosts->rows = row;
    }
    struct LaneState *state = &row->lanes[lane];
    if (state->worker == NULL) {
        state->arena = arena_new("lane", LANE_ARENA_BYTES);
        state->worker = worker_new(hosts->loop, state);
    }
    return state;
}

static void job_work(void *own, void *data)
{
    struct LaneState *state = own;
    struct Job *job = data;
    struct HostCall *call = &job->call;
    if (worker_dropped()) {
        err_set(&call->err, ERR_TIMEOUT, NOWHERE, "it was no longer wanted");
        return;
    }
    if (state->node == NULL)
        state->node =
            node_open(call->target, mono_add(mono_now(), job->ask.timeout_ns), &call->err);
    if (state->node == NULL)
        return;
    call->opened = true;
    call->node = state->node;
    call->arena = state->arena;
    call->deadline = mono_add(mono_now(), job->ask.timeout_ns);
    job->ask.work(call);
    if (call->lost) {
        node_close(state->node);
        state->node = NULL;
    }
}

static void job_done(void *own, void *data)
{
    (void)own;
    struct Job *job = data;
    job->hosts->pending--;
    job->ask.done(&job->call);
    mem_free(job);
}

void hosts_do(struct Hosts *hosts, const struct HostJob *job)
{
    struct Job *row = mem_zero(1, sizeof *row);
    row->hosts = hosts;
    row->ask = *job;
    row->call = (struct HostCall){.target = job->target, .data = job->data};
    hosts->pending++;
    worker_do(lane_of(hosts, job->target, job->lane)->worker, job_work, job_done, row);
}

void hosts_drop(struct Hosts *hosts, enum Lane lane)
{
    for (struct HostRow *row = hosts->rows; row != NULL; row = row->next)
        worker_drop(row->lanes[lane].worker);
}

void hosts_drop_of(struct Hosts *hosts, const struct Target *target, enum Lane lane)
{
    worker_drop(lane_of(hosts, target, lane)->worker);
}

size_t hosts_pending(const struct Hosts *hosts)
{
    return hosts->pending;
}

void hosts_free(struct Hosts *hosts)
{
    if (hosts == NULL)
        return;
    hosts_drop(hosts, LANE_WORK); /* the run is over; nobody waits for a script */
    while (hosts->rows != NULL) {
        struct HostRow *row = hosts->rows;
        hosts->rows = row->next;
        for (size_t lane = 0; lane < LANE_COUNT; lane++) {
            worker_free(row->lanes[lane].worker);
            node_close(row->lanes[lane].node);
            arena_free(row->lanes[lane].arena);
        }
        mem_free(row);
    }
    mem_free(hosts);
}
