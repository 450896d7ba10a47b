/* probes_engine_test.c - attempts are sent on time and end once, whatever the service does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../../probes/engine.h"
#include "../../runner/base/arena.h"

/* A kind that does what its config says. */
struct Script {
    enum { ANSWER_NOW, ANSWER_LATER, FAIL_NOW, NEVER, REFUSE_OPEN, BLOCK_ONCE } act;
    int64_t after_ns;
    _Atomic int started, cancelled, closed, in_flight;
};
struct Fake {
    struct Script *script;
    struct Loop *loop;
    const struct ProbeInput *input;
};
struct FakeSlot {
    struct Fake *fake;
    struct Attempt *attempt;
    struct Timer *timer;
};

static void *fake_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct Script *script = *(struct Script *const *)input->config;
    if (script->act == REFUSE_OPEN) {
        err_set(err, ERR_VALUE, NOWHERE, "not this one");
        return NULL;
    }
    struct Fake *fake = mem_zero(1, sizeof(*fake));
    *fake = (struct Fake){.script = script, .loop = loop, .input = input};
    return fake;
}

static void answer(struct FakeSlot *slot)
{
    struct Script *script = slot->fake->script;
    struct Attempt *attempt = slot->attempt;
    slot->attempt = NULL;
    script->in_flight--;
    if (slot->timer != NULL)
        loop_timer_free(slot->timer);
    slot->timer = NULL;
    struct Reply reply = {.outcome = OUTCOME_OK, .by = "10.0.0.2", .detail = ""};
    if (script->act == FAIL_NOW)
        reply = (struct Reply){.outcome = OUTCOME_FAILED,
                               .failure = FAILURE_REFUSED,
                               .by = "",
                               .detail = "nobody there"};
    attempt_done(attempt, &reply);
}

static void on_timer(void *data, int events)
{
    (void)events;
    answer(data);
}

static void spin(int64_t ns)
{
    struct Mono end = mono_add(mono_now(), ns);
    while (mono_before(mono_now(), end)) {
    }
}

static void fake_start(void *probe, void *memory, struct Attempt *attempt)
{
    struct Fake *fake = probe;
    struct FakeSlot *slot = memory;
    struct Script *script = fake->script;
    assert_null(slot->attempt);
    slot->fake = fake;
    slot->attempt = attempt;
    script->in_flight++;
    int started = ++script->started;
    if (script->act == BLOCK_ONCE && started == 3)
        spin(script->after_ns);
    if (script->act == ANSWER_LATER) {
        slot->timer = loop_timer(fake->loop, on_timer, slot);
        loop_timer_at(slot->timer, mono_add(mono_now(), script->after_ns));
    } else if (script->act != NEVER) {
        answer(slot);
    }
}

static void fake_cancel(void *probe, void *memory)
{
    (void)probe;
    struct FakeSlot *slot = memory;
    slot->fake->script->cancelled++;
    slot->fake->script->in_flight--;
    slot->attempt = NULL;
    loop_timer_free(slot->timer);
    slot->timer = NULL;
}

static void fake_read_back(void *probe, const struct Target *host, struct Mono deadline,
                           struct ReadBack *to)
{
    (void)probe;
    (void)deadline;
    readback_found(to, 1, host == NULL ? 1 : 2);
    readback_done(to, KNOWN_YES);
}

static void fake_close(void *probe)
{
    struct Fake *fake = probe;
    assert_int_equal(fake->script->in_flight, 0);
    fake->script->closed++;
    mem_free(fake);
}

static const struct ProbeKind fake_kind = {.name = "fake",
                                           .slot_size = sizeof(struct FakeSlot),
                                           .open = fake_open,
                                           .start = fake_start,
                                           .cancel = fake_cancel,
                                           .read_back = fake_read_back,
                                           .close = fake_close};

struct Scene {
    struct Script scripts[2];
    struct Script *configs[2];
    struct ProbeSpec specs[2];
    struct BoundProbe bound[2];
    struct Target hosts[2];
    const struct Target *host_list[2];
    struct Environment environment;
    struct Plan plan;
    struct Prober *prober;
    sem_t woken;
    struct Sample samples[4096];
    size_t count, made; /* all; those that a busy machine did not skip */
    char detail[128];
    int details;
};

static void begin(struct Scene *scene, size_t probes, int64_t interval, int64_t timeout)
{
    memset(scene, 0, sizeof(*scene));
    sem_init(&scene->woken, 0, 0);
    for (size_t n = 0; n < 2; n++) {
        scene->configs[n] = &scene->scripts[n];
        scene->specs[n] = (struct ProbeSpec){.name = "probe",
                                             .kind = &fake_kind,
                                             .config = &scene->configs[n],
                                             .interval_ns = interval,
                                             .timeout_ns = timeout};
        scene->bound[n].spec = &scene->specs[n];
        scene->hosts[n].name = n == 0 ? "db-1" : "db-2";
        scene->hosts[n].address = n == 0 ? "10.0.0.1" : "10.0.0.2";
        scene->host_list[n] = &scene->hosts[n];
    }
    scene->environment.hosts = (struct List){.items = scene->host_list, .count = 2};
    scene->plan.environment = &scene->environment;
    scene->plan.probes = (struct List){.items = scene->bound, .count = probes};
}

static void wake(void *data)
{
    sem_post(&((struct Scene *)data)->woken);
}

static void start(struct Scene *scene)
{
    struct Err err;
    const struct ProberInput input = {.plan = &scene->plan, .wake = wake, .wake_data = scene};
    scene->prober = prober_start(&input, &err);
    assert_non_null(scene->prober);
}

static void take(struct Scene *scene)
{
    struct Flight flight;
    while (prober_take(scene->prober, &flight)) {
        if (flight.type == FLIGHT_DETAIL) {
            scene->details++;
            snprintf(scene->detail, sizeof(scene->detail), "%s", flight.detail.text);
        }
        if (flight.type != FLIGHT_SAMPLE)
            continue;
        assert_true(scene->count < COUNT_OF(scene->samples));
        scene->samples[scene->count++] = flight.sample;
        scene->made += flight.sample.outcome != OUTCOME_SKIPPED;
    }
}

/* Waits until so many attempts were made; each wake must have a reason. */
static void take_until(struct Scene *scene, size_t count)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 60;
    while (scene->made < count) {
        assert_int_equal(sem_timedwait(&scene->woken, &limit), 0);
        take(scene);
    }
}

static void end(struct Scene *scene)
{
    prober_stop(scene->prober);
    sem_destroy(&scene->woken);
}

static void test_attempts_are_sent_at_their_times_without_gaps(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 1, 2 * NS_PER_MS, 100 * NS_PER_MS);
    start(&scene);
    take_until(&scene, 50);
    prober_pause(scene.prober);
    take(&scene);

    for (size_t n = 0; n < scene.count; n++) {
        const struct Sample *sample = &scene.samples[n];
        assert_int_equal(sample->sequence, n);
        assert_int_equal(sample->intended.ns,
                         scene.samples[0].intended.ns + (int64_t)n * 2 * NS_PER_MS);
        assert_true(sample->started.ns >= sample->intended.ns);
        assert_true(sample->ended.ns >= sample->started.ns);
        if (sample->outcome == OUTCOME_OK)
            assert_int_equal(sample->by, 2); /* db-2, by its address */
    }
    assert_int_equal(prober_lost(scene.prober), 0);
    end(&scene);
    assert_int_equal(scene.scripts[0].closed, 1);
}

/* Open loop: that nothing comes back changes nothing about when the next is sent. */
static void test_silence_is_a_timeout_and_delays_nobody(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 1, 5 * NS_PER_MS, 30 * NS_PER_MS);
    scene.scripts[0].act = NEVER;
    start(&scene);
    take_until(&scene, 20);
    prober_pause(scene.prober);
    take(&scene);
    end(&scene);

    size_t asked = 0;
    for (size_t n = 0; n < scene.count; n++) {
        const struct Sample *sample = &scene.samples[n];
        if (sample->outcome == OUTCOME_SKIPPED) /* the machine was busy */
            continue;
        asked++;
        assert_int_equal(sample->outcome, OUTCOME_TIMEOUT);
        assert_int_equal(sample->failure, FAILURE_TIMEOUT);
        assert_true(mono_since(sample->started, sample->ended) >= 30 * NS_PER_MS);
    }
    assert_int_equal(scene.scripts[0].cancelled, asked);
    assert_int_equal(scene.details, 1);
    assert_string_equal(scene.detail, "no answer in time");
}

/* A kind that blocks the thread (none may) shows that what is sent late is not counted. */
static void test_attempts_that_come_too_late_are_skipped(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 1, 5 * NS_PER_MS, 100 * NS_PER_MS);
    scene.scripts[0].act = BLOCK_ONCE;
    scene.scripts[0].after_ns = 60 * NS_PER_MS;
    start(&scene);
    take_until(&scene, 30);
    prober_pause(scene.prober);
    take(&scene);
    end(&scene);

    int skipped = 0;
    for (size_t n = 0; n < scene.count; n++) {
        const struct Sample *sample = &scene.samples[n];
        assert_int_equal(sample->sequence, n); /* no gaps all the same */
        int64_t late = mono_since(sample->intended, sample->started);
        assert_int_equal(sample->outcome == OUTCOME_SKIPPED, late > 20 * NS_PER_MS);
        skipped += sample->outcome == OUTCOME_SKIPPED;
    }
    assert_true(skipped >= 6);
}

static void test_a_late_answer_is_slow(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 1, 10 * NS_PER_MS, 2 * NS_PER_S);
    scene.specs[0].under_ns = 5 * NS_PER_MS;
    scene.scripts[0].act = ANSWER_LATER;
    scene.scripts[0].after_ns = 8 * NS_PER_MS;
    start(&scene);
    take_until(&scene, 5);
    end(&scene);

    for (size_t n = 0; n < scene.count; n++)
        if (scene.samples[n].outcome != OUTCOME_SKIPPED) {
            assert_int_equal(scene.samples[n].outcome, OUTCOME_FAILED);
            assert_int_equal(scene.samples[n].failure, FAILURE_SLOW);
        }
}

static void test_the_first_failure_of_a_stretch_says_why(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 1, 2 * NS_PER_MS, 100 * NS_PER_MS);
    scene.scripts[0].act = FAIL_NOW;
    start(&scene);
    take_until(&scene, 10);
    prober_pause(scene.prober);
    take(&scene);
    end(&scene);

    for (size_t n = 0; n < scene.count; n++)
        if (scene.samples[n].outcome != OUTCOME_SKIPPED)
            assert_int_equal(scene.samples[n].outcome, OUTCOME_FAILED);
    assert_int_equal(scene.details, 1);
    assert_string_equal(scene.detail, "nobody there");
}

static void test_a_refusal_to_open_closes_the_others(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 2, 2 * NS_PER_MS, 100 * NS_PER_MS);
    scene.scripts[1].act = REFUSE_OPEN;
    struct Err err;
    const struct ProberInput input = {.plan = &scene.plan};

    assert_null(prober_start(&input, &err));

    assert_string_equal(err.message, "not this one");
    assert_int_equal(scene.scripts[0].closed, 1);
    assert_int_equal(scene.scripts[0].started, 0);
    sem_destroy(&scene.woken);
}

static void test_stopping_cancels_what_is_under_way(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 2, 2 * NS_PER_MS, 5 * NS_PER_S);
    scene.scripts[0].act = NEVER;
    start(&scene);
    while (scene.made < 10 || scene.scripts[0].started == 0) /* what was made is of the other */
        take_until(&scene, scene.made + 1);
    end(&scene);

    assert_true(scene.scripts[0].cancelled > 0);
    assert_int_equal(scene.scripts[0].cancelled, scene.scripts[0].started);
}

struct Reading {
    sem_t done;
    uint64_t found[4];
    int count;
    enum Known complete;
};

static void found(void *data, uint32_t writer, uint64_t number)
{
    struct Reading *reading = data;
    assert_int_equal(writer, 1);
    reading->found[reading->count++] = number;
}

static void read_done(void *data, enum Known complete)
{
    struct Reading *reading = data;
    reading->complete = complete;
    sem_post(&reading->done);
}

static void test_ledgers_are_read_back_one_after_the_other_when_paused(void **state)
{
    (void)state;
    static struct Scene scene;
    begin(&scene, 1, 2 * NS_PER_MS, 100 * NS_PER_MS);
    start(&scene);
    prober_pause(scene.prober);
    int started = scene.scripts[0].started;
    struct Reading reading = {.count = 0};
    sem_init(&reading.done, 0, 0);
    struct ReadBackInput input = {.found = found, .done = read_done, .data = &reading};

    prober_read_back(scene.prober, &input);
    input.host = &scene.hosts[0];
    prober_read_back(scene.prober, &input);
    prober_read_back(scene.prober, &input);
    for (int n = 0; n < 3; n++)
        sem_wait(&reading.done);

    assert_int_equal(reading.count, 3);
    assert_int_equal(reading.found[0], 1);
    assert_int_equal(reading.found[1], 2);
    assert_int_equal(reading.complete, KNOWN_YES);
    assert_int_equal(scene.scripts[0].started, started); /* nothing since the pause */
    end(&scene);
    sem_destroy(&reading.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempts_are_sent_at_their_times_without_gaps),
        cmocka_unit_test(test_silence_is_a_timeout_and_delays_nobody),
        cmocka_unit_test(test_attempts_that_come_too_late_are_skipped),
        cmocka_unit_test(test_a_late_answer_is_slow),
        cmocka_unit_test(test_the_first_failure_of_a_stretch_says_why),
        cmocka_unit_test(test_a_refusal_to_open_closes_the_others),
        cmocka_unit_test(test_stopping_cancels_what_is_under_way),
        cmocka_unit_test(test_ledgers_are_read_back_one_after_the_other_when_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
