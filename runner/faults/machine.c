/* machine.c - what the faults that take a whole machine share: its provider, and its return. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include "../base/text.h"

#define LOOK_S 20 /* a cloud's command line takes a second or two to begin */
#define DOWN_S 120
#define UP_S 120

/* `says WANTED LINE`: 0 where the provider says the wanted word, 1 where it says the other, 125
 * where it says neither, as while a machine stops: unknown is no answer. The last word counts,
 * since that is how they all put it: "Chassis Power is on", "status: stopped", "running". */
#define SAYS                                                                                       \
    "says() {\n"                                                                                   \
    "    said=$(sh -c \"$2\") || { echo \"the power provider does not answer: $said\"; return "    \
    "125; }\n"                                                                                     \
    "    word=$(printf '%s\\n' \"$said\" | tr 'A-Z' 'a-z' | tr -d '\".,;' |\n"                     \
    "        awk 'NF { word = $NF } END { print word }')\n"                                        \
    "    case $word in\n"                                                                          \
    "    on | up | running | active | started) power=on ;;\n"                                      \
    "    off | down | stopped | terminated | deallocated | shutoff | inactive) power=off ;;\n"     \
    "    *) power= ;;\n"                                                                           \
    "    esac\n"                                                                                   \
    "    [ \"$power\" != off ] || : >off_seen\n"                                                   \
    "    [ \"$power\" != \"$1\" ] || return 0\n"                                                   \
    "    echo \"the power provider says: $said\"\n"                                                \
    "    [ -n \"$power\" ] || return 125\n"                                                        \
    "    return 1\n"                                                                               \
    "}\n"                                                                                          \
    "now() {\n"                                                                                    \
    "    read -r up _ </proc/uptime && echo \"${up%.*}\"\n"                                        \
    "}\n"

/* Before the line nothing was done: then nothing is asked of the provider either. `scratch` is the
 * folder of those who have lost the one that would say so. */
#define UNLESS_FIRED "[ -e fired ] || [ -e scratch ] || exit 0\n"

static const char says_text[] = SAYS "says \"$1\" \"$2\"\n";

/* off_seen is of this time only: what a look before it saw is none of it. */
static const char down_text[] = SAYS "rm -f off_seen && now >down_sent || exit\n"
                                     "exec sh -c \"$1\"\n";

/* It may be called while it is on, while it goes off, and again. */
static const char up_text[] = UNLESS_FIRED SAYS "says on \"$2\" || exec sh -c \"$1\"\n";

/* A machine that hangs is on. Only where it was struck, and once: off first, and seen off. */
static const char cycle_text[] = UNLESS_FIRED SAYS "if [ -e fired ] && [ ! -e off_seen ]; then\n"
                                                   "    sh -c \"$3\"\n"
                                                   "    tries=60\n"
                                                   "    until says off \"$2\"; do\n"
                                                   "        [ \"$tries\" -gt 0 ] || exit 1\n"
                                                   "        tries=$((tries - 1))\n"
                                                   "        sleep 1\n"
                                                   "    done\n"
                                                   "fi\n"
                                                   "says on \"$2\" || exec sh -c \"$1\"\n";

/* "on" right after it was asked to go off may be the word of before: believed once it has been
 * seen off, or two minutes later. */
static const char clear_text[] =
    UNLESS_FIRED SAYS "says on \"$1\" || exit\n"
                      "[ -e down_sent ] || exit 0\n"
                      "read -r sent <down_sent\n"
                      "[ ! -e off_seen ] && [ $(($(now) - sent)) -lt 120 ] || exit 0\n"
                      "echo 'it was asked to go off, and has not been seen off yet'\n"
                      "exit 1\n";

/* The last word before it: a container would take the machine under it along, and a kernel that was
 * to boot by itself (C) and no longer does would hang. */
static const char sysrq_text[] =
    "[ \"$(readlink /proc/self/ns/pid)\" = 'pid:[4026531836]' ] ||\n"
    "    { echo 'it shares its kernel with others'; exit 1; }\n"
    "case $1 in\n"
    "C)\n"
    "    [ \"$(cat /proc/sys/kernel/panic)\" -gt 0 ] ||\n" /* in one piece: it has no second */
    "        { echo 'its kernel.panic is not above 0 any more'; exit 1; }\n"
    "    echo c >/proc/sysrq-trigger\n"
    "    ;;\n"
    "*) echo \"$1\" >/proc/sysrq-trigger ;;\n"
    "esac\n";

/* Where systemd takes the host down it answers for a while; that is not back. */
static const char staying_text[] = "[ ! -d /run/systemd/system ] ||\n"
                                   "    [ \"$(systemctl is-system-running)\" != stopping ]\n";

static void add_services(const struct PlanInput *input, struct Arena *arena,
                         struct Commands *returned)
{
    static const struct ServiceConfig whole;
    for (size_t i = 0; i < input->role_count; i++) {
        const struct Role *role = input->roles[i];
        struct PlanInput of_role = *input;
        struct Subject subject;
        struct Err none; /* a role that has no service there says nothing of one */
        of_role.role = role;
        of_role.rejoin = (struct Commands){.count = 0};
        if (subject_make(&whole, &of_role, arena, &subject, &none))
            subject_add(&subject, returned, arena,
                        arena_printf(arena, "the service of role %s runs", role->name), "up");
    }
}

struct Procedure machine_procedure(const struct PlanInput *input, struct Arena *arena)
{
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    procedure.from_here = true;
    procedure.cap_ns += DOWN_S * NS_PER_S; /* it counts from arming, the hold from when it is off */
    commands_add(&procedure.returned, arena, "the host is not on its way down", 10, "sh", "-c",
                 staying_text, NULL);
    add_services(input, arena, &procedure.returned);
    return procedure;
}

void machine_add_power(const struct PlanInput *input, bool cycle, struct Arena *arena,
                       struct Procedure *procedure)
{
    const struct Power *power = &input->power;
    if (power->up == NULL)
        return;
    commands_add(&procedure->save, arena, "its power provider says on", LOOK_S, "sh", "-c",
                 says_text, "power", "on", power->status, NULL);
    if (cycle)
        commands_add(&procedure->undo, arena, "power off and on again: it hangs", UP_S + DOWN_S,
                     "sh", "-c", cycle_text, "power", power->up, power->status, power->down, NULL);
    else
        commands_add(&procedure->undo, arena, "power on, unless it is", UP_S, "sh", "-c", up_text,
                     "power", power->up, power->status, NULL);
    commands_add(&procedure->all_clear, arena, "its power provider says on", LOOK_S, "sh", "-c",
                 clear_text, "power", power->status, NULL);
}

void machine_add_down(const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *procedure)
{
    const struct Power *power = &input->power;
    commands_add(&procedure->apply, arena, "power off, by its provider", DOWN_S, "sh", "-c",
                 down_text, "power", power->down, NULL);
    commands_add(&procedure->in_place, arena, "its power provider says off", LOOK_S, "sh", "-c",
                 says_text, "power", "off", power->status, NULL);
}

bool machine_may_sysrq(const struct PlanInput *input, struct Err *err)
{
    const char *name = input->target->name;
    if (input->facts->contained) {
        err_set(err, ERR_REFUSED, input->target->where,
                "host '%s' shares its kernel: sysrq would take the machine under it", name);
        return err_hint(err, "Drill that machine; a container is left by `reboot` with `by: "
                             "systemctl` where it has a systemd of its own.");
    }
    if (!input->facts->sysrq)
        return err_set(err, ERR_NOT_READY, input->target->where,
                       "host '%s' has no /proc/sysrq-trigger that we may write", name);
    return true;
}

void machine_add_sysrq(const char *what, const char *letter, struct Arena *arena,
                       struct Procedure *procedure)
{
    commands_add(&procedure->strike, arena, what, 10, "sh", "-c", sysrq_text, "sysrq", letter,
                 NULL);
    procedure->stays = "what was not yet on the disks of the host is lost";
}
