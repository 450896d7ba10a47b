/* faults_config_test.c - faults in files and settings plan what FAULTS.md says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
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
                           " instead 'it'\\''s '\\''here'\\''' || exit\n"));
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
        cmocka_unit_test(test_what_our_own_way_needs_is_refused),
        cmocka_unit_test(test_a_path_that_came_later_is_refused_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
