/* probes_icmp_test.c - echo requests in a network of the test's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* unshare */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/clients/icmp.h"
#include "../fakes/probing.h"

#define NO_SYSTEM "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n"
/* For whatever must be answered: a slow turn of a busy machine is no silence. */
#define LONG_NS (20 * NS_PER_S)

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return good;
}

static bool loopback_up(void)
{
    struct ifreq interface = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = ioctl(fd, SIOCGIFFLAGS, &interface) == 0;
    interface.ifr_flags |= IFF_UP;
    good = good && ioctl(fd, SIOCSIFFLAGS, &interface) == 0;
    close(fd);
    return good;
}

/* Where this machine gives no namespaces there is nothing to be tried. */
static bool have_space;

static int start(void **state)
{
    (void)state;
    char map[40], groups[40];
    snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)geteuid());
    snprintf(groups, sizeof(groups), "0 %u 1\n", (unsigned)getegid());
    have_space = unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/setgroups", "deny") &&
                 write_file("/proc/self/uid_map", map) && write_file("/proc/self/gid_map", groups);
    if (!have_space)
        print_message("no namespaces here: nothing was tried\n");
    return 0;
}

/* A network that nobody else is in, where echo requests are allowed or, as at first, not. */
static void enter_network(bool allowed)
{
    if (!have_space)
        skip();
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    assert_true(loopback_up());
    if (allowed)
        assert_true(write_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
}

static struct Sample ask(const char *text, int64_t timeout_ns, char detail[120])
{
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    probing_add(&probing, text, 50 * NS_PER_MS, timeout_ns);
    assert_true(probing_start(&probing, &err));
    probing_take(&probing, 0, 1);
    struct Sample sample = *probing_last(&probing, 0);
    snprintf(detail, 120, "%s", probing.detail[0]);
    probing_close(&probing); /* with attempts under way */
    return sample;
}

static void test_where_it_is_not_allowed_the_setting_is_named(void **state)
{
    (void)state;
    static struct Probing probing;
    struct Err err;
    enter_network(false);
    probing_open(&probing);
    probing_environment(&probing, NO_SYSTEM);
    probing_add(&probing, "{icmp: 127.0.0.1}", 50 * NS_PER_MS, LONG_NS);

    assert_false(probing_start(&probing, &err));

    assert_string_equal(err.message, "the kernel lets this user send no echo requests: "
                                     "net.ipv4.ping_group_range");
    assert_int_equal(err.code, ERR_NOT_READY);
    assert_non_null(strstr(err.hint, "sysctl"));
    probing_close(&probing);
}

static void test_hosts_answer(void **state)
{
    (void)state;
    static const char *const probes[] = {"{icmp: 127.0.0.1}", "{icmp: \"::1\"}",
                                         "{icmp: localhost}"};
    enter_network(true);
    assert_null(icmp_missing());
    for (size_t n = 0; n < COUNT_OF(probes); n++) {
        char detail[120];
        struct Sample sample = ask(probes[n], LONG_NS, detail);
        assert_string_equal(detail, "");
        assert_int_equal(sample.outcome, OUTCOME_OK);
    }
}

static void test_a_host_without_a_route_is_refused(void **state)
{
    (void)state;
    char detail[120];
    enter_network(true);

    struct Sample sample = ask("{icmp: 192.0.2.1}", LONG_NS, detail);

    assert_int_equal(sample.outcome, OUTCOME_FAILED);
    assert_int_equal(sample.failure, FAILURE_REFUSED);
    assert_string_equal(detail, "Network is unreachable");
}

static void test_silence_is_a_timeout(void **state)
{
    (void)state;
    char detail[120];
    enter_network(true);
    assert_true(write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"));

    struct Sample sample = ask("{icmp: 127.0.0.1}", 200 * NS_PER_MS, detail);

    assert_int_equal(sample.outcome, OUTCOME_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_is_not_allowed_the_setting_is_named),
        cmocka_unit_test(test_hosts_answer),
        cmocka_unit_test(test_a_host_without_a_route_is_refused),
        cmocka_unit_test(test_silence_is_a_timeout),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
