/* systems_scene.h - asks the system of a cluster, each question to its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_SYSTEMS_SCENE_H
#define FD_TESTS_SYSTEMS_SCENE_H

#include "systems_cluster.h"

static const struct SystemKind *const kind = &CLUSTER_SYSTEM;

/* ---- asking and waiting ---- */

struct Heard {
    struct Loop *loop; /* NULL: it runs on */
    int times;
    struct Standing standing;
    struct Redundancy redundancy;
    enum Known known;
    char text[400]; /* why, not_ready, an address */
    uint16_t port;
    struct Prospect prospect;
    char knobs[800], loss[200];
};

static void came(struct Heard *heard)
{
    heard->times++;
    if (heard->loop != NULL)
        loop_stop(heard->loop);
}

static void keep_standing(void *data, const struct Standing *standing)
{
    struct Heard *heard = data;
    heard->standing = *standing;
    came(heard);
}

static void keep_redundancy(void *data, const struct Redundancy *redundancy)
{
    struct Heard *heard = data;
    heard->redundancy = *redundancy;
    heard->known = redundancy->complete;
    snprintf(heard->text, sizeof(heard->text), "%.399s", redundancy->why);
    came(heard);
}

static void keep_known(void *data, enum Known known)
{
    struct Heard *heard = data;
    heard->known = known;
    came(heard);
}

static void keep_why(void *data, enum Known known, const char *why)
{
    struct Heard *heard = data;
    snprintf(heard->text, sizeof(heard->text), "%.399s", why);
    keep_known(data, known);
}

static void keep_address(void *data, const char *address, uint16_t port)
{
    struct Heard *heard = data;
    snprintf(heard->text, sizeof(heard->text), "%.399s", address != NULL ? address : "");
    heard->port = port;
    came(heard);
}

static void keep_prospect(void *data, const struct Prospect *prospect)
{
    struct Heard *heard = data;
    struct Buf knobs = BUF(sizeof(heard->knobs) - 1);
    for (size_t n = 0; n < prospect->knob_count; n++)
        buf_printf(&knobs, "%s=%s;", prospect->knobs[n].name, prospect->knobs[n].value);
    snprintf(heard->knobs, sizeof(heard->knobs), "%.799s", knobs.text);
    buf_free(&knobs);
    heard->prospect = *prospect;
    snprintf(heard->text, sizeof(heard->text), "%.399s",
             prospect->not_ready != NULL ? prospect->not_ready : "");
    snprintf(heard->loss, sizeof(heard->loss), "%.199s",
             prospect->loss != NULL ? prospect->loss : "");
    came(heard);
}

struct Scene {
    struct Cluster cluster;
    struct Loop *loop;
    void *system;
    int old_primary, new_primary; /* of a test that moves it */
    int64_t patience_ms;
};

static struct Heard standing_of(struct Scene *s, int host)
{
    struct Heard heard = {.loop = s->loop};
    kind->ask_standing(s->system, &s->cluster.hosts[host], in_ms(s->patience_ms), keep_standing,
                       &heard);
    assert_int_equal(heard.times, 0);
    loop_run(s->loop);
    return heard;
}

static struct Heard control_of(struct Scene *s)
{
    struct Heard heard = {.loop = s->loop};
    kind->ask_control(s->system, in_ms(s->patience_ms), keep_standing, &heard);
    loop_run(s->loop);
    return heard;
}

static struct Heard whole_of(struct Scene *s)
{
    struct Heard heard = {.loop = s->loop};
    kind->ask_redundancy(s->system, in_ms(s->patience_ms), keep_redundancy, &heard);
    loop_run(s->loop);
    return heard;
}

static struct Heard prospect_of(struct Scene *s)
{
    struct Heard heard = {.loop = s->loop};
    kind->ask_prospect(s->system, in_ms(s->patience_ms), keep_prospect, &heard);
    loop_run(s->loop);
    return heard;
}

static struct Heard fail_over(struct Scene *s, const struct FailoverWish *wish)
{
    struct Heard heard = {.loop = s->loop};
    kind->failover(s->system, wish, in_ms(s->patience_ms), keep_why, &heard);
    loop_run(s->loop);
    return heard;
}

#ifdef CLUSTER_ALONE
struct Last {
    struct Loop *loop;
    const struct Target *host;
    size_t primaries;
};
static void keep_last(void *data, const struct Target *host, size_t primaries)
{
    struct Last *last = data;
    last->host = host;
    last->primaries = primaries;
    loop_stop(last->loop);
}
static struct Last last_of(struct Scene *s)
{
    struct Last last = {.loop = s->loop};
    kind->find_last(s->system, in_ms(s->patience_ms), keep_last, &last);
    loop_run(s->loop);
    return last;
}
#endif

static void stop_waiting(void *loop, int events)
{
    (void)events;
    loop_stop(loop);
}

/* Asks again each 20 ms, as long as this; whether it is so. */
static bool becomes(struct Scene *s, bool (*so)(struct Scene *s), int64_t ms)
{
    struct Mono limit = in_ms(ms);
    struct Timer *timer = loop_timer(s->loop, stop_waiting, s->loop);
    bool is = so(s);
    while (!is && mono_before(mono_now(), limit)) {
        loop_timer_at(timer, in_ms(20));
        loop_run(s->loop);
        is = so(s);
    }
    loop_timer_free(timer);
    return is;
}

static void wait_until(struct Scene *s, bool (*so)(struct Scene *s), const char *what)
{
    if (!becomes(s, so, 120000))
        fail_msg("not in 120 s: %s (%s)", what, whole_of(s).text);
}

/* Also: nothing is on its way any more that the next test would meet. */
static bool is_whole(struct Scene *s)
{
    return whole_of(s).known == KNOWN_YES && prospect_of(s).prospect.not_ready == NULL;
}

static int primary_of(struct Scene *s)
{
    struct Heard heard = control_of(s);
    for (int n = 0; n < NODES; n++)
        if (heard.standing.host == &s->cluster.hosts[n])
            return n;
    return -1;
}

static bool has_moved(struct Scene *s)
{
    int primary = primary_of(s);
    return primary >= 0 && primary != s->old_primary &&
           standing_of(s, primary).standing.rank == RANK_PRIMARY;
}

static void send_command(struct Scene *s, int host, const char *words)
{
    char line[300];
    snprintf(line, sizeof(line), "redis-cli -h %s -p %u %s | tail -n 1 | grep -q '^OK'",
             s->cluster.address[host], s->cluster.port, words);
    const char *const argv[] = {"sh", "-c", line, NULL};
    int status = 1;
    waitpid(start_process(&s->cluster, argv), &status, 0);
    assert_int_equal(status, 0);
}

static int group_begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    struct Err err = {.code = ERR_OWN};
    *state = s;
    s->loop = loop_new();
    if (!cluster_open(&s->cluster)) {
        print_message("skip all: there is no redis-server here\n");
        exit(77);
    }
    s->system = kind->open(s->cluster.config, &s->cluster.role, s->loop, &err);
    return s->system == NULL;
}

static int group_end(void **state)
{
    struct Scene *s = *state;
    kind->close(s->system);
    loop_free(s->loop);
    cluster_close(&s->cluster);
    free(s);
    return 0;
}

/* A busy machine is slow to answer; a test that silences somebody waits for less. */
static int begin(void **state)
{
    ((struct Scene *)*state)->patience_ms = 20000;
    wait_until(*state, is_whole, "whole");
    return 0;
}

#endif
