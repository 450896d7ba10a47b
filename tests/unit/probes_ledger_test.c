/* probes_ledger_test.c - numbers are read back from the host that leads; a proxy comes last. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../fakes/probing.h"

/* A system of two hosts behind a proxy. Written before the prober runs, read once it is done. */
static struct Pair {
    const char *leader; /* NULL: nobody says who it is */
    int last;           /* of several that lead, who was promoted last: from 1; 0: nobody knows */
    size_t primaries;   /* 0: the system knows of one */
    const char *reads;  /* who can be read: an address; NULL: nobody */
    bool half;          /* who cannot be read has told a number before */
    char asked[200];    /* who was, "10.0.0.2! proxy!": with ! only if he takes writes */
    const char *note;
    int count;
    enum Known complete;
    sem_t done;
} pair;

static void *pair_open(const void *config, const struct Role *role, struct Loop *loop,
                       struct Err *err)
{
    (void)config;
    (void)role;
    (void)loop;
    (void)err;
    return &pair;
}

static void nothing(void *system)
{
    (void)system;
}

static void find_primary(void *system, struct Mono deadline,
                         void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    (void)system;
    (void)deadline;
    done(data, pair.leader, 5432);
}

static const struct Role *role_of_pair;

static void find_last(void *system, struct Mono deadline,
                      void (*done)(void *data, const struct Target *host, size_t primaries),
                      void *data)
{
    (void)system;
    (void)deadline;
    done(data, pair.last > 0 ? role_of_pair->hosts[pair.last - 1] : NULL, pair.primaries);
}

static void endpoint(const void *config, const struct Target *host, struct Endpoint *out)
{
    (void)config;
    *out = (struct Endpoint){.host = host->address, .port = 5432};
}

static void front(const void *config, struct Endpoint *out)
{
    (void)config;
    *out = (struct Endpoint){.host = "proxy", .port = 5000};
}

static void *ledger_open(const struct LedgerInput *input, struct Err *err)
{
    (void)input;
    (void)err;
    return &pair;
}

static bool connected(const void *ledger)
{
    (void)ledger;
    return true;
}

static void write_number(void *ledger, const struct LedgerWrite *write)
{
    const struct Reply reply = {.outcome = OUTCOME_OK, .by = "", .detail = ""};
    (void)ledger;
    write->done(write->data, &reply);
}

static void read_numbers(void *ledger, const struct Endpoint *from, uint32_t writers,
                         struct Mono deadline, const struct LedgerRead *to)
{
    size_t size = strlen(pair.asked);
    bool good = text_equal(from->host, pair.reads);
    (void)ledger;
    (void)writers;
    (void)deadline;
    snprintf(pair.asked + size, sizeof(pair.asked) - size, "%s%s%s", size > 0 ? " " : "",
             from->host, to->of_primary ? "!" : "");
    if (good || pair.half)
        to->found(to->data, 1, 7);
    to->done(to->data, good ? KNOWN_YES : KNOWN_NO);
}

static const struct LedgerKind numbers = {.open = ledger_open,
                                          .connected = connected,
                                          .write = write_number,
                                          .read = read_numbers,
                                          .cancel = nothing,
                                          .close = nothing};
static const struct SystemKind behind_a_proxy = {.name = "pair",
                                                 .open = pair_open,
                                                 .find_primary = find_primary,
                                                 .endpoint = endpoint,
                                                 .front = front,
                                                 .ledger = &numbers,
                                                 .cancel = nothing,
                                                 .close = nothing};
static const struct SystemKind nobody_demotes = {.name = "pair",
                                                 .open = pair_open,
                                                 .find_primary = find_primary,
                                                 .find_last = find_last,
                                                 .endpoint = endpoint,
                                                 .front = front,
                                                 .ledger = &numbers,
                                                 .cancel = nothing,
                                                 .close = nothing};

static void on_found(void *data, uint32_t writer, uint64_t number)
{
    (void)data;
    (void)writer;
    (void)number;
    pair.count++;
}

static void on_note(void *data, const char *text)
{
    (void)data;
    pair.note = text;
}

static void on_done(void *data, enum Known complete)
{
    (void)data;
    pair.complete = complete;
    sem_post(&pair.done);
}

/* Reads the ledger back: from who leads, or (index >= 0) from a host. */
static void read_back(const struct Pair *as, int host)
{
    static const char environment[] =
        "environment: test\n"
        "roles: {db: {hosts: {one: {address: 10.0.0.1}, two: {address: 10.0.0.2}}, process: /db,\n"
        "  patroni: {dsn: \"postgresql://drill@proxy:5000/shop\"}}}\n";
    struct Probing *probing = calloc(1, sizeof(*probing));
    struct Err err;
    pair = *as;
    sem_init(&pair.done, 0, 0);
    probing_open(probing);
    probing_environment(probing, environment);
    struct Role *role = probing->environment->roles.items;
    role->system = as->primaries > 0 ? &nobody_demotes : &behind_a_proxy;
    role_of_pair = role;
    struct ReadBackInput input = {
        .probe = probing_add(probing, "{ledger: db}", 3600 * NS_PER_S, NS_PER_S),
        .host = host < 0 ? NULL : role->hosts[host],
        .deadline = mono_add(mono_now(), 60 * NS_PER_S),
        .found = on_found,
        .done = on_done,
        .note = on_note};
    if (!probing_start(probing, &err))
        fail_msg("%s", err.message);
    prober_read_back(probing->prober, &input);
    while (sem_wait(&pair.done) != 0) {
    }
    probing_close(probing);
    free(probing);
    sem_destroy(&pair.done);
}

static void test_the_host_that_leads_is_read_itself(void **state)
{
    (void)state;
    read_back(&(struct Pair){.leader = "10.0.0.2", .reads = "10.0.0.2"}, -1);

    assert_string_equal(pair.asked, "10.0.0.2!");
    assert_int_equal(pair.complete, KNOWN_YES);
    assert_int_equal(pair.count, 1);
    assert_null(pair.note);
}

static void test_a_proxy_comes_last_and_is_named(void **state)
{
    (void)state;
    static const char note[] = "read back through its proxy: the host that leads could not be read "
                               "itself";
    read_back(&(struct Pair){.leader = "10.0.0.2", .reads = "proxy"}, -1);
    assert_string_equal(pair.asked, "10.0.0.2! proxy!");
    assert_int_equal(pair.complete, KNOWN_YES);
    assert_string_equal(pair.note, note);

    read_back(&(struct Pair){.reads = "proxy"}, -1); /* nobody says who leads */
    assert_string_equal(pair.asked, "proxy!");
    assert_string_equal(pair.note, note);

    read_back(&(struct Pair){.leader = "10.0.0.2"}, -1);
    assert_string_equal(pair.asked, "10.0.0.2! proxy!");
    assert_int_equal(pair.complete, KNOWN_NO);
    assert_null(pair.note);
}

static void test_no_number_is_read_twice(void **state)
{
    (void)state;
    read_back(&(struct Pair){.leader = "10.0.0.2", .reads = "proxy", .half = true}, -1);

    assert_string_equal(pair.asked, "10.0.0.2!");
    assert_int_equal(pair.complete, KNOWN_NO);
    assert_int_equal(pair.count, 1);
}

/* A client finds the first that takes writes; what is lost is what the new primary does not have.
 */
static void test_of_two_primaries_the_new_one_is_read_and_said(void **state)
{
    (void)state;
    read_back(&(struct Pair){.leader = "10.0.0.1", .last = 2, .primaries = 2, .reads = "10.0.0.2"},
              -1);
    assert_string_equal(pair.asked, "10.0.0.2!");
    assert_int_equal(pair.complete, KNOWN_YES);
    assert_string_equal(pair.note,
                        "split brain: several hosts say that they are primary: what is lost is "
                        "what the one that was promoted last does not have");

    read_back(&(struct Pair){.leader = "10.0.0.1", .last = 2, .primaries = 1, .reads = "10.0.0.2"},
              -1);
    assert_int_equal(pair.complete, KNOWN_YES);
    assert_null(pair.note);
}

static void test_where_nobody_knows_which_is_new_the_loss_is_unknown(void **state)
{
    (void)state;
    read_back(&(struct Pair){.leader = "10.0.0.1", .primaries = 2, .reads = "proxy"}, -1);

    assert_string_equal(pair.asked, "");
    assert_int_equal(pair.complete, KNOWN_NO);
    assert_string_equal(pair.note,
                        "split brain: several hosts say that they are primary, and the one that "
                        "was promoted last could not be read");
}

static void test_a_host_is_read_as_it_is(void **state)
{
    (void)state;
    read_back(&(struct Pair){.leader = "10.0.0.2", .reads = "proxy"}, 0);

    assert_string_equal(pair.asked, "10.0.0.1");
    assert_int_equal(pair.complete, KNOWN_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_host_that_leads_is_read_itself),
        cmocka_unit_test(test_a_proxy_comes_last_and_is_named),
        cmocka_unit_test(test_no_number_is_read_twice),
        cmocka_unit_test(test_of_two_primaries_the_new_one_is_read_and_said),
        cmocka_unit_test(test_where_nobody_knows_which_is_new_the_loss_is_unknown),
        cmocka_unit_test(test_a_host_is_read_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
