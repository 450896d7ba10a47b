/* ssh_test.c - drills through a real sshd: who is let in, what stays open, what is cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fakes/drill.h"

#define HERE "10.213.9.1"
#define ELSEWHERE "10.213.9.9" /* another address of ours: anybody else, to the host */
#define THERE "10.213.9.2"

static struct SshConfig config;
static char folder[] = "/tmp/fd-sshd-XXXXXX";
static char ssh_config_path[128];

/* A shell line in our folder; $host is the word. */
static bool here(const char *line, const char *word)
{
    struct Buf out = BUF(65536);
    struct Err err = {.message = ""};
    const char *const argv[] = {
        "sh", "-c", "cd \"$1\" && host=$3 && eval \"$2\"", "sh", folder, line, word, NULL};
    bool good = process_output(argv, &out, drill_in(30), &err);
    if (!good)
        print_message("%s: %s\n", line, err.message);
    buf_free(&out);
    return good;
}

static int make_keys(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("skip: an own sshd on an own address wants root\n");
        exit(77);
    }
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(ssh_config_path, sizeof ssh_config_path, "%s/config", folder);
    config.config = ssh_config_path;
    bool good =
        here("for k in id host; do ssh-keygen -q -t ed25519 -N '' -f $k; done; ssh-keygen -q -t "
             "ecdsa -N '' "
             "-f hostec; ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; cat id.pub rsa.pub >keys; "
             "for k in ca signed; do ssh-keygen -q -t ed25519 -N '' -f $k; done; "
             "ssh-keygen -q -s ca -I drill -n root signed.pub; "
             "ssh-keygen -q -s ca -I host -h -n " THERE " host.pub; "
             "printf '%s\\n' \"HostKey $PWD/host\" \"HostKey $PWD/hostec\" "
             "\"HostCertificate $PWD/host-cert.pub\" \"TrustedUserCAKeys $PWD/ca.pub\" "
             "\"AuthorizedKeysFile "
             "$PWD/keys\" "
             "'StrictModes no' 'UsePAM no' 'PidFile none' 'PermitRootLogin yes' 'ListenAddress "
             "0.0.0.0' >sshd",
             "") &&
        here("printf '" THERE " %s\\n' \"$(cut -d' ' -f1,2 host.pub)\" >known; c='HostName " THERE
             "\\n User root\\n IdentityAgent none\\n GlobalKnownHostsFile /dev/null\\n "
             "UserKnownHostsFile '$PWD/known; "
             "printf \"Host good\\n $c\\n IdentityFile $PWD/id\\nHost rsa\\n $c\\n IdentityFile "
             "$PWD/rsa\\n"
             "Host certified\\n $c-ca\\n IdentityFile $PWD/signed\\n"
             "Host jumped\\n $c\\n IdentityFile $PWD/id\\n ProxyJump good\\n"
             "Host unknown\\n $c\\n IdentityFile $PWD/id\\n UserKnownHostsFile /dev/null\\n\" "
             ">config; "
             "printf '@cert-authority " THERE " %s\\n' \"$(cat ca.pub)\" >known-ca; "
             "sed -i '/Host unknown/,$ s,^ UserKnownHostsFile /tmp.*,,' config",
             "");
    return good ? 0 : -1;
}

static int drop_keys(void **state)
{
    (void)state;
    return here("rm -f ./* && rmdir \"$PWD\"", "") ? 0 : -1;
}

static struct Target target_of(const char *name, const char *pin)
{
    return (struct Target){.name = name,
                           .host_key = pin,
                           .reach = &ssh_transport,
                           .reach_config = &config,
                           .where = {.file = NULL}};
}

/* The drill's host, with an address and an sshd; from now on it is reached by ssh. */
enum { LEASE_S = 20 }; /* nobody is meant to run out of it */

static void open_by_ssh(struct Drill *drill, enum DrillKind kind, int lease_s)
{
    char line[512];
    drill_open(drill, kind, lease_s * NS_PER_S, 60 * NS_PER_S);
    assert_true(here(
        "ip link del fdt9 2>/dev/null; ip link add fdt9 type veth peer name eth1 netns $host && "
        "ip addr add " HERE "/24 dev fdt9 && ip addr add " ELSEWHERE "/24 dev fdt9 && "
        "ip link set fdt9 up",
        drill->space.pid));
    snprintf(line, sizeof line,
             "ip addr add " THERE "/24 dev eth1 && ip link set eth1 up && mkdir -p /run/sshd && "
             "/usr/sbin/sshd -f %s/sshd -p 22 && "
             "until pgrep -f '^sshd: .*listener' >/dev/null; do sleep 0.02; done",
             folder);
    assert_int_equal(space_sh(&drill->space, line, NULL), 0);
    drill_look(drill);
    node_close(drill->node);
    drill->target = target_of("good", NULL);
    drill->node = node_open(&drill->target, drill_in(30), &drill->err);
    if (drill->node == NULL)
        fail_msg("%s", drill->err.message);
}

/* Anybody else's connection from that address: 0, or the error; ETIMEDOUT after half a second. */
static int connect_from(const char *from)
{
    struct sockaddr_in mine = {.sin_family = AF_INET};
    struct sockaddr_in theirs = {.sin_family = AF_INET, .sin_port = htons(22)};
    inet_pton(AF_INET, from, &mine.sin_addr);
    inet_pton(AF_INET, THERE, &theirs.sin_addr);
    int why = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof why;
    assert_int_equal(bind(fd, (struct sockaddr *)&mine, sizeof mine), 0);
    (void)connect(fd, (struct sockaddr *)&theirs, sizeof theirs);
    if (!fd_wait(fd, POLLOUT, mono_add(mono_now(), 500 * NS_PER_MS)))
        why = ETIMEDOUT;
    else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
    close(fd);
    return why;
}

static void opens_to(const char *from)
{
    struct Mono until = drill_in(30);
    while (connect_from(from) != 0)
        assert_true(mono_before(mono_now(), until));
}

static void test_an_isolated_host_hears_our_ssh_and_nobody_else(void **state)
{
    (void)state;
    struct Drill drill;
    struct GuardState watched;
    open_by_ssh(&drill, DRILL_ISOLATE, LEASE_S);
    opens_to(ELSEWHERE);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    assert_int_equal(connect_from(ELSEWHERE), ETIMEDOUT);
    assert_true(
        node_reachable(&drill.target, drill_in(30), &drill.err)); /* a new connection of ours */
    do { /* a look that a busy machine made late is unknown */
        assert_true(guard_watch(drill.node, drill.guarded, (struct Watch){true, true}, drill_in(30),
                                &watched, &drill.err));
    } while (watched.in_place == KNOWN_UNKNOWN && watched.alive);
    assert_int_equal(watched.in_place, KNOWN_YES);
    assert_true(mono_since(drill.t0.low, drill.t0.high) < 10 * NS_PER_S);
    print_message("T0 is %.0f ms wide\n", (double)mono_since(drill.t0.low, drill.t0.high) / 1e6);
    drill_undo(&drill);
    opens_to(ELSEWHERE);
    node_unready(drill.firing);
    node_close(drill.node);
    drill.firing = NULL;
    drill.node = NULL;
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static void test_an_established_connection_is_cut_too(void **state)
{
    (void)state;
    struct Drill drill;
    open_by_ssh(&drill, DRILL_ISOLATE, LEASE_S);
    struct sockaddr_in mine = {.sin_family = AF_INET};
    struct sockaddr_in theirs = {.sin_family = AF_INET, .sin_port = htons(22)};
    inet_pton(AF_INET, ELSEWHERE, &mine.sin_addr);
    inet_pton(AF_INET, THERE, &theirs.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&mine, sizeof mine), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&theirs, sizeof theirs), 0);
    char banner[256];
    assert_true(recv(fd, banner, sizeof banner, 0) > 0);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    assert_int_equal(send(fd, "SSH-2.0-nobody\r\n", 16, MSG_NOSIGNAL), 16);
    assert_false(
        fd_wait(fd, POLLIN, mono_add(mono_now(), 500 * NS_PER_MS))); /* else its key exchange */
    drill_undo(&drill);
    assert_true(fd_wait(fd, POLLIN, drill_in(30))); /* TCP sends it again */
    close(fd);
    drill_close(&drill);
}

static void test_runner_gone_the_kernel_opens_the_host_again(void **state)
{
    (void)state;
    struct Drill drill;
    open_by_ssh(&drill, DRILL_ISOLATE, 4);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    assert_int_equal(
        space_sh(&drill.space, "set -- $(cat /run/faildrill/*_1/armed); kill -9 $1", NULL), 0);
    node_unready(drill.firing);
    node_close(drill.node);
    drill.firing = NULL;
    drill.node = NULL;
    opens_to(ELSEWHERE);
    drill.node = node_open(&drill.target, drill_in(30), &drill.err);
    assert_non_null(drill.node);
    drill_undo(&drill);
    drill_close(&drill);
}

static void test_a_killed_service_comes_back_by_ssh_as_well(void **state)
{
    (void)state;
    struct Drill drill;
    open_by_ssh(&drill, DRILL_KILL_KEPT, LEASE_S);
    drill_lock(&drill);
    drill_arm(&drill);
    drill_fire(&drill);
    drill_undo(&drill);
    node_unready(drill.firing);
    node_close(drill.node);
    drill.firing = NULL;
    drill.node = NULL;
    drill_is_clean(&drill, 30);
    drill_close(&drill);
}

static const char *why_not(const struct Target *target)
{
    static struct Err err;
    struct HostNode *node = node_open(target, drill_in(30), &err);
    if (node == NULL)
        return err.message;
    node_close(node);
    return "open";
}

static void test_only_the_right_host_and_key_are_let_in(void **state)
{
    (void)state;
    struct Drill drill;
    struct Buf pins = BUF(300);
    struct Err err;
    open_by_ssh(&drill, DRILL_RUN, LEASE_S);
    char path[160];
    snprintf(path, sizeof path, "cat %s/host.pub %s/hostec.pub | ssh-keygen -lf - | cut -d' ' -f2",
             folder, folder);
    assert_true(
        process_output((const char *const[]){"sh", "-c", path, NULL}, &pins, drill_in(30), &err));
    char *ecdsa = strchr(pins.text, '\n');
    *ecdsa++ = '\0';
    ecdsa[strcspn(ecdsa, "\n")] = '\0';
    struct Target target = target_of("good", NULL);
    assert_string_equal(why_not(&target), "open");
    target = target_of("jumped", NULL);
    assert_string_equal(why_not(&target), "open");
    target = target_of("good", pins.text);
    assert_string_equal(why_not(&target), "open");
    target = target_of("good", ecdsa);
    assert_string_equal(why_not(&target), "open");
    target = target_of("good", "SHA256:AAAA");
    assert_non_null(
        strstr(why_not(&target), "'good' shows a host key that is not the pinned one: SHA256:"));
    target = target_of("unknown", NULL);
    assert_non_null(
        strstr(why_not(&target), "'unknown' shows a host key that nobody knows: SHA256:"));
    target = target_of("rsa", NULL);
    assert_non_null(
        strstr(why_not(&target), "cannot log in to 'rsa' (" THERE ":22) as root: the key "));
    assert_non_null(strstr(why_not(&target), "/rsa is RSA"));
    buf_free(&pins);
    drill_close(&drill);
}

static void test_openssh_lets_in_the_same_and_rsa_too(void **state)
{
    (void)state;
    struct Drill drill;
    open_by_ssh(&drill, DRILL_RUN, LEASE_S);
    static const char *const PINS[] = {"host", "hostec"};
    struct Target target = target_of("good", NULL);
    assert_string_equal(why_not(&target), "open");
    target = target_of("jumped", NULL);
    assert_string_equal(why_not(&target), "open");
    target = target_of("certified", NULL); /* user and host by certificates alone */
    assert_string_equal(why_not(&target), "open");
    target = target_of("rsa", NULL); /* its signatures are of the kind that sshd takes */
    assert_string_equal(why_not(&target), "open");
    for (size_t i = 0; i < COUNT_OF(PINS); i++) {
        struct Buf pin = BUF(300);
        char path[160];
        snprintf(path, sizeof path, "ssh-keygen -lf %s/%s.pub | cut -d' ' -f2 | tr -d '\\n'",
                 folder, PINS[i]);
        assert_true(process_output((const char *const[]){"sh", "-c", path, NULL}, &pin,
                                   drill_in(30), &drill.err));
        target = target_of("unknown", pin.text); /* the pin alone says who it is */
        assert_string_equal(why_not(&target), "open");
        buf_free(&pin);
    }
    target = target_of("good", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_string_equal(why_not(&target),
                        "ssh does not get to 'good': Host key verification failed.");
    target = target_of("unknown", NULL);
    assert_string_equal(why_not(&target),
                        "ssh does not get to 'unknown': Host key verification failed.");
    drill_close(&drill);
}

/* Killed like the runner: its connection ends, and with it folder and socket. */
static void test_nothing_is_left_of_a_connection_whose_owner_died(void **state)
{
    (void)state;
    struct Drill drill;
    open_by_ssh(&drill, DRILL_RUN, LEASE_S);
    node_close(drill.node);
    drill.node = NULL;
    assert_int_equal(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        drill.node = node_open(&drill.target, drill_in(30), &drill.err);
        if (drill.node != NULL)
            raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_true(here("for i in $(seq 200); do set -- faildrill-*; [ -e \"$1\" ] || exit 0; sleep "
                     "0.05; done; exit 1",
                     ""));
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    drill_close(&drill);
}

static void test_a_stopped_sshd_costs_the_deadline_and_no_more(void **state)
{
    (void)state;
    struct Drill drill;
    struct RunResult result;
    open_by_ssh(&drill, DRILL_RUN, LEASE_S);
    assert_int_equal(space_sh(&drill.space, "kill -STOP $(pgrep sshd)", NULL), 0);
    struct Mono begin = mono_now();
    assert_false(node_run(drill.node, &(struct RunText){.script = "true"},
                          mono_add(begin, 300 * NS_PER_MS), &result, &drill.err));
    assert_int_equal(drill.err.code, ERR_TIMEOUT);
    assert_false(node_reachable(&drill.target, mono_add(mono_now(), 300 * NS_PER_MS), &drill.err));
    node_close(drill.node);
    drill.node = NULL;
    assert_true(mono_since(begin, mono_now()) < 10 * NS_PER_S);
    assert_int_equal(space_sh(&drill.space, "kill -CONT $(pgrep sshd)", NULL), 0);
    drill_close(&drill);
}

static void test_probes_go_out_beside_the_host(void **state)
{
    (void)state;
    struct Drill drill;
    uint16_t port = 0;
    char banner[16] = "";
    open_by_ssh(&drill, DRILL_RUN, LEASE_S);
    struct Forward *forward =
        forward_open(&drill.target, "127.0.0.1", 22, drill_in(30), &port, &drill.err);
    assert_non_null(forward);
    for (int i = 0; i < 20; i++) {
        struct sockaddr_in near = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&near, sizeof near), 0);
        assert_true(fd_wait(fd, POLLIN, drill_in(30)));
        assert_true(recv(fd, banner, 8, MSG_WAITALL) == 8);
        assert_memory_equal(banner, "SSH-2.0-", 8);
        close(fd);
    }
    forward_close(forward);
    drill_close(&drill);
}

#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup(test, by_libssh2), cmocka_unit_test_setup(test, by_openssh)

static int by_libssh2(void **state)
{
    (void)state;
    config.via = VIA_LIBSSH2;
    return 0;
}

static int by_openssh(void **state)
{
    (void)state;
    config.via = VIA_OPENSSH;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_an_isolated_host_hears_our_ssh_and_nobody_else),
        cmocka_unit_test_setup(test_an_established_connection_is_cut_too, by_libssh2),
        cmocka_unit_test_setup(test_runner_gone_the_kernel_opens_the_host_again, by_libssh2),
        cmocka_unit_test_setup(test_a_killed_service_comes_back_by_ssh_as_well, by_libssh2),
        cmocka_unit_test_setup(test_only_the_right_host_and_key_are_let_in, by_libssh2),
        cmocka_unit_test_setup(test_openssh_lets_in_the_same_and_rsa_too, by_openssh),
        BOTH(test_a_stopped_sshd_costs_the_deadline_and_no_more),
        BOTH(test_probes_go_out_beside_the_host),
        cmocka_unit_test_setup(test_nothing_is_left_of_a_connection_whose_owner_died, by_openssh),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
