/* faults_config_test.c - faults in files and settings plan what FAULTS.md says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../runner/faults/files.h"
#include "../../runner/faults/kinds.h"

static const struct Target host = {.name = "api-1", .address = "10.0.0.1"};
static const struct Token token = {"01k2"};
static const struct Role role = {.name = "api"};
static const struct HostFacts facts = {.systemd = true};
static const struct PlanInput input = {.target = &host,
                                       .role = &role,
                                       .facts = &facts,
                                       .token = &token,
                                       .number = 1,
                                       .hold_ns = -1,
                                       .lease_ns = 30 * NS_PER_S,
                                       .cap_ns = 75 * NS_PER_S};

struct Planned {
    struct Arena *arena;
    struct Problems *problems;
    struct Procedure procedure;
    struct Err err;
    bool good;
};

/* `text` as the step's own keys, with `target` for the verb's. */
static struct Planned plan(const struct FaultKind *kind, const char *text)
{
    struct Planned planned = {.arena = arena_new("test", 8 << 20), .problems = problems_new()};
    const struct Document *document =
        document_parse("step.yaml", text, strlen(text), planned.arena, planned.problems);
    struct Decode decode = {.arena = planned.arena, .problems = planned.problems};
    void *config = arena_zero(planned.arena, 1, kind->config.size);
    planned.good = document->root != NULL &&
                   decode_record(&decode, document->root, &kind->config, config) &&
                   kind->plan(config, &input, planned.arena, &planned.procedure, &planned.err) &&
                   procedure_check(kind, &planned.procedure, &planned.err);
    return planned;
}

static void planned_free(struct Planned *planned)
{
    problems_free(planned->problems);
    arena_free(planned->arena);
}

static const char *shell(struct Planned *planned, const struct Commands *commands)
{
    return commands_shell(commands, planned->arena);
}

/* Whether in the file or in the plan: it is refused with these words. */
static void refused(const struct FaultKind *kind, const char *text, const char *message)
{
    struct Planned planned = plan(kind, text);
    assert_false(planned.good);
    assert_string_equal(problems_count(planned.problems) > 0
                            ? problems_at(planned.problems, 0)->message
                            : planned.err.message,
                        message);
    planned_free(&planned);
}

static void test_an_override_is_mounted_and_unmounted(void **state)
{
    (void)state;
    struct Planned planned =
        plan(&override_fault, "target: x\nfile: /etc/resolv.conf\ncontent: it's 'here'\n");
    assert_true(planned.good);
    assert_int_equal(planned.procedure.ends_by, CLASS_REBOOT);
    assert_non_null(strstr(shell(&planned, &planned.procedure.save),
                           "sh service file over_text /etc/resolv.conf '/bin /boot"));
    assert_non_null(strstr(shell(&planned, &planned.procedure.save),
                           " instead 'it'\\''s '\\''here'\\''\n' || exit\n"));
    assert_string_equal(shell(&planned, &planned.procedure.apply),
                        "# mount it over /etc/resolv.conf\n"
                        "timeout -k 2 20 sh service file over /etc/resolv.conf || exit\n");
    assert_string_equal(shell(&planned, &planned.procedure.undo),
                        "# unmount it\ntimeout -k 2 20 sh service file unmount || exit\n");
    assert_string_equal(shell(&planned, &planned.procedure.all_clear),
                        "# nothing of ours is mounted, the file is as it was\n"
                        "timeout -k 2 20 sh service file over_clear /etc/resolv.conf || exit\n");
    planned_free(&planned);
}

static void test_what_our_own_way_needs_is_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/etc/ssh/sshd_config", "/etc/passwd", "/bin/sh",       "/run/faildrill/undo",
        "/root/.ssh/config",    "/proc/sys/x", "/usr/lib/x.so", "/etc/sudoers.d/x",
    };
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_string_equal(files_path_fault(paths[i]),
                            "our own way to the host, or its undo, needs it");
    static const char *const odd[] = {"etc/hosts", "/",           "/etc/",    "/etc/../etc/hosts",
                                      "/etc/..",   "/etc//hosts", "/etc/a b", "/etc/$(x)",
                                      "/etc/a\nb", "/etc/'"};
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        assert_non_null(files_path_fault(odd[i]));
    static const char *const good[] = {"/etc/hosts", "/etc/sshx", "/binary", "/srv/a-b_c.d/e@f"};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_null(files_path_fault(good[i]));
    refused(&override_fault, "target: x\nfile: /etc/shadow\ncontent: y\n",
            "no fault may change '/etc/shadow': our own way to the host, or its undo, needs it");
    refused(&override_fault, "target: x\nfile: /etc/hosts\ncontent: \"a\\r\"\n",
            "`content` holds a carriage return");
}

static void test_an_expired_certificate_is_made_and_mounted(void **state)
{
    (void)state;
    struct Planned planned = plan(&expire_certificate_fault,
                                  "target: x\npath: /etc/tls.pem\nport: 443\nreload: app up\n");
    assert_true(planned.good);
    assert_int_equal(planned.procedure.ends_by, CLASS_REBOOT);
    assert_non_null(strstr(shell(&planned, &planned.procedure.save), " '' '' '' 443 10.0.0.1 ||"));
    assert_string_equal(shell(&planned, &planned.procedure.undo),
                        "# unmount it\n"
                        "timeout -k 2 60 sh service file over_undo 'app up' || exit\n");
    assert_string_equal(
        shell(&planned, &planned.procedure.in_place),
        "# who reads or asks for it finds the expired one\n"
        "timeout -k 2 20 sh service file expired_place /etc/tls.pem 443 10.0.0.1 || exit\n");
    planned_free(&planned);
    refused(&expire_certificate_fault, "target: x\npath: /etc/tls.pem\nca: /etc/ca.pem\n",
            "`ca` stands without `ca_key`");
    refused(&expire_certificate_fault, "target: x\npath: /etc/tls.pem\nprivate_key: a\n",
            "'a' cannot be read: it must be the absolute path of a file");
}

static void test_a_file_is_replaced_by_its_hash(void **state)
{
    (void)state;
    struct Planned planned = plan(
        &replace_file_fault, "target: x\npath: /etc/app.conf\ncontent: hello\nreload: app up\n");
    assert_true(planned.good);
    assert_int_equal(planned.procedure.ends_by, CLASS_STICKY);
    /* Of "hello\n". */
    static const char sum[] = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const char *undo = shell(&planned, &planned.procedure.undo);
    assert_non_null(strstr(undo, "sh service file replace_undo /etc/app.conf "));
    assert_non_null(strstr(undo, sum));
    assert_non_null(strstr(undo, " 'app up' || exit\n"));
    assert_non_null(strstr(shell(&planned, &planned.procedure.all_clear), sum));
    assert_non_null(strstr(shell(&planned, &planned.procedure.in_place), sum));
    assert_non_null(strstr(shell(&planned, &planned.procedure.save), " 'hello\n' || exit\n"));
    planned_free(&planned);
}

static void test_a_setting_is_a_file_below_proc_sys(void **state)
{
    (void)state;
    static const char *const keys[][2] = {
        {"net.ipv4.tcp_retries2", "setting net/ipv4/tcp_retries2 '3 4'"},
        {"net/ipv4/tcp_retries2", "setting net/ipv4/tcp_retries2 '3 4'"},
        {"net.ipv4.some/thing", "setting net/ipv4/some.thing '3 4'"},
    };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char text[200];
        snprintf(text, sizeof text, "target: x\nkey: %s\nvalue: \" 3 \\t4 \"\n", keys[i][0]);
        struct Planned planned = plan(&sysctl_fault, text);
        assert_true(planned.good);
        assert_int_equal(planned.procedure.ends_by, CLASS_REBOOT);
        assert_non_null(strstr(shell(&planned, &planned.procedure.apply), keys[i][1]));
        planned_free(&planned);
    }
}

static void test_settings_that_would_cut_us_off_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "net.ipv4.ip_forward",
        "net/ipv4/ip_forward",
        "net.ipv4.conf.all.rp_filter",
        "kernel.pid_max",
        "net.ipv6.conf.all.disable_ipv6",
        "net/ipv6/conf/eth0.7/forwarding",
        "vm.dirty_bytes",
        "vm.overcommit_memory",
        "kernel.core_pattern",
        "net.ipv4.route.flush",
        "kernel.modules_disabled",
        "net.ipv4.ip_default_ttl",
        "fs.binfmt_misc.status",
        "../../etc/passwd",
        "net.ipv4..x",
        "net/../x",
        "/etc",
        "net.ipv4.$(x)",
        "net",
        "net.ipv4.",
        "-w.x",
    };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char text[200];
        snprintf(text, sizeof text, "target: x\nkey: %s\nvalue: \"1\"\n", keys[i]);
        struct Planned planned = plan(&sysctl_fault, text);
        if (planned.good)
            print_error("%s\n", keys[i]);
        assert_false(planned.good);
        planned_free(&planned);
    }
    refused(&sysctl_fault, "target: x\nkey: net.ipv4.tcp_retries2\nvalue: \"1\\n2\"\n",
            "'1\n2' is no value of a setting: it is more than one line");
}

static void test_an_http_fault_is_sent_undone_and_proven_by_a_host(void **state)
{
    (void)state;
    struct Planned planned = plan(
        &http_fault, "target: x\nurl: http://h/p\nmethod: POST\nbody: '{\"a\": 1}'\nfault: true\n"
                     "headers: {X-A: b c}\nheaders_from: /etc/h\n"
                     "undo: {http: http://h/q, method: DELETE, ok: {status: [204, 404]}}\n"
                     "proof: {http: http://h/q, ok: {body: there}}\n");
    assert_true(planned.good);
    assert_int_equal(planned.procedure.ends_by, CLASS_STICKY);
    assert_string_equal(shell(&planned, &planned.procedure.apply),
                        "# POST http://h/p\n"
                        "timeout -k 2 15 sh service request apply POST http://h/p '{\"a\": 1}' "
                        "/etc/h '' '' 'X-A: b c' 'Content-Type: application/json' || exit\n");
    assert_string_equal(shell(&planned, &planned.procedure.undo),
                        "# DELETE http://h/q\n"
                        "timeout -k 2 15 sh service request undo DELETE http://h/q '' /etc/h "
                        "'204 404' '' 'X-A: b c' || exit\n");
    assert_string_equal(shell(&planned, &planned.procedure.all_clear),
                        "# its proof says no\n"
                        "timeout -k 2 15 sh service request clear GET http://h/q '' /etc/h '' "
                        "there 'X-A: b c' || exit\n");
    planned_free(&planned);
    refused(&http_fault, "url: http://h/p\nfault: true\n",
            "an `http` with fault: true needs `target`");
    refused(&http_fault, "target: x\nurl: http://h/p\nfault: true\n",
            "an `http` with fault: true needs `undo`");
    refused(&http_fault, "target: x\nurl: http://h/p\n",
            "plain work has no `target`: this runner sends the request");
    refused(&http_fault, "url: http://h/p\nmethod: BREW\n", "'BREW' is no method");
}

/* What a parameter brought is looked at in the plan. */
static void test_a_path_that_came_later_is_refused_too(void **state)
{
    (void)state;
    refused(&override_fault, "target: x\nfile: \"${param.p}\"\ncontent: y\n",
            "no fault may change '${param.p}': it must be the absolute path of a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_override_is_mounted_and_unmounted),
        cmocka_unit_test(test_an_expired_certificate_is_made_and_mounted),
        cmocka_unit_test(test_a_file_is_replaced_by_its_hash),
        cmocka_unit_test(test_a_setting_is_a_file_below_proc_sys),
        cmocka_unit_test(test_settings_that_would_cut_us_off_are_refused),
        cmocka_unit_test(test_an_http_fault_is_sent_undone_and_proven_by_a_host),
        cmocka_unit_test(test_what_our_own_way_needs_is_refused),
        cmocka_unit_test(test_a_path_that_came_later_is_refused_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
