/* probes_redis_test.c - redis, primary and ledger probes beside real Redis servers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/probing.h"
#include "../fakes/redis_process.h"
#include "../fakes/server.h"

/* Hosts one and two; a Sentinel of ours names whom the test says. */
struct Scene {
    struct Probing probing;
    struct RedisProcess redis[2];
    struct Server *sentinel;
    int named; /* 1 or 2 */
    int marks;
    uint32_t writes, asks, who;
};

static void name_primary(void *data, struct Link *link, const char *bytes, size_t size)
{
    const struct Scene *scene = data;
    (void)size;
    if (strstr(bytes, LINK_NAMES) != NULL)
        link_send(link, "+OK\r\n");
    for (const char *at = bytes; (at = strstr(at, "get-master-addr-by-name")) != NULL; at++) {
        char text[64], port[8];
        snprintf(port, sizeof(port), "%u", (unsigned)scene->redis[0].port);
        snprintf(text, sizeof(text), "*2\r\n$9\r\n127.0.0.%d\r\n$%zu\r\n%s\r\n", scene->named,
                 strlen(port), port);
        link_send(link, text);
    }
}

static const char environment[] =
    "environment: test\n"
    "roles:\n"
    "  redis:\n"
    "    hosts: {one: {address: 127.0.0.1}, two: {address: 127.0.0.2}}\n"
    "    process: /usr/bin/redis-server\n"
    "    redis_sentinel: {master: shop, sentinels: [\"127.0.0.1:SENTINEL\"], port: PORT}\n";

/* One leads, two follows. */
static void open_scene(struct Scene *scene)
{
    char text[600], port_text[8];
    memset(scene, 0, sizeof(*scene));
    scene->named = 1;
    uint16_t port = free_port_of_all(2);
    redis_process_start(&scene->redis[0], 1, port, NULL);
    snprintf(text, sizeof(text), "replicaof 127.0.0.1 %u", (unsigned)port);
    redis_process_start(&scene->redis[1], 2, port, text);
    probing_open(&scene->probing);
    scene->probing.port = port;
    scene->sentinel = server_new(scene->probing.loop, name_primary, scene);
    const char *at = strstr(environment, "SENTINEL");
    snprintf(port_text, sizeof(port_text), "%u", (unsigned)server_port(scene->sentinel));
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - environment), environment, port_text,
             at + strlen("SENTINEL"));
    probing_environment(&scene->probing, text);
}

/* What the primary writes last is on the replica last: where this is there, so is all before it. A
 * key that was there before says nothing: after its first copy a replica is sent what follows only
 * when it has spoken, up to 1 s later. */
static bool is_marked(struct Probing *probing, void *data)
{
    (void)probing;
    const struct Scene *scene = data;
    char key[32], reply[128];
    snprintf(key, sizeof(key), "mark:%d", scene->marks);
    const char *const words[] = {"GET", key, NULL};
    redis_process_say(&scene->redis[1], words, reply);
    return strcmp(reply, "$4") == 0;
}

static void replicate(struct Scene *scene)
{
    char key[32], reply[128];
    snprintf(key, sizeof(key), "mark:%d", ++scene->marks);
    const char *const words[] = {"SET", key, "here", NULL};
    redis_process_say(&scene->redis[0], words, reply);
    assert_string_equal(reply, "+OK");
    probing_run(&scene->probing, is_marked, scene);
}

/* For whatever must be answered: a slow turn of a busy machine is no silence. */
#define LONG_NS (20 * NS_PER_S)

static void start(struct Scene *scene, int64_t timeout_ns)
{
    struct Err err;
    scene->writes = probing_add(&scene->probing, "{ledger: redis}", 20 * NS_PER_MS, timeout_ns);
    scene->asks = probing_add(&scene->probing, "{redis: redis, command: \"SET k v\"}",
                              50 * NS_PER_MS, timeout_ns);
    scene->who = probing_add(&scene->probing, "{primary: redis}", 100 * NS_PER_MS, timeout_ns);
    if (!probing_start(&scene->probing, &err))
        fail_msg("%s", err.message);
    replicate(scene);
}

static void close_scene(struct Scene *scene)
{
    prober_stop(scene->probing.prober);
    scene->probing.prober = NULL;
    server_free(scene->sentinel);
    probing_close(&scene->probing);
    for (int n = 0; n < 2; n++)
        redis_process_end(&scene->redis[n]);
}

/* Until the last samples of a probe are as wanted, three in a row; who was silent was connected. */
struct Wanted {
    uint32_t probe;
    enum Outcome outcome;
    enum Failure failure;
    size_t seen, run;
};

static bool three_in_a_row(struct Probing *probing, void *data)
{
    struct Wanted *wanted = data;
    for (; wanted->seen < probing->count; wanted->seen++) {
        const struct Sample *sample = &probing->samples[wanted->seen];
        if (sample->probe != wanted->probe || sample->outcome == OUTCOME_SKIPPED)
            continue;
        bool fits = sample->outcome == wanted->outcome && sample->failure == wanted->failure &&
                    (sample->outcome != OUTCOME_TIMEOUT || sample->connected);
        wanted->run = fits ? wanted->run + 1 : 0;
        if (wanted->run == 3)
            return true;
    }
    return false;
}

static void wait_for(struct Scene *scene, uint32_t probe, enum Outcome outcome,
                     enum Failure failure)
{
    struct Wanted wanted = {
        .probe = probe, .outcome = outcome, .failure = failure, .seen = scene->probing.count};
    probing_run(&scene->probing, three_in_a_row, &wanted);
}

struct Good {
    uint32_t probe;
    size_t count;
};

static bool are_good(struct Probing *probing, void *data)
{
    const struct Good *good = data;
    size_t count = 0;
    for (size_t n = 0; n < probing->count; n++)
        count +=
            probing->samples[n].probe == good->probe && probing->samples[n].outcome == OUTCOME_OK;
    return count >= good->count;
}

static void await_good(struct Scene *scene, uint32_t probe, size_t count)
{
    struct Good good = {.probe = probe, .count = count};
    probing_run(&scene->probing, are_good, &good);
}

static void say(struct Scene *scene, int host, const char *a, const char *b, const char *c)
{
    const char *const words[] = {a, b, c, NULL};
    char reply[128];
    redis_process_say(&scene->redis[host - 1], words, reply);
    assert_string_equal(reply, "+OK");
}

/* Who answered it last. */
static uint32_t answered_by(const struct Scene *scene, uint32_t probe)
{
    uint32_t by = 0;
    for (size_t n = 0; n < scene->probing.count; n++)
        if (scene->probing.samples[n].probe == probe &&
            scene->probing.samples[n].outcome == OUTCOME_OK)
            by = scene->probing.samples[n].by;
    return by;
}

/* ---- read back ---- */

enum { NUMBERS = 20000 };
struct Reading {
    sem_t ended;
    enum Known complete;
    size_t count;
    struct {
        uint32_t writer;
        uint64_t number;
    } at[NUMBERS];
};

static void found(void *data, uint32_t writer, uint64_t number)
{
    struct Reading *reading = data;
    assert_true(reading->count < NUMBERS);
    reading->at[reading->count].writer = writer;
    reading->at[reading->count++].number = number;
}

static void read_ended(void *data, enum Known complete)
{
    struct Reading *reading = data;
    reading->complete = complete;
    sem_post(&reading->ended);
}

/* The Sentinel runs on our loop, so that has to run while we wait. */
static bool has_ended(struct Probing *probing, void *data)
{
    (void)probing;
    return sem_trywait(&((struct Reading *)data)->ended) == 0;
}

static struct Reading *read_back(struct Scene *scene, const struct Target *host)
{
    static struct Reading reading;
    reading = (struct Reading){.count = 0};
    sem_init(&reading.ended, 0, 0);
    const struct ReadBackInput input = {.probe = scene->writes,
                                        .host = host,
                                        .deadline = mono_add(mono_now(), 10 * NS_PER_S),
                                        .found = found,
                                        .done = read_ended,
                                        .data = &reading};
    prober_read_back(scene->probing.prober, &input);
    probing_run(&scene->probing, has_ended, &reading);
    sem_destroy(&reading.ended);
    return &reading;
}

static size_t times_found(const struct Reading *reading, const struct Sample *sample)
{
    size_t times = 0;
    for (size_t n = 0; n < reading->count; n++)
        times += reading->at[n].writer == sample->writer && reading->at[n].number == sample->number;
    return times;
}

/* How many acknowledged writes are missing, and how many there were. */
static size_t lost(const struct Scene *scene, const struct Reading *reading, size_t *acknowledged)
{
    size_t missing = 0;
    *acknowledged = 0;
    for (size_t n = 0; n < scene->probing.count; n++) {
        const struct Sample *sample = &scene->probing.samples[n];
        if (sample->probe != scene->writes || sample->outcome != OUTCOME_OK)
            continue;
        size_t times = times_found(reading, sample);
        assert_true(times <= 1);
        *acknowledged += 1;
        missing += times == 0;
    }
    return missing;
}

/* Of those that this host acknowledged (its index + 1): how many are missing. */
static size_t lost_by(const struct Scene *scene, const struct Reading *reading, uint32_t by)
{
    size_t missing = 0;
    for (size_t n = 0; n < scene->probing.count; n++) {
        const struct Sample *sample = &scene->probing.samples[n];
        if (sample->probe == scene->writes && sample->outcome == OUTCOME_OK && sample->by == by)
            missing += times_found(reading, sample) == 0;
    }
    return missing;
}

/* ---- the promises ---- */

static void test_what_was_acknowledged_is_read_back_once(void **state)
{
    (void)state;
    static struct Scene scene;
    size_t acknowledged = 0;
    open_scene(&scene);
    start(&scene, LONG_NS);
    wait_for(&scene, scene.writes, OUTCOME_OK, FAILURE_NONE);
    await_good(&scene, scene.writes, 100);
    prober_pause(scene.probing.prober);
    replicate(&scene); /* takes the rest, too */

    const struct Role *role = environment_role(scene.probing.environment, "redis");
    struct Reading *reading = read_back(&scene, NULL);
    assert_int_equal(reading->complete, KNOWN_YES);
    assert_int_equal(lost(&scene, reading, &acknowledged), 0);
    assert_true(acknowledged >= 100);
    reading = read_back(&scene, role->hosts[1]); /* the replica */
    assert_int_equal(lost(&scene, reading, &acknowledged), 0);
    for (size_t n = 0; n < scene.probing.count; n++)
        if (scene.probing.samples[n].outcome == OUTCOME_OK)
            assert_int_equal(scene.probing.samples[n].by, 1); /* host one, by its address */
    close_scene(&scene);
}

static void test_a_dead_primary_is_refused_and_the_next_is_found(void **state)
{
    (void)state;
    static struct Scene scene;
    size_t acknowledged = 0;
    open_scene(&scene);
    start(&scene, LONG_NS);
    wait_for(&scene, scene.writes, OUTCOME_OK, FAILURE_NONE);

    redis_process_kill(&scene.redis[0]);
    wait_for(&scene, scene.writes, OUTCOME_FAILED, FAILURE_REFUSED);
    wait_for(&scene, scene.asks, OUTCOME_FAILED, FAILURE_REFUSED);
    wait_for(&scene, scene.who, OUTCOME_FAILED, FAILURE_UNAVAILABLE);
    say(&scene, 2, "REPLICAOF", "NO", "ONE");
    scene.named = 2;
    wait_for(&scene, scene.writes, OUTCOME_OK, FAILURE_NONE);
    wait_for(&scene, scene.asks, OUTCOME_OK, FAILURE_NONE);
    wait_for(&scene, scene.who, OUTCOME_OK, FAILURE_NONE);

    assert_int_equal(answered_by(&scene, scene.writes), 2);
    prober_pause(scene.probing.prober);
    struct Reading *reading = read_back(&scene, NULL);
    assert_int_equal(reading->complete, KNOWN_YES);
    /* What the dead one acknowledged may be gone, and on a busy machine much of it: its replica is
     * told later. What the new one acknowledged is there. */
    assert_int_equal(lost(&scene, reading, &acknowledged), lost_by(&scene, reading, 1));
    const struct Role *role = environment_role(scene.probing.environment, "redis");
    assert_int_equal(read_back(&scene, role->hosts[0])->complete, KNOWN_NO); /* it is dead */
    close_scene(&scene);
}

static void test_a_frozen_primary_connects_and_is_silent(void **state)
{
    (void)state;
    static struct Scene scene;
    open_scene(&scene);
    start(&scene, 2 * NS_PER_S);
    wait_for(&scene, scene.asks, OUTCOME_OK, FAILURE_NONE);

    redis_process_signal(&scene.redis[0], SIGSTOP);
    wait_for(&scene, scene.asks, OUTCOME_TIMEOUT, FAILURE_TIMEOUT);
    wait_for(&scene, scene.writes, OUTCOME_TIMEOUT, FAILURE_TIMEOUT);
    wait_for(&scene, scene.who, OUTCOME_FAILED, FAILURE_UNAVAILABLE);
    const struct Census *last = NULL;
    for (size_t n = 0; n < scene.probing.census_count; n++)
        if (scene.probing.census[n].host == 0)
            last = &scene.probing.census[n];
    assert_int_equal(last->rank, RANK_UNKNOWN); /* never "no primary" */

    redis_process_signal(&scene.redis[0], SIGCONT);
    wait_for(&scene, scene.asks, OUTCOME_OK, FAILURE_NONE);
    wait_for(&scene, scene.writes, OUTCOME_OK, FAILURE_NONE);
    wait_for(&scene, scene.who, OUTCOME_OK, FAILURE_NONE);
    close_scene(&scene);
}

static void test_a_demoted_primary_is_read_only_until_the_next_is_named(void **state)
{
    (void)state;
    static struct Scene scene;
    char port[8];
    open_scene(&scene);
    start(&scene, LONG_NS);
    wait_for(&scene, scene.writes, OUTCOME_OK, FAILURE_NONE);
    wait_for(&scene, scene.who, OUTCOME_OK, FAILURE_NONE); /* or its failure is no first one */

    say(&scene, 2, "REPLICAOF", "NO", "ONE");
    wait_for(&scene, scene.who, OUTCOME_FAILED, FAILURE_WRONG_RANK);
    assert_string_equal(scene.probing.detail[scene.who], "primary: one and two");
    snprintf(port, sizeof(port), "%u", (unsigned)scene.redis[0].port);
    say(&scene, 1, "REPLICAOF", "127.0.0.2", port);
    wait_for(&scene, scene.writes, OUTCOME_FAILED, FAILURE_READ_ONLY);
    wait_for(&scene, scene.asks, OUTCOME_FAILED, FAILURE_READ_ONLY);
    scene.named = 2;
    wait_for(&scene, scene.writes, OUTCOME_OK, FAILURE_NONE);
    wait_for(&scene, scene.asks, OUTCOME_OK, FAILURE_NONE);
    assert_int_equal(answered_by(&scene, scene.asks), 2);
    close_scene(&scene);
}

static bool place_here(void *data, uint32_t probe, const char *host, uint16_t port,
                       struct Endpoint *out)
{
    (void)data;
    (void)probe;
    out->host = host; /* as if there were a forward */
    out->port = port;
    return true;
}

/* A client beside the old primary writes to it, wherever the primary went. */
static void test_a_ledger_from_a_host_of_its_role_writes_to_that_host(void **state)
{
    (void)state;
    static struct Scene scene;
    size_t acknowledged = 0;
    open_scene(&scene);
    const struct Role *role = environment_role(scene.probing.environment, "redis");
    scene.probing.place = place_here;
    struct Err err;
    scene.writes = probing_add(&scene.probing, "{ledger: redis}", 20 * NS_PER_MS, LONG_NS);
    scene.probing.bound[0].from = role->hosts[0];
    say(&scene, 2, "REPLICAOF", "NO", "ONE");
    scene.named = 2;
    assert_true(probing_start(&scene.probing, &err));
    await_good(&scene, scene.writes, 50);

    assert_int_equal(answered_by(&scene, scene.writes), 1);
    prober_pause(scene.probing.prober);
    struct Reading *reading = read_back(&scene, NULL); /* of two, which never had them */
    assert_int_equal(reading->complete, KNOWN_YES);
    size_t missing = lost(&scene, reading, &acknowledged);
    assert_true(acknowledged >= 50);
    assert_int_equal(missing, acknowledged);
    reading = read_back(&scene, role->hosts[0]);
    assert_int_equal(lost(&scene, reading, &acknowledged), 0);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_acknowledged_is_read_back_once),
        cmocka_unit_test(test_a_dead_primary_is_refused_and_the_next_is_found),
        cmocka_unit_test(test_a_frozen_primary_connects_and_is_silent),
        cmocka_unit_test(test_a_demoted_primary_is_read_only_until_the_next_is_named),
        cmocka_unit_test(test_a_ledger_from_a_host_of_its_role_writes_to_that_host),
    };
    if (redis_process_missing()) {
        print_message("skip probes_redis: there is no redis-server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
