/* procedure.c - commands as shell text, their hash, and what no procedure may lack. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "procedure.h"

#include <inttypes.h>
#include <string.h>

#include "../base/text.h"
#include "fault.h"

#define COMMAND_LONGEST_NS (10 * 60 * NS_PER_S)

char fault_class_letter(enum FaultClass ends_by)
{
    switch (ends_by) {
    case CLASS_KERNEL:
        return 'K';
    case CLASS_PROCESS:
        return 'P';
    case CLASS_REBOOT:
        return 'R';
    case CLASS_STICKY:
        return 'S';
    }
    bug("no such class: %d", (int)ends_by);
}

/* Bare only where no shell gives any of its bytes a meaning. */
static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_./:@%+,-";
    return *word != '\0' && word[strspn(word, plain)] == '\0';
}

void shell_text(struct Buf *out, const char *text)
{
    if (is_plain(text)) {
        buf_put(out, text);
        return;
    }
    buf_char(out, '\'');
    for (const char *at = text; *at != '\0';) {
        size_t span = strcspn(at, "'");
        buf_add(out, at, span);
        at += span;
        if (*at == '\'') {
            buf_put(out, "'\\''");
            at++;
        }
    }
    buf_char(out, '\'');
}

bool shell_quote(struct Buf *out, const char *word)
{
    if (strpbrk(word, "\r\n") != NULL)
        return false;
    shell_text(out, word);
    return true;
}

static void command_write(struct Buf *out, const struct Command *command)
{
    int64_t seconds = (command->timeout_ns + NS_PER_S - 1) / NS_PER_S;
    buf_put(out, "# ");
    buf_visible(out, command->what, strlen(command->what), false);
    /* -k: whatever ignores TERM is killed two seconds later, so that a part always ends. */
    buf_printf(out, "\ntimeout -k 2 %" PRId64, seconds);
    for (size_t i = 0; command->argv[i] != NULL; i++) {
        buf_char(out, ' ');
        shell_text(out, command->argv[i]);
    }
    buf_put(out, " || exit\n");
}

const char *commands_shell(const struct Commands *commands, struct Arena *arena)
{
    struct Buf out = BUF(SHELL_TEXT_MAX);
    for (size_t i = 0; i < commands->count; i++)
        command_write(&out, &commands->at[i]);
    if (out.cut)
        bug("a procedure of more than %d bytes", SHELL_TEXT_MAX);
    char *text = arena_bytes(arena, out.text, out.size);
    buf_free(&out);
    return text;
}

void procedure_hash(const struct Procedure *procedure, char out[65])
{
    const struct Commands *const parts[] = {&procedure->save,      &procedure->apply,
                                            &procedure->undo,      &procedure->in_place,
                                            &procedure->all_clear, &procedure->renew};
    struct Buf all = BUF((COUNT_OF(parts) + 3) * SHELL_TEXT_MAX);
    for (size_t part = 0; part < COUNT_OF(parts); part++) {
        buf_printf(&all, "part %zu\n", part);
        for (size_t i = 0; i < parts[part]->count; i++)
            command_write(&all, &parts[part]->at[i]);
    }
    for (size_t i = 0; i < procedure->strike.count; i++)
        command_write(&all, &procedure->strike.at[i]);
    for (size_t i = 0; i < procedure->returned.count; i++)
        command_write(&all, &procedure->returned.at[i]);
    if (procedure->hangs)
        buf_put(&all, "hangs\n");
    buf_printf(&all, "%c %d %d %" PRId64 " %" PRId64 "\n", fault_class_letter(procedure->ends_by),
               procedure->cuts_link, procedure->once, procedure->lease_ns, procedure->cap_ns);
    if (all.cut)
        bug("a procedure of more than %zu bytes", all.max);
    hash_hex(all.text, all.size, out);
    buf_free(&all);
}

static bool commands_check(const char *part, const struct Commands *commands, struct Err *err)
{
    for (size_t i = 0; i < commands->count; i++) {
        const struct Command *command = &commands->at[i];
        if (command->what == NULL || *command->what == '\0')
            return err_set(err, ERR_OWN, NOWHERE, "command %zu of '%s' does not say what it does",
                           i + 1, part);
        if (command->argv == NULL || command->argv[0] == NULL || *command->argv[0] == '\0')
            return err_set(err, ERR_OWN, NOWHERE, "command %zu of '%s' is empty", i + 1, part);
        if (command->argv[0][0] == '-')
            return err_set(err, ERR_OWN, NOWHERE, "command %zu of '%s' begins with a dash", i + 1,
                           part);
        for (size_t word = 0; command->argv[word] != NULL; word++)
            if (strchr(command->argv[word], '\r') != NULL)
                return err_set(err, ERR_OWN, NOWHERE, "command %zu of '%s' holds a carriage return",
                               i + 1, part);
        if (command->timeout_ns <= 0 || command->timeout_ns > COMMAND_LONGEST_NS)
            return err_set(err, ERR_OWN, NOWHERE,
                           "command %zu of '%s' has no timeout between 1 s and 10 min", i + 1,
                           part);
    }
    return true;
}

static bool times_check(const struct Procedure *procedure, struct Err *err)
{
    if (procedure->cap_ns <= 0)
        return err_set(err, ERR_NO_UNDO, NOWHERE, "no cap: the fault could outlive its drill");
    if (procedure->cuts_link && procedure->lease_ns != 0)
        return err_set(err, ERR_OWN, NOWHERE, "a fault that cuts the link cannot renew a lease");
    if (!procedure->cuts_link && procedure->lease_ns < NS_PER_S)
        return err_set(err, ERR_NO_UNDO, NOWHERE,
                       "no lease of one second or more: a dead runner would cost the whole cap");
    if (procedure->lease_ns > procedure->cap_ns)
        return err_set(err, ERR_OWN, NOWHERE, "the lease is longer than the cap");
    return true;
}

/* What is sent to the host itself is proven by its next boot, and so is its end; a guard here has
 * something to do only where a provider is named. */
static bool strike_check(const struct FaultKind *kind, const struct Procedure *procedure,
                         struct Err *err)
{
    if (!kind->takes_machine || procedure->apply.count > 0)
        return err_set(err, ERR_OWN, NOWHERE, "'%s' is sent to two machines", kind->name);
    if ((procedure->undo.count > 0) != (procedure->all_clear.count > 0))
        return err_set(err, ERR_NO_UNDO, NOWHERE, "'%s' cannot prove that it is gone", kind->name);
    if (procedure->hangs && procedure->undo.count == 0)
        return err_set(err, ERR_NO_UNDO, NOWHERE, "'%s' leaves a machine that hangs", kind->name);
    return times_check(procedure, err);
}

bool procedure_check(const struct FaultKind *kind, const struct Procedure *procedure,
                     struct Err *err)
{
    const struct {
        const char *name;
        const struct Commands *commands;
    } parts[] = {
        {"save", &procedure->save},           {"apply", &procedure->apply},
        {"undo", &procedure->undo},           {"in_place", &procedure->in_place},
        {"all_clear", &procedure->all_clear}, {"renew", &procedure->renew},
        {"strike", &procedure->strike},       {"returned", &procedure->returned},
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!commands_check(parts[i].name, parts[i].commands, err))
            return false;
    if (procedure->from_here != kind->takes_machine)
        return err_set(err, ERR_OWN, NOWHERE, "'%s' runs on the wrong machine", kind->name);
    if (procedure->strike.count > 0)
        return strike_check(kind, procedure, err);
    if (procedure->apply.count == 0)
        return err_set(err, ERR_OWN, NOWHERE, "'%s' does nothing", kind->name);
    if (procedure->in_place.count == 0)
        return err_set(err, ERR_NO_UNDO, NOWHERE, "'%s' cannot prove that it is in place",
                       kind->name);
    if (kind->reversal != REVERSAL_NONE && procedure->all_clear.count == 0)
        return err_set(err, ERR_NO_UNDO, NOWHERE, "'%s' cannot prove that it is gone", kind->name);
    if (kind->reversal == REVERSAL_UNDO && procedure->undo.count == 0)
        return err_set(err, ERR_NO_UNDO, NOWHERE, "'%s' has no undo", kind->name);
    if (procedure->ends_by == CLASS_KERNEL && !procedure->cuts_link && procedure->renew.count == 0)
        return err_set(err, ERR_OWN, NOWHERE, "'%s' ends by a kernel timer that nobody renews",
                       kind->name);
    return times_check(procedure, err);
}
