/* transports_ssh_test.c - where ssh goes, whose host key counts, which key is which; no network. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runner/transports/process.h"
#include "../../runner/transports/ssh_keys.h"
#include "../../runner/transports/ssh_known.h"

struct Folder {
    char path[64];
    struct Arena *arena;
};

static int folder_open(void **state)
{
    struct Folder *folder = calloc(1, sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/fd-ssh-XXXXXX");
    if (folder == NULL || mkdtemp(folder->path) == NULL)
        return -1;
    folder->arena = arena_new("test", 8 << 20);
    *state = folder;
    return 0;
}

static bool run(const struct Folder *folder, struct Buf *out, const char *line)
{
    struct Buf ignored = BUF(65536);
    struct Err err;
    const char *const argv[] = {"sh", "-c", "cd \"$1\" && eval \"$2\"", "sh", folder->path,
                                line, NULL};
    bool good = process_output(argv, out != NULL ? out : &ignored,
                               mono_add(mono_now(), 30 * NS_PER_S), &err);
    buf_free(&ignored);
    return good;
}

static int folder_close(void **state)
{
    struct Folder *folder = *state;
    bool good = run(folder, NULL, "rm -f ./* && rmdir \"$PWD\"");
    arena_free(folder->arena);
    free(folder);
    return good ? 0 : -1;
}

static const char *in(const struct Folder *folder, const char *name)
{
    return arena_printf(folder->arena, "%s/%s", folder->path, name);
}

static void write_file(const struct Folder *folder, const char *name, const char *text)
{
    FILE *file = fopen(in(folder, name), "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool make_key(const struct Folder *folder, const char *name, const char *options)
{
    return run(
        folder, NULL,
        arena_printf(folder->arena, "ssh-keygen -q %s -C '' -f %s </dev/null", options, name));
}

/* Keys that the file names for host and port; ^ those that are revoked. */
static const char *known(struct Folder *folder, const char *host, const char *port)
{
    const char *path = in(folder, "known");
    struct List files = {.items = &path, .count = 1}, keys = {.count = 0};
    struct Err err;
    char print[64];
    assert_true(ssh_known_read(&files, host, port, folder->arena, &keys, &err));
    const struct KnownKey *key = keys.items;
    const char *text = "";
    for (size_t i = 0; i < keys.count; i++) {
        ssh_fingerprint(key[i].blob, key[i].size, print);
        text = arena_printf(folder->arena, "%s%s%.6s", text, key[i].revoked ? "^" : " ", print + 7);
    }
    return text;
}

static void test_known_hosts_are_read_as_ssh_reads_them(void **state)
{
    struct Folder *folder = *state;
    struct Buf key = BUF(1000), print = BUF(200);
    assert_true(make_key(folder, "host", "-t ed25519 -N ''"));
    assert_true(run(folder, &key, "cut -d' ' -f1,2 host.pub | tr -d '\\n'"));
    assert_true(run(folder, &print, "ssh-keygen -lf host.pub | cut -d' ' -f2"));
    const char *one = arena_printf(folder->arena, " %.6s", print.text + 7);
    const char *gone = arena_printf(folder->arena, "^%.6s", print.text + 7);
    const struct {
        const char *line, *host, *port;
        bool hit;
    } rows[] = {
        {"db-1", "db-1", "22", true},          {"db-1", "DB-1", "22", true},
        {"db-1", "db-2", "22", false},         {"db-1", "db-1", "2222", false},
        {"[db-1]:2222", "db-1", "2222", true}, {"[db-1]:2222", "db-1", "22", false},
        {"a,db-1,b", "db-1", "22", true},      {"db-*", "db-1", "22", true},
        {"db-?,!db-1", "db-1", "22", false},   {"*.example", "db-1", "22", false},
        {"# db-1", "db-1", "22", false},       {"@cert-authority *", "db-1", "22", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_file(folder, "known",
                   arena_printf(folder->arena, "garbage\n\n%s %s c\n", rows[i].line, key.text));
        assert_string_equal(known(folder, rows[i].host, rows[i].port), rows[i].hit ? one : "");
    }
    write_file(folder, "known", arena_printf(folder->arena, "@revoked * %s\n", key.text));
    assert_string_equal(known(folder, "db-1", "22"), gone);
    write_file(
        folder, "known",
        arena_printf(folder->arena, "db-1,10.0.0.7 %s\n[db-1]:2222 %s\n", key.text, key.text));
    assert_true(run(folder, NULL, "ssh-keygen -q -H -f known 2>/dev/null"));
    assert_string_equal(known(folder, "db-1", "22"), one);
    assert_string_equal(known(folder, "10.0.0.7", "22"), one);
    assert_string_equal(known(folder, "db-1", "2222"), one);
    assert_string_equal(known(folder, "db-2", "22"), "");
    buf_free(&key);
    buf_free(&print);
}

static void test_no_file_names_nobody_and_an_unreadable_one_is_an_error(void **state)
{
    struct Folder *folder = *state;
    const char *paths[] = {in(folder, "missing"), folder->path};
    struct List keys = {.count = 0};
    struct Err err;
    assert_true(ssh_known_read(&(struct List){.items = paths, .count = 1}, "h", "22", folder->arena,
                               &keys, &err));
    assert_int_equal(keys.count, 0);
    assert_false(ssh_known_read(&(struct List){.items = paths, .count = 2}, "h", "22",
                                folder->arena, &keys, &err));
    assert_int_equal(err.code, ERR_IDENTITY);
}

static void test_key_files_tell_their_type(void **state)
{
    struct Folder *folder = *state;
    const char *why;
    assert_true(make_key(folder, "ed", "-t ed25519 -N ''") &&
                make_key(folder, "ec", "-t ecdsa -N ''") &&
                make_key(folder, "rsa", "-t rsa -b 2048 -N ''") &&
                make_key(folder, "pem", "-t rsa -b 2048 -m PEM -N ''") &&
                make_key(folder, "locked", "-t ed25519 -N secret"));
    assert_string_equal(ssh_key_type(in(folder, "ed"), folder->arena, &why), "ssh-ed25519");
    assert_string_equal(ssh_key_type(in(folder, "ec"), folder->arena, &why), "ecdsa-sha2-nistp256");
    assert_string_equal(ssh_key_type(in(folder, "rsa"), folder->arena, &why), "ssh-rsa");
    assert_string_equal(ssh_key_type(in(folder, "pem"), folder->arena, &why), "ssh-rsa");
    assert_string_equal(ssh_key_type(in(folder, "locked"), folder->arena, &why), "ssh-ed25519");
    assert_null(ssh_key_type(in(folder, "ed.pub"), folder->arena, &why));
    assert_int_equal(chmod(in(folder, "ed"), 0644), 0);
    assert_null(ssh_key_type(in(folder, "ed"), folder->arena, &why));
    assert_string_equal(why, "others may read it: chmod 600");
    assert_null(ssh_key_type(in(folder, "none"), folder->arena, &why));
    assert_string_equal(why, "No such file or directory");
}

static void test_ssh_config_says_where_it_goes(void **state)
{
    struct Folder *folder = *state;
    struct SshConfig config = {.config = in(folder, "config")};
    struct Target target = {.name = "db-1", .address = "10.0.0.7", .where = {.file = NULL}};
    struct SshWay way;
    struct Err err;
    write_file(folder, "config",
               "Host db-1\n  HostName 10.9.9.9\n  User ana\n  Port 2200\n"
               "  IdentityFile /keys/%r@%h\n  UserKnownHostsFile /k/a /k/b\n"
               "  GlobalKnownHostsFile /dev/null\n  ProxyJump hop@bastion:22\n"
               "Host db-2\n  ProxyCommand nc %h %p\n  IdentityAgent none\n");
    assert_true(ssh_way_read(&config, &target, mono_add(mono_now(), 30 * NS_PER_S), folder->arena,
                             &way, &err));
    assert_string_equal(way.host, "10.9.9.9");
    assert_string_equal(way.user, "ana");
    assert_string_equal(way.port, "2200");
    assert_string_equal(way.jump, "hop@bastion:22");
    assert_string_equal(*(const char **)way.identities.items, "/keys/ana@10.9.9.9");
    assert_int_equal(way.known.count, 3);
    config.user = "raj";
    config.port = 2222;
    target.name = "db-2";
    assert_true(ssh_way_read(&config, &target, mono_add(mono_now(), 30 * NS_PER_S), folder->arena,
                             &way, &err));
    assert_string_equal(way.host,
                        "10.0.0.7"); /* ssh_config has nothing to say: `address:` counts */
    assert_string_equal(way.user, "raj");
    assert_string_equal(way.port, "2222");
    assert_string_equal(way.command, "nc 10.0.0.7 2222");
    assert_null(way.agent);
    config.config = in(folder, "missing");
    assert_false(ssh_way_read(&config, &target, mono_add(mono_now(), 30 * NS_PER_S), folder->arena,
                              &way, &err));
    assert_non_null(
        strstr(err.message, "'ssh' ended with status 255: Can't open user config file"));
}

static void test_an_agent_signs_and_its_hanging_costs_the_deadline(void **state)
{
    struct Folder *folder = *state;
    struct List keys = {.count = 0};
    struct Buf pid = BUF(100);
    const struct Buf data = {.text = (char *)"data", .size = 4, .max = 4};
    struct Signature signature;
    assert_null(agent_open(in(folder, "none"), mono_add(mono_now(), NS_PER_S)));
    assert_true(make_key(folder, "ed", "-t ed25519 -N ''"));
    assert_true(run(folder, &pid,
                    "ssh-agent -a \"$PWD/agent\" >out; SSH_AUTH_SOCK=$PWD/agent ssh-add -q ed "
                    "2>/dev/null; sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\);.*/\\1/p' out"));
    struct Agent *agent = agent_open(in(folder, "agent"), mono_add(mono_now(), 20 * NS_PER_S));
    assert_non_null(agent);
    assert_true(agent_keys(agent, mono_add(mono_now(), 20 * NS_PER_S), folder->arena, &keys));
    assert_int_equal(keys.count, 1);
    const struct AgentKey *key = keys.items;
    assert_string_equal(key->type, "ssh-ed25519");
    assert_true(agent_sign(agent, key, &data, mono_add(mono_now(), 20 * NS_PER_S), &signature));
    assert_int_equal(signature.size, 64);
    mem_free(signature.bytes);
    assert_true(run(folder, NULL, arena_printf(folder->arena, "kill -STOP %s", pid.text)));
    struct Mono begin = mono_now();
    assert_false(agent_keys(agent, mono_add(begin, 100 * NS_PER_MS), folder->arena, &keys));
    assert_true(mono_since(begin, mono_now()) < 4 * NS_PER_S);
    agent_close(agent);
    assert_true(run(folder, NULL, arena_printf(folder->arena, "kill -KILL %s", pid.text)));
    buf_free(&pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_known_hosts_are_read_as_ssh_reads_them, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_no_file_names_nobody_and_an_unreadable_one_is_an_error,
                                        folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_key_files_tell_their_type, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_ssh_config_says_where_it_goes, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_an_agent_signs_and_its_hanging_costs_the_deadline,
                                        folder_open, folder_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
