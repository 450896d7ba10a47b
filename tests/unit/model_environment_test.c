/* model_environment_test.c - an environment file becomes hosts, roles, secrets and a gate. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runner/base/text.h"
#include "../../runner/clients/inventory_json.h"
#include "../../runner/transports/kinds.h"
#include "../../runner/transports/process.h"

static void test_a_host_in_two_roles_is_one_host(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);

    const struct Role *api = environment_role(c.environment, "api");
    const struct Role *web = environment_role(c.environment, "web");

    assert_int_equal(c.environment->hosts.count, 5);
    assert_ptr_equal(api->hosts[0], web->hosts[0]);
    assert_ptr_equal(api->hosts[0], environment_host(c.environment, "api-1"));
    case_close(&c);
}

static void test_other_roles_of_a_host_are_named(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);
    struct Buf out = BUF(100);
    struct RadiusInput input = {.environment = c.environment};

    radius_carried(&input, environment_host(c.environment, "api-1"),
                   environment_role(c.environment, "api"), &out);

    assert_string_equal(out.text, "web (0 of 1 left)");
    buf_free(&out);
    case_close(&c);
}

static void test_ways_to_run_are_told_apart(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);

    const struct Service *api = &environment_role(c.environment, "api")->service;
    const struct Service *web = &environment_role(c.environment, "web")->service;
    const struct Service *redis = &environment_role(c.environment, "redis")->service;

    assert_string_equal(api->unit, "shop-api.service");
    assert_string_equal(web->exe, "/usr/bin/web");
    assert_string_equal(redis->pidfile, "/run/redis.pid");
    assert_string_equal(redis->stop, "redis stop");
    assert_null(redis->unit);
    case_close(&c);
}

static void test_a_role_has_its_system_with_a_config(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);

    assert_string_equal(environment_role(c.environment, "redis")->system->name, "redis_sentinel");
    assert_non_null(environment_role(c.environment, "redis")->system_config);
    assert_null(environment_role(c.environment, "api")->system);
    case_close(&c);
}

static void test_ssh_is_the_default_and_its_paths_belong_to_the_project(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);

    const struct Target *host = environment_host(c.environment, "api-1");
    const struct SshConfig *ssh = host->reach_config;

    assert_string_equal(host->reach->name, "ssh");
    assert_string_equal(ssh->user, "drill");
    assert_string_equal(ssh->config, "/project/lab/ssh_config");
    assert_null(host->address);
    case_close(&c);
}

static void test_a_prefix_knows_each_host_by_name(void **state)
{
    (void)state;
    struct Case c = good_case("environment: staging\n"
                              "roles:\n"
                              "  api:\n"
                              "    hosts: {a: {address: 10.0.0.1}, b: {reach: local}, c: {}}\n"
                              "    reach: {prefix: [ip, netns, exec, \"${host.name}\", "
                              "\"${host.address}\"]}\n",
                              NULL);

    const struct PrefixConfig *a = environment_host(c.environment, "a")->reach_config;
    const struct PrefixConfig *last = environment_host(c.environment, "c")->reach_config;

    assert_string_equal(((const char *const *)a->words.items)[3], "a");
    assert_string_equal(((const char *const *)a->words.items)[4], "10.0.0.1");
    assert_string_equal(((const char *const *)last->words.items)[4], "c");
    assert_string_equal(environment_host(c.environment, "b")->reach->name, "local");
    case_close(&c);
}

static void test_a_way_to_reach_stands_for_all_hosts(void **state)
{
    (void)state;
    struct Case c = good_case("environment: staging\n"
                              "prefix: [ip, netns, exec, \"${host.name}\"]\n"
                              "roles: {api: {hosts: [a, b]}}\n",
                              NULL);

    const struct Target *host = environment_host(c.environment, "b");
    const struct PrefixConfig *config = host->reach_config;

    assert_string_equal(host->reach->name, "prefix");
    assert_string_equal(((const char *const *)config->words.items)[3], "b");
    case_close(&c);
}

static void test_the_lock_is_on_the_first_host(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);

    assert_string_equal(c.environment->lock_host, "api-1");
    case_close(&c);
}

/* Who holds the lock, where the inventory says this. */
static void lock_is_on(const char *wanted, const char *roles, const char *json)
{
    struct Case c = {.arena = arena_new("test", 64u << 20), .problems = problems_new()};
    struct Inventory inventory = {.groups = {.items = NULL}};
    const char *why = "";
    c.said = BUF(1 << 16);
    if (!inventory_read(json, strlen(json), c.arena, &inventory, &why))
        fail_msg("%s", why);
    const char *text =
        arena_printf(c.arena, "environment: staging\nhosts: {run: [inventory]}\nroles:\n%s", roles);
    const struct Document *document = case_document(&c, "staging.yaml", text);
    c.environment =
        environment_with(document, &inventory, &faildrill_kinds, "/project", c.problems);
    case_say(&c, &document, 1);
    assert_string_equal(c.said.text, "");
    assert_string_equal(c.environment->lock_host, wanted);
    case_close(&c);
}

static void test_the_lock_does_not_follow_the_order_of_an_inventory(void **state)
{
    (void)state;
    static const char of_group[] = "  api: {hosts: apis, unit: api.service}\n";
    static const char described[] = "  api: {hosts: apis, unit: api.service}\n"
                                    "  db: {hosts: {api-3: {zone: a}, api-2: {zone: b}}}\n";

    lock_is_on("api-1", of_group, "{\"apis\":{\"hosts\":[\"api-1\",\"api-2\",\"api-3\"]}}");
    lock_is_on("api-1", of_group, "{\"apis\":{\"hosts\":[\"api-3\",\"api-2\",\"api-1\"]}}");
    lock_is_on("api-2", described, "{\"apis\":{\"hosts\":[\"api-1\",\"api-2\",\"api-3\"]}}");
    lock_is_on("api-2", described, "{\"apis\":{\"hosts\":[\"api-3\",\"api-2\",\"api-1\"]}}");
}

static void test_the_hash_is_that_of_the_file(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);
    char hash[65];

    hash_hex(STAGING, strlen(STAGING), hash);

    assert_string_equal(c.environment->hash, hash);
    case_close(&c);
}

static void test_passed_in_has_its_defaults(void **state)
{
    (void)state;
    struct Case c = good_case("environment: staging\n"
                              "roles: {api: {hosts: [a]}}\n"
                              "gate: {passed_in: {environment: test}}\n",
                              NULL);

    assert_string_equal(c.environment->passed_in->environment, "test");
    assert_int_equal(c.environment->passed_in->times, 1);
    assert_true(c.environment->passed_in->within_ns == 14 * 24 * 3600 * NS_PER_S);
    case_close(&c);
}

/* ---- Secrets. ---- */
static void test_a_secret_is_read_from_the_process_environment(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);
    struct Err err;
    setenv("FD_TEST_TOKEN", "hunter2", 1);

    assert_true(environment_unlock(c.environment, NULL, &err));

    assert_string_equal(environment_secret("${secret.token}"), "hunter2");
    assert_string_equal(environment_secret("plain"), "plain");
    assert_null(environment_secret(NULL));
    case_close(&c);
}

static void test_a_secret_that_is_missing_is_named_without_a_value(void **state)
{
    (void)state;
    struct Case c = good_case("environment: staging\nroles: {api: {hosts: [a]}}\n"
                              "secrets: {token: {env: FD_TEST_NEVER_SET}}\n",
                              NULL);
    struct Err err;

    assert_false(environment_unlock(c.environment, NULL, &err));

    assert_string_equal(err.message, "secret 'token': the variable FD_TEST_NEVER_SET is not set");
    case_close(&c);
}

static void test_a_variable_that_was_read_is_no_longer_in_our_environment(void **state)
{
    (void)state;
    struct Case c = good_case(STAGING, NULL);
    struct Err err;
    setenv("FD_TEST_TOKEN", "hunter4", 1);
    const char *before = getenv("FD_TEST_TOKEN");
    assert_true(environment_unlock(c.environment, NULL, &err));

    assert_null(getenv("FD_TEST_TOKEN"));
    assert_string_equal(before, ""); /* nor in the bytes that /proc shows */
    assert_true(environment_unlock(c.environment, NULL, &err)); /* a second time: it is known */

    assert_string_equal(environment_secret("${secret.token}"), "hunter4");
    case_close(&c);
}

#define BY_COMMAND(words)                                                                          \
    "environment: staging\nroles: {api: {hosts: [a]}}\nsecrets: {token: {cmd: " words "}}\n"

static void test_a_secret_is_what_a_command_prints(void **state)
{
    (void)state;
    struct Case c = good_case(BY_COMMAND("[printf, '%s %s\\n\\n', hunter5, '$HOME;']"), NULL);
    struct Err err = {.message = ""};

    assert_true(environment_unlock(c.environment, process_output, &err));

    assert_string_equal(environment_secret("${secret.token}"), "hunter5 $HOME;");
    case_close(&c);
}

static void test_a_command_that_fails_is_named_without_what_it_said(void **state)
{
    (void)state;
    static const struct {
        const char *environment, *why;
    } cases[] = {
        {BY_COMMAND("[sh, -c, 'echo hunter6 >&2; echo hunter6; exit 3']"),
         "secret 'token': the command `sh` did not end well"},
        {BY_COMMAND("[fd-test-no-such-command]"),
         "secret 'token': the command `fd-test-no-such-command` did not end well"},
        {BY_COMMAND("['true']"), "secret 'token': the command `true` prints nothing"},
        {BY_COMMAND("[printf, 'hunter6\\0hunter6']"),
         "secret 'token': the command `printf` prints no text"},
        {BY_COMMAND("[seq, 5000]"),
         "secret 'token': the command `seq` prints too much for a secret"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct Case c = good_case(cases[i].environment, NULL);
        struct Err err = {.message = ""};

        assert_false(environment_unlock(c.environment, process_output, &err));

        assert_string_equal(err.message, cases[i].why);
        assert_null(strstr(err.hint, "hunter6"));
        case_close(&c);
    }
}

static void write_secret(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void test_a_secret_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/fd_secret_XXXXXX", path[64], text[256];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/token", folder);
    snprintf(text, sizeof text,
             "environment: staging\nroles: {api: {hosts: [a]}}\nsecrets: {token: {file: %s}}\n",
             path);
    struct Case c = good_case(text, NULL);
    struct Err err;

    write_secret(path, "hunter3\n", 0644);
    assert_false(environment_unlock(c.environment, NULL, &err));
    assert_non_null(strstr(err.message, "may be read by others"));
    assert_null(strstr(err.message, "hunter3"));
    write_secret(path, "hunter3\n", 0600);
    assert_true(environment_unlock(c.environment, NULL, &err));

    assert_string_equal(environment_secret("${secret.token}"), "hunter3");
    unlink(path);
    rmdir(folder);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_host_in_two_roles_is_one_host),
        cmocka_unit_test(test_other_roles_of_a_host_are_named),
        cmocka_unit_test(test_ways_to_run_are_told_apart),
        cmocka_unit_test(test_a_role_has_its_system_with_a_config),
        cmocka_unit_test(test_ssh_is_the_default_and_its_paths_belong_to_the_project),
        cmocka_unit_test(test_a_prefix_knows_each_host_by_name),
        cmocka_unit_test(test_a_way_to_reach_stands_for_all_hosts),
        cmocka_unit_test(test_the_lock_is_on_the_first_host),
        cmocka_unit_test(test_the_lock_does_not_follow_the_order_of_an_inventory),
        cmocka_unit_test(test_the_hash_is_that_of_the_file),
        cmocka_unit_test(test_passed_in_has_its_defaults),
        cmocka_unit_test(test_a_secret_is_read_from_the_process_environment),
        cmocka_unit_test(test_a_secret_that_is_missing_is_named_without_a_value),
        cmocka_unit_test(test_a_variable_that_was_read_is_no_longer_in_our_environment),
        cmocka_unit_test(test_a_secret_is_what_a_command_prints),
        cmocka_unit_test(test_a_command_that_fails_is_named_without_what_it_said),
        cmocka_unit_test(test_a_secret_file_that_others_may_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
