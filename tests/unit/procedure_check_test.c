/* procedure_check_test.c - commands as shell, their hash, every rule of the check. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/base/text.h"
#include "../../runner/model/fault.h"
#include "../fakes/track.h"

static const char *const true_words[] = {"test", "-e", "a file", NULL};
static const struct Command true_command = {
    .what = "look at\nit", .argv = true_words, .timeout_ns = 1500 * NS_PER_MS};
static const struct FaultKind undo_kind = {.name = "break", .reversal = REVERSAL_UNDO};
static const struct FaultKind self_kind = {.name = "bump", .reversal = REVERSAL_SELF};
static const struct FaultKind none_kind = {.name = "burn", .reversal = REVERSAL_NONE};

static struct Procedure good_procedure(void)
{
    const struct Commands one = {.at = &true_command, .count = 1};
    return (struct Procedure){.apply = one,
                              .undo = one,
                              .in_place = one,
                              .all_clear = one,
                              .ends_by = CLASS_STICKY,
                              .lease_ns = 30 * NS_PER_S,
                              .cap_ns = 75 * NS_PER_S};
}

static void refused(const struct FaultKind *kind, const struct Procedure *procedure,
                    enum ErrCode code, const char *message)
{
    struct Err err;
    assert_false(procedure_check(kind, procedure, &err));
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
}

static void test_a_whole_procedure_passes(void **state)
{
    (void)state;
    struct Procedure procedure = good_procedure();
    struct Err err;
    assert_true(procedure_check(&undo_kind, &procedure, &err));
    procedure.undo.count = 0;
    assert_true(procedure_check(&self_kind, &procedure, &err));
    procedure.all_clear.count = 0;
    assert_true(procedure_check(&none_kind, &procedure, &err));
}

static void test_each_missing_part_is_refused(void **state)
{
    (void)state;
    struct Procedure procedure = good_procedure();
    procedure.apply.count = 0;
    refused(&undo_kind, &procedure, ERR_OWN, "'break' does nothing");
    procedure = good_procedure();
    procedure.undo.count = 0;
    refused(&undo_kind, &procedure, ERR_NO_UNDO, "'break' has no undo");
    procedure = good_procedure();
    procedure.in_place.count = 0;
    refused(&none_kind, &procedure, ERR_NO_UNDO, "'burn' cannot prove that it is in place");
    procedure = good_procedure();
    procedure.all_clear.count = 0;
    refused(&self_kind, &procedure, ERR_NO_UNDO, "'bump' cannot prove that it is gone");
    procedure = good_procedure();
    procedure.ends_by = CLASS_KERNEL;
    refused(&undo_kind, &procedure, ERR_OWN, "'break' ends by a kernel timer that nobody renews");
}

static void test_nothing_lasts_for_ever(void **state)
{
    (void)state;
    struct Procedure procedure = good_procedure();
    procedure.cap_ns = 0;
    refused(&undo_kind, &procedure, ERR_NO_UNDO, "no cap: the fault could outlive its drill");
    procedure = good_procedure();
    procedure.lease_ns = 0;
    refused(&undo_kind, &procedure, ERR_NO_UNDO,
            "no lease of one second or more: a dead runner would cost the whole cap");
    procedure.cuts_link = true;
    struct Err err;
    assert_true(procedure_check(&undo_kind, &procedure, &err));
    procedure.lease_ns = 2 * NS_PER_S;
    refused(&undo_kind, &procedure, ERR_OWN, "a fault that cuts the link cannot renew a lease");
    procedure = good_procedure();
    procedure.lease_ns = 80 * NS_PER_S;
    refused(&undo_kind, &procedure, ERR_OWN, "the lease is longer than the cap");
}

static void test_each_command_is_whole(void **state)
{
    (void)state;
    struct Procedure procedure = good_procedure();
    struct Command command = true_command;
    procedure.undo = (struct Commands){.at = &command, .count = 1};
    command.what = "";
    refused(&undo_kind, &procedure, ERR_OWN, "command 1 of 'undo' does not say what it does");
    command = true_command;
    command.argv = (const char *const[]){NULL};
    refused(&undo_kind, &procedure, ERR_OWN, "command 1 of 'undo' is empty");
    command.argv = (const char *const[]){"-rf", NULL};
    refused(&undo_kind, &procedure, ERR_OWN, "command 1 of 'undo' begins with a dash");
    command.argv = (const char *const[]){"echo", "a\rb", NULL};
    refused(&undo_kind, &procedure, ERR_OWN, "command 1 of 'undo' holds a carriage return");
    command = true_command;
    command.timeout_ns = 0;
    refused(&undo_kind, &procedure, ERR_OWN,
            "command 1 of 'undo' has no timeout between 1 s and 10 min");
    command.timeout_ns = 601 * NS_PER_S;
    refused(&undo_kind, &procedure, ERR_OWN,
            "command 1 of 'undo' has no timeout between 1 s and 10 min");
}

static void test_commands_are_readable_shell(void **state)
{
    (void)state;
    struct Arena *arena = arena_new("test", 1 << 20);
    const struct Command two[] = {
        true_command,
        {.what = "say",
         .argv = (const char *const[]){"echo", "it's", "", "--a=b", "x/y.z", NULL},
         .timeout_ns = 10 * NS_PER_S}};
    const char *text = commands_shell(&(struct Commands){.at = two, .count = 2}, arena);
    assert_string_equal(text, "# look at\\nit\n"
                              "timeout -k 2 2 test -e 'a file' || exit\n"
                              "# say\n"
                              "timeout -k 2 10 echo 'it'\\''s' '' '--a=b' x/y.z || exit\n");
    assert_string_equal(commands_shell(&(struct Commands){.count = 0}, arena), "");
    arena_free(arena);
}

static void test_hash_covers_every_part_and_duration(void **state)
{
    (void)state;
    struct Procedure procedure = good_procedure();
    char hashes[8][65];
    procedure_hash(&procedure, hashes[0]);
    procedure_hash(&procedure, hashes[1]);
    assert_string_equal(hashes[0], hashes[1]);
    procedure.renew = procedure.undo;
    procedure_hash(&procedure, hashes[1]);
    procedure.save = procedure.undo;
    procedure_hash(&procedure, hashes[2]);
    procedure.cap_ns++;
    procedure_hash(&procedure, hashes[3]);
    procedure.lease_ns++;
    procedure_hash(&procedure, hashes[4]);
    procedure.ends_by = CLASS_REBOOT;
    procedure_hash(&procedure, hashes[5]);
    procedure.once = true;
    procedure_hash(&procedure, hashes[6]);
    procedure.undo.count = 0;
    procedure_hash(&procedure, hashes[7]);
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        for (size_t other = i + 1; other < COUNT_OF(hashes); other++)
            assert_string_not_equal(hashes[i], hashes[other]);
}

static void test_classes_have_letters(void **state)
{
    (void)state;
    assert_int_equal(fault_class_letter(CLASS_KERNEL), 'K');
    assert_int_equal(fault_class_letter(CLASS_PROCESS), 'P');
    assert_int_equal(fault_class_letter(CLASS_REBOOT), 'R');
    assert_int_equal(fault_class_letter(CLASS_STICKY), 'S');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_procedure_passes),
        cmocka_unit_test(test_each_missing_part_is_refused),
        TRACK("chaosblade 17", test_nothing_lasts_for_ever),
        cmocka_unit_test(test_each_command_is_whole),
        cmocka_unit_test(test_commands_are_readable_shell),
        cmocka_unit_test(test_hash_covers_every_part_and_duration),
        cmocka_unit_test(test_classes_have_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
