/* probes_dns_test.c - what a name server says, by UDP and by TCP, and what it does not say. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* unshare */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/dns_records.h"
#include "../fakes/probing.h"
#include "../fakes/server.h"

#define NO_SYSTEM "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n"
/* For whatever must be answered: a slow turn of a busy machine is no silence. */
#define LONG_NS (20 * NS_PER_S)

enum { HEAD = 12 };

/* A record of the name that was asked for, as it goes behind the question. */
struct Datum {
    int type;
    const char *data;
    size_t size;
};
struct Responder {
    int fd;
    int rcode; /* -1: says nothing */
    int asked; /* how often */
    struct Datum records[3];
};

/* The answer to a query, in `out`; its size. */
static size_t answer_to(const struct Responder *responder, const unsigned char *query, size_t size,
                        unsigned char *out)
{
    size_t at = size, count = 0;
    size_t question = HEAD;
    while (question < size && query[question] != 0)
        question += 1 + (size_t)query[question];
    at = question + 5;
    memcpy(out, query, at);
    out[2] = 0x85; /* an answer, of who knows */
    out[3] = (unsigned char)responder->rcode;
    memset(out + 8, 0, 4);
    for (; count < COUNT_OF(responder->records); count++) {
        const struct Datum *record = &responder->records[count];
        if (record->data == NULL)
            break;
        const unsigned char head[] = {0xc0,
                                      HEAD,
                                      0,
                                      (unsigned char)record->type,
                                      0,
                                      1,
                                      0,
                                      0,
                                      0,
                                      60,
                                      (unsigned char)(record->size >> 8),
                                      (unsigned char)record->size};
        memcpy(out + at, head, sizeof(head));
        memcpy(out + at + sizeof(head), record->data, record->size);
        at += sizeof(head) + record->size;
    }
    out[7] = (unsigned char)count;
    out[6] = 0;
    return at;
}

static void on_query(void *data, int events)
{
    (void)events;
    struct Responder *responder = data;
    unsigned char query[512], out[2048];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    ssize_t got =
        recvfrom(responder->fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
    responder->asked += got >= HEAD;
    if (got < HEAD || responder->rcode < 0)
        return;
    size_t size = answer_to(responder, query, (size_t)got, out);
    (void)sendto(responder->fd, out, size, 0, (struct sockaddr *)&from, from_size);
}

/* Of this port; 0: of any, and *port says which. */
static int udp_socket(uint16_t *port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    getsockname(fd, (struct sockaddr *)&at, &size);
    *port = ntohs(at.sin_port);
    return fd;
}

/* The first sample of one probe text against a responder at this port, and what was said of it. */
static struct Sample ask_at(uint16_t port, struct Responder *responder, const char *text,
                            int64_t timeout_ns, char detail[120])
{
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    probing.port = port;
    responder->fd = udp_socket(&probing.port);
    loop_watch(probing.loop, responder->fd, LOOP_READ, on_query, responder);
    probing_add(&probing, text, 20 * NS_PER_MS, timeout_ns);
    assert_true(probing_start(&probing, &err));
    probing_take(&probing, 0, 1);
    struct Sample sample = *probing_last(&probing, 0);
    snprintf(detail, 120, "%s", probing.detail[0]);
    prober_stop(probing.prober); /* with attempts under way */
    probing.prober = NULL;
    loop_watch(probing.loop, responder->fd, 0, NULL, NULL);
    close(responder->fd);
    probing_close(&probing);
    return sample;
}

static struct Sample ask(struct Responder *responder, const char *text, int64_t timeout_ns,
                         char detail[120])
{
    return ask_at(0, responder, text, timeout_ns, detail);
}

#define ASK(more) "{dns: shop.example.net, server: \"127.0.0.1:PORT\"" more "}"
#define DATA(type, text)                                                                           \
    {                                                                                              \
        type, text, sizeof(text) - 1                                                               \
    }
#define A_7 DATA(DNS_A, "\xc0\x00\x02\x07")
#define A_8 DATA(DNS_A, "\xc0\x00\x02\x08")

struct Row {
    const char *probe;
    struct Responder responder;
    enum Failure failure;
    const char *detail;
};

static void ask_rows(const struct Row *rows, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        struct Responder responder = rows[n].responder;
        char detail[120];
        struct Sample sample = ask(&responder, rows[n].probe, LONG_NS, detail);
        assert_string_equal(detail, rows[n].detail);
        assert_int_equal(sample.failure, rows[n].failure);
        assert_int_equal(sample.outcome,
                         rows[n].failure == FAILURE_NONE ? OUTCOME_OK : OUTCOME_FAILED);
    }
}

static void test_answers_are_judged(void **state)
{
    (void)state;
    static const struct Row rows[] = {
        {ASK(""), {.records = {A_7}}, FAILURE_NONE, ""},
        {ASK(", ok: {value: 192.0.2.8}"), {.records = {A_7, A_8}}, FAILURE_NONE, ""},
        {ASK(", ok: {value: 192.0.2.9}"),
         {.records = {A_7, A_8}},
         FAILURE_CONTENT,
         "no record is 192.0.2.9: 192.0.2.7, 192.0.2.8"},
        {ASK(""), {.rcode = 0}, FAILURE_UNRESOLVED, "the name has no such record"},
        {ASK(", type: AAAA"),
         {.records = {A_7}},
         FAILURE_UNRESOLVED,
         "the name has no such record"},
        {ASK(""), {.rcode = 3}, FAILURE_UNRESOLVED, "there is no such name"},
        {ASK(""), {.rcode = 2}, FAILURE_UNAVAILABLE, "the server says SERVFAIL"},
        {ASK(""), {.rcode = 5}, FAILURE_UNAVAILABLE, "the server says REFUSED"},
    };
    ask_rows(rows, COUNT_OF(rows));
}

static void test_each_type_is_written_as_zone_files_write_it(void **state)
{
    (void)state;
    static const struct Row rows[] = {
        {ASK(", type: AAAA, ok: {value: \"2001:DB8:0::1\"}"),
         {.records = {DATA(DNS_AAAA, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")}},
         FAILURE_NONE,
         ""},
        {ASK(", type: CNAME, ok: {value: Web.shop.example.net.}"),
         {.records = {DATA(DNS_CNAME, "\x03web\xc0\x0c")}},
         FAILURE_NONE,
         ""},
        {ASK(", type: MX, ok: {value: 10 mail.shop.example.net}"),
         {.records = {DATA(DNS_MX, "\0\x0a\x04mail\xc0\x0c")}},
         FAILURE_NONE,
         ""},
        {ASK(", type: SRV, ok: {value: 1 2 5432 db.shop.example.net}"),
         {.records = {DATA(DNS_SRV, "\0\x01\0\x02\x15\x38\x02"
                                    "db\xc0\x0c")}},
         FAILURE_NONE,
         ""},
        {ASK(", type: TXT, ok: {value: v=1 a}"),
         {.records = {DATA(DNS_TXT, "\x03v=1\x02 a")}},
         FAILURE_NONE,
         ""},
        {ASK(", type: SOA, ok: {value: ns.shop.example.net. x}"),
         {.records = {DATA(DNS_SOA, "\x02ns\xc0\x0c\xc0\x0c\0\0\x01\x02"
                                    "0123456789abcdef")}},
         FAILURE_CONTENT,
         "no record is ns.shop.example.net. x: ns.shop.example.net shop.example.net 258"},
        {ASK(""),
         {.records = {DATA(DNS_A, "\xc0\x00\x02")}},
         FAILURE_OTHER,
         "the answer is not understood"},
    };
    ask_rows(rows, COUNT_OF(rows));
}

static void test_silence_is_a_timeout(void **state)
{
    (void)state;
    struct Responder responder = {.rcode = -1};
    char detail[120];
    struct Sample sample = ask(&responder, ASK(""), 100 * NS_PER_MS, detail);
    assert_int_equal(sample.outcome, OUTCOME_TIMEOUT);
    assert_string_equal(detail, "no answer in time");
}

static void test_a_port_without_a_server_is_refused(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Err err;
    struct sockaddr_in itself = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    probing.port = 0;
    int fd = udp_socket(&probing.port); /* connected to itself it hears nobody else */
    itself.sin_port = htons(probing.port);
    assert_int_equal(connect(fd, (struct sockaddr *)&itself, sizeof(itself)), 0);
    probing_add(&probing, ASK(""), 20 * NS_PER_MS, LONG_NS);
    assert_true(probing_start(&probing, &err));

    probing_take(&probing, 0, 3);

    assert_int_equal(probing_last(&probing, 0)->outcome, OUTCOME_FAILED);
    assert_int_equal(probing_last(&probing, 0)->failure, FAILURE_REFUSED);
    probing_close(&probing);
    close(fd);
}

/* ---- the servers of resolv.conf ---- */

enum { CANNOT = 77 };

/* A network and a resolv.conf of our own, whose one server is 127.0.0.1. */
static bool have_a_resolv_conf(void)
{
    char path[] = "/tmp/faildrill-resolv-XXXXXX";
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int spaces = CLONE_NEWNET | CLONE_NEWNS | (geteuid() != 0 ? CLONE_NEWUSER : 0);
    if (unshare(spaces) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), file = mkstemp(path);
    bool good = ioctl(fd, SIOCSIFFLAGS, &lo) == 0 && dprintf(file, "nameserver 127.0.0.1\n") > 0 &&
                mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
    unlink(path);
    close(file);
    close(fd);
    return good;
}

static void ask_resolv_conf(void)
{
    static const char text[] = "{dns: shop.example.net}";
    struct Responder knows = {.records = {A_7}}, fails = {.rcode = 2};
    char detail[120];
    if (!have_a_resolv_conf())
        _exit(CANNOT);
    assert_int_equal(ask_at(53, &knows, text, LONG_NS, detail).outcome, OUTCOME_OK);

    struct Sample sample = ask_at(53, &fails, text, LONG_NS, detail);

    assert_true(fails.asked > 0);
    assert_int_equal(sample.outcome, OUTCOME_FAILED);
    assert_int_equal(sample.failure, FAILURE_UNAVAILABLE);
    assert_string_equal(detail, "no server of resolv.conf gave a good answer");
    _exit(0);
}

/* Their answer ends as a refused connection does, which it was not. */
static void test_servers_of_resolv_conf_that_fail_refuse_nothing(void **state)
{
    (void)state;
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        ask_resolv_conf();
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
        print_message("skip servers of resolv.conf: there are no namespaces here\n");
        skip();
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- from beside a host: TCP ---- */

struct Forward {
    struct Responder responder;
    unsigned char bytes[512];
    size_t size;
};

static void on_stream(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Forward *forward = data;
    static unsigned char out[2048];
    if (size == 0) {
        forward->size = 0;
        return;
    }
    memcpy(forward->bytes + forward->size, bytes, size);
    forward->size += size;
    if (forward->size < 2 || forward->size < 2 + (size_t)forward->bytes[1])
        return;
    size_t whole = answer_to(&forward->responder, forward->bytes + 2, forward->size - 2, out + 2);
    out[0] = (unsigned char)(whole >> 8);
    out[1] = (unsigned char)whole;
    forward->size = 0;
    link_send_bytes(link, (const char *)out, whole + 2);
}

static bool place(void *data, uint32_t probe, const char *host, uint16_t port, struct Endpoint *out)
{
    const struct Probing *probing = data;
    (void)probe;
    assert_string_equal(host, "192.0.2.53");
    assert_int_equal(port, 53);
    *out = (struct Endpoint){.host = "127.0.0.1", .port = probing->port};
    return true;
}

static void test_from_beside_a_host_it_asks_by_tcp(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Forward forward = {.responder = {.records = {A_7}}};
    const struct Target beside = {.name = "web-1"};
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    struct Server *server = server_new(probing.loop, on_stream, &forward);
    probing.port = server_port(server);
    probing.place = place;
    uint32_t index =
        probing_add(&probing, "{dns: shop.example.net, server: 192.0.2.53, ok: {value: 192.0.2.7}}",
                    500 * NS_PER_MS, LONG_NS);
    probing.bound[index].from = &beside;
    assert_true(probing_start(&probing, &err));

    probing_take(&probing, 0, 1);

    assert_string_equal(probing.detail[0], "");
    assert_int_equal(probing_last(&probing, 0)->outcome, OUTCOME_OK);
    prober_stop(probing.prober);
    probing.prober = NULL;
    server_free(server);
    probing_close(&probing);
}

/* ---- what is no message ---- */

static void test_a_message_that_is_cut_off_is_none(void **state)
{
    (void)state;
    struct Responder responder = {
        .records = {DATA(DNS_MX, "\0\x0a\x04mail\xc0\x0c"), DATA(DNS_MX, "\0\x14\x01z\xc0\x0c")}};
    static const unsigned char query[] = "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04shop\0\0\x0f\0\x01";
    unsigned char whole[512];
    size_t size = answer_to(&responder, query, sizeof(query) - 1, whole);
    struct Buf out = BUF(4096);

    assert_true(dns_records_read(DNS_MX, whole, size, &out));
    assert_string_equal(out.text, "10 mail.shop\n20 z.shop");
    for (size_t less = 0; less < size; less++) {
        unsigned char *part = malloc(less + 1); /* so that a sanitizer sees who reads too far */
        memcpy(part, whole, less);
        buf_clear(&out);
        assert_false(dns_records_read(DNS_MX, part, less, &out));
        free(part);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_judged),
        cmocka_unit_test(test_each_type_is_written_as_zone_files_write_it),
        cmocka_unit_test(test_silence_is_a_timeout),
        cmocka_unit_test(test_a_port_without_a_server_is_refused),
        cmocka_unit_test(test_servers_of_resolv_conf_that_fail_refuse_nothing),
        cmocka_unit_test(test_from_beside_a_host_it_asks_by_tcp),
        cmocka_unit_test(test_a_message_that_is_cut_off_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
