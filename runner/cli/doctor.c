/* doctor.c - `doctor`: what a drill in an environment would lack, host by host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/duration.h"
#include "../engine/survey.h"
#include "doctor.h"

static const char *rank_word(enum Rank rank)
{
    switch (rank) {
    case RANK_PRIMARY:
        return "primary";
    case RANK_REPLICA:
        return "replica";
    case RANK_OTHER:
        return "other";
    case RANK_UNKNOWN:
        break;
    }
    return "unknown";
}

static int say_pod(const struct SurveyHost *host, struct Buf *out)
{
    const struct HostFacts *facts = &host->facts;
    bool is_ready = facts->active == KNOWN_YES;
    bool is_bad = !is_ready || facts->missing != NULL || facts->traces[0] != '\0';
    buf_printf(out, "  %s %-20s %-15s pod, %s%s\n", is_bad ? "!" : " ", host->target->name,
               host->target->address ? host->target->address : "", is_ready ? "ready" : "NOT READY",
               is_ready && !facts->engine_starts ? ", without a controller" : "");
    if (facts->missing != NULL)
        buf_printf(out, "      = this machine lacks: %s\n", facts->missing);
    if (facts->traces[0] != '\0')
        buf_printf(out, "      = traces of a drill: %s; faildrill undo --scan -e ENV\n",
                   facts->traces);
    return is_bad ? err_status(ERR_NOT_READY) : 0;
}

static void say_sudoers(const struct HostFacts *facts, struct Buf *out)
{
    if (facts->sudoers == NULL)
        return;
    buf_put(out, "      = fix: as root there, visudo -f /etc/sudoers.d/faildrill, with\n");
    for (const char *line = facts->sudoers; *line != '\0'; line += *line == '\n') {
        buf_printf(out, "          %.*s\n", (int)strcspn(line, "\n"), line);
        line += strcspn(line, "\n");
    }
}

static int say_host(const struct Doctor *of, const struct SurveyHost *host, struct Buf *out)
{
    const struct HostFacts *facts = &host->facts;
    if (!host->answered) {
        buf_printf(out, "  ! %-20s %s\n", host->target->name, host->err.message);
        if (host->err.hint[0] != '\0')
            buf_printf(out, "      = fix: %s\n", host->err.hint);
        return err_status(ERR_NOT_READY);
    }
    bool is_unseen = facts->unseen != NULL && facts->unseen[0] != '\0';
    bool is_closed = of->environment->node_opt_in && facts->no_allow != NULL;
    bool is_bad = facts->missing || facts->traces[0] || is_unseen || is_closed;
    const char *active = facts->active == KNOWN_YES  ? "runs"
                         : facts->active == KNOWN_NO ? "DOES NOT RUN"
                                                     : "not known to run";
    buf_printf(out, "  %s %-20s %-15s %s, service %s%s%s, %s, %s, delay %s, machine_id %.16s...\n",
               is_bad ? "!" : " ", host->target->name,
               host->target->address ? host->target->address : "",
               facts->root ? "root" : "NOT ROOT", active, host->role->system ? ", " : "",
               host->role->system ? rank_word(host->standing.rank) : "",
               facts->systemd ? "systemd" : "no systemd",
               facts->nft        ? "nft yes"
               : facts->iptables ? "nft no, iptables yes"
                                 : "nft NO",
               facts->netem ? "by netem"
               : facts->tun ? "by a line"
                            : "NO",
               facts->machine_id_hash);
    if (facts->missing != NULL)
        buf_printf(out, "      = lacks: %s\n", facts->missing);
    say_sudoers(facts, out);
    if (facts->no_filter != NULL && facts->no_filter[0] != '\0')
        buf_printf(out, "      = cannot drop packets: %s\n", facts->no_filter);
    if (facts->no_delay != NULL)
        buf_printf(out, "      = cannot delay packets: %s\n", facts->no_delay);
    if (facts->root_qdisc != NULL && facts->root_qdisc[0] != '\0')
        buf_printf(out, "      = cannot delay packets: it has a root qdisc of its own, %s\n",
                   facts->root_qdisc);
    if (facts->keepers != NULL && facts->keepers[0] != '\0')
        buf_printf(out, "      = beware: %s\n", facts->keepers);
    if (of->environment->node_opt_in)
        doctor_say_opt_in(of, facts, out);
    doctor_say_kinds(of, host, out);
    if (is_unseen)
        buf_printf(out, "      = cannot look for traces of a drill: %s\n", facts->unseen);
    if (facts->traces[0] != '\0')
        buf_printf(out, "      = traces of a drill: %s; faildrill undo --scan -e ENV\n",
                   facts->traces);
    return is_bad ? err_status(ERR_NOT_READY) : 0;
}

static int say_system(const struct SurveyRole *role, struct Buf *out)
{
    const struct Prospect *prospect = &role->prospect;
    char range[64];
    span_say(prospect->failover.low_ns, prospect->failover.high_ns, range);
    buf_printf(
        out, "  %s: primary %s, redundancy %s%s%s\n", role->role->system->name,
        role->primary ? role->primary->name : "UNKNOWN",
        role->redundancy.complete == KNOWN_YES ? "whole" : "NOT whole: ",
        role->redundancy.complete == KNOWN_YES || !role->redundancy.why ? "" : role->redundancy.why,
        "");
    if (prospect->knob_count > 0)
        buf_printf(out, "    a failover should take %s\n", range);
    for (size_t at = 0; at < prospect->knob_count; at++)
        buf_printf(out, "    %s %s\n", prospect->knobs[at].name, prospect->knobs[at].value);
    if (prospect->not_ready != NULL)
        buf_printf(out, "    ! %s\n", prospect->not_ready);
    if (prospect->cool_down_ns > 0) {
        char wait[32];
        duration_say(prospect->cool_down_ns, wait);
        buf_printf(out, "    ! in its cool-down: next drill not before %s from now\n", wait);
    }
    return role->primary == NULL || role->redundancy.complete != KNOWN_YES ||
                   prospect->not_ready != NULL || prospect->cool_down_ns > 0
               ? err_status(ERR_NOT_READY)
               : 0;
}

static int say(const struct Doctor *of, const struct Survey *survey, struct Buf *out)
{
    const struct Environment *environment = of->environment;
    int status = 0;
    const struct Role *roles = environment->roles.items;
    const struct SurveyHost *hosts = survey->hosts.items;
    for (size_t role = 0; role < environment->roles.count; role++) {
        buf_printf(out, "%s\n", roles[role].name);
        for (size_t at = 0; at < survey->hosts.count; at++)
            if (hosts[at].role == &roles[role]) {
                bool is_pod = hosts[at].answered && hosts[at].target->uid != NULL;
                int found = is_pod ? say_pod(&hosts[at], out) : say_host(of, &hosts[at], out);
                status = found > status ? found : status;
            }
        const struct SurveyRole *system = survey_role(survey, &roles[role]);
        int found = system ? say_system(system, out) : 0;
        status = found > status ? found : status;
    }
    doctor_say_window(environment, out);
    buf_put(out,
            status == 0 ? "ready: drills may run here\n" : "not ready: see the lines with !\n");
    return status;
}

static int doctor(struct Drill *drill, const char *name)
{
    struct Cli *cli = drill->cli;
    int status = drill_load(drill, NULL, name);
    if (status != 0)
        return status;
    const struct Environment *environment = drill->loaded.environment;
    struct List roles = {0};
    const struct Role *role = environment->roles.items;
    for (size_t at = 0; at < environment->roles.count; at++)
        *(const struct Role **)list_add(&roles, cli->arena, sizeof(void *)) = &role[at];
    struct Survey survey;
    survey_make(&(struct SurveyInput){.hosts = drill->hosts,
                                      .loop = drill->loop,
                                      .touched = roles.items,
                                      .touched_count = roles.count,
                                      .asked = roles.items,
                                      .asked_count = roles.count,
                                      .delays = true,
                                      .arena = cli->arena},
                &survey);
    if (cli_option(cli, "pin") != NULL)
        return doctor_pin(drill, &survey);
    struct Buf out = BUF(1U << 20);
    buf_printf(&out, "%s: %zu hosts\n", loud(cli->arena, environment->name),
               environment->hosts.count);
    struct Doctor of = {.environment = environment, .kinds = cli->kinds};
    status = say(&of, &survey, &out);
    status = cli_print(&out, status);
    buf_free(&out);
    return status;
}

static const struct Option OPTIONS[] = {
    {.name = "pin",
     .doc =
         "Shows new and changed host keys and machine ids; writes them once they were compared."},
    {.name = "confirm",
     .value = "NAME",
     .doc = "With --pin: new ones were compared; the environment's name."},
    {.name = "ansible",
     .doc = "Prints an Ansible playbook with what its hosts need: user, key, sudoers, opt-in."},
    {.name = "helper",
     .doc = "Prints the node's helper: the forced command of a key that may do no more than its "
            "host's /etc/faildrill.allow says."},
    {.name = "for",
     .value = "NAME",
     .doc = "With two environments: what differs in that which decides the recovery of this drill; "
            "exit 3 where something does."},
    {.name = "as-timer",
     .doc = "Looks with no more than a timer's environment: no agent, no variables of this shell."},
    {.name = NULL},
};

static int verb(struct Cli *cli)
{
    struct Drill drill;
    struct Err err;
    const char *name = cli->arg_count > 0 ? cli->args[0] : cli->environment;
    if (cli_option(cli, "helper") != NULL)
        return doctor_helper();
    if (name == NULL && !cli_environment_named(cli, &err))
        return cli_fail(cli, &err);
    if (cli_option(cli, "as-timer") != NULL)
        return doctor_as_timer(cli, name);
    if (cli_option(cli, "ansible") != NULL)
        return doctor_ansible(cli, name);
    bool parity = cli_option(cli, "for") != NULL;
    if (parity != (cli->arg_count == 2)) {
        err_set(&err, ERR_USAGE, NOWHERE, "two environments and `--for NAME` belong together");
        err_hint(&err, "Write it like `faildrill doctor staging production --for NAME`.");
        return cli_fail(cli, &err);
    }
    int status = drill_open(cli, &drill);
    if (status == 0)
        status = parity ? doctor_parity(&drill) : doctor(&drill, name);
    drill_close(&drill);
    return status;
}

const struct Verb verb_doctor = {
    .name = "doctor",
    .takes = "[ENV [ENV]]",
    .least = 0,
    .most = 2,
    .summary = "what a drill needs: ssh, sudo, tools, services, primaries now",
    .on_first_screen = true,
    .options = OPTIONS,
    .examples = "  faildrill doctor staging\n"
                "  faildrill doctor staging production --for redis_primary_dies\n"
                "  faildrill doctor staging --pin                 host keys and machine ids\n"
                "  faildrill doctor staging --as-timer            what a timer would find\n"
                "  faildrill doctor staging --ansible >drill.yml  user, key, sudoers, opt-in\n",
    .next = "Next: faildrill plan -e staging FILE",
    .asks = true,
    .run = verb,
};
