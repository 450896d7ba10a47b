/* vrrp.c - an address that moves between hosts by VRRP, as keepalived has it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "../schema/decode.h"
#include "elected.h"
#include "kinds.h"
#include "remote.h"

struct VrrpConfig {
    const char *address, *config_file, *process;
};
struct Vrrp {
    struct Elected elected; /* first */
    const struct VrrpConfig *config;
    struct Remote *remote;
};

static const struct Field vrrp_fields[] = {
    {.name = "virtual_address",
     .type = FIELD_TEXT,
     .offset = offsetof(struct VrrpConfig, address),
     .flags = FIELD_REQUIRED,
     .example = "10.10.0.100",
     .doc = "The address that moves: who has it on an interface is the primary, and two that have "
            "it are two primaries."},
    {.name = "process",
     .type = FIELD_TEXT,
     .offset = offsetof(struct VrrpConfig, process),
     .fallback = "keepalived",
     .example = "keepalived",
     .doc = "The name of the process that moves it; a host where it does not run takes no part."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct VrrpConfig, config_file),
     .fallback = "/etc/keepalived/keepalived.conf",
     .example = "/etc/keepalived/keepalived.conf",
     .doc = "Its configuration on the hosts, from which the plan reads advert_int and priority; "
            "who logs in there must be able to read it."},
    {.name = NULL}};

static void vrrp_check(const void *record, const struct Node *node, struct Decode *decode);
static void *vrrp_open(const void *config, const struct Role *role, struct Loop *loop,
                       struct Err *err);
static void vrrp_close(void *system);
static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
static void ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
static const struct KnobTable vrrp_knobs;

const struct SystemKind vrrp_system = {
    .name = "vrrp",
    .summary = "an address that moves between hosts, by keepalived",
    .config = {.name = "vrrp",
               .doc = "An address that moves between hosts, by keepalived; each host is asked by a "
                      "command of "
                      "ours, which one whose key runs `doctor --helper` refuses.",
               .size = sizeof(struct VrrpConfig),
               .fields = vrrp_fields,
               .check = vrrp_check},
    .open = vrrp_open,
    .ask_standing = elected_ask_standing,
    .ask_control = elected_ask_control,
    .ask_redundancy = ask_redundancy,
    .ask_prospect = ask_prospect,
    .find_primary = elected_find_primary,
    .knobs = &vrrp_knobs,
    .cancel = elected_cancel,
    .close = vrrp_close,
};

static void vrrp_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct VrrpConfig *config = record;
    const struct Node *address = node_get(node, "virtual_address");
    const struct Node *file = node_get(node, "config");
    const char *text = config->address;
    if (!reference_present(text) && text[strspn(text, "0123456789abcdefABCDEF.:")] != '\0')
        problems_say(decode->problems, ERR_VALUE, address != NULL ? address->where : node->where,
                     "write it like 10.10.0.100, without a mask", "'%s' is no address", text);
    if (!reference_present(config->config_file) && config->config_file[0] != '/')
        problems_say(decode->problems, ERR_VALUE, file != NULL ? file->where : node->where,
                     "write the path from the root", "'%s' is no absolute path",
                     config->config_file);
}

/* ---- who has it ---- */

/* By the kernel's word: keepalived that was killed leaves the address behind, and who has it
 * answers for it. One that is stopped, or frozen with its group, moves nothing and does not run. No
 * word of its own about a host where `ip` is missing: status 127. */
static const char look_sh[] =
    "PATH=$PATH:/usr/sbin:/sbin; has=$(ip -o addr show to \"$1\") || exit; runs=; "
    "frozen() { while IFS=: read -r _ by path; do case $by in "
    "'') grep -qs '^frozen 1' \"/sys/fs/cgroup$path/cgroup.events\" && return ;; "
    "*freezer*) grep -qs FROZEN \"/sys/fs/cgroup/freezer$path/freezer.state\" && return ;; "
    "esac; done <\"$1/cgroup\"; return 1; }; "
    "for f in /proc/[0-9]*/comm; do "
    "read -r name <\"$f\" && [ \"$name\" = \"$2\" ] && read -r stat <\"${f%comm}stat\" || "
    "continue; "
    "case ${stat##*) } in [TtZX]*) continue ;; esac; "
    "frozen \"${f%/comm}\" || { runs=runs && break; }; done 2>/dev/null; "
    "echo \"${has:+has}\" \"$runs\"";

static struct Call *ask_address(struct Elected *data, size_t host, struct Mono deadline,
                                CallDone *done, void *done_data)
{
    struct Vrrp *system = (struct Vrrp *)data;
    const char *const argv[] = {
        "sh", "-c", look_sh, "faildrill", system->config->address, system->config->process, NULL};
    return remote_call(system->remote, host, argv, deadline, done, done_data);
}

static bool says(const struct Answer *answer, const char *word)
{
    return answer->end == CALL_ANSWERED && answer->code == 0 && strstr(answer->bytes, word) != NULL;
}

static void hear_address(struct Elected *data, size_t host, const struct Answer *answer,
                         struct Standing *out)
{
    (void)data;
    (void)host;
    if (answer->end != CALL_ANSWERED || answer->code != 0)
        return;
    bool has = says(answer, "has");
    out->rank = has ? RANK_PRIMARY : says(answer, "runs") ? RANK_REPLICA : RANK_OTHER;
    out->writable = has ? KNOWN_YES : KNOWN_NO;
}

static void keep_running(const struct Answer *answer, void *kept)
{
    *(bool *)kept = says(answer, "runs");
}

static const struct ElectedKind moving = {
    .ask = ask_address, .hear = hear_address, .keep = keep_running, .kept_size = sizeof(bool)};

static void *vrrp_open(const void *config, const struct Role *role, struct Loop *loop,
                       struct Err *err)
{
    struct Vrrp *system = mem_zero(1, sizeof(*system));
    system->config = config;
    if (!elected_open(&system->elected, &moving, role, loop, err)) {
        mem_free(system);
        return NULL;
    }
    system->remote = remote_open(loop, role);
    return system;
}

static void vrrp_close(void *data)
{
    struct Vrrp *system = data;
    elected_cancel(system);
    remote_close(system->remote);
    mem_free(system);
}

static void tell_redundancy(struct Roll *roll)
{
    const struct Vrrp *system = (const struct Vrrp *)roll->system;
    const struct Role *role = roll->system->role;
    struct Redundancy redundancy;
    char why[300];
    size_t leader = roll_leader(roll);
    roll_judge(roll, &redundancy, why);
    if (leader < role->host_count && !*(const bool *)roll_kept(roll, leader)) {
        redundancy.complete = KNOWN_NO;
        redundancy.in_sync--;
        snprintf(why, sizeof(why), "%.100s has the address, but no %.40s that would give it up",
                 role->hosts[leader]->name, system->config->process);
    }
    roll->done.redundancy(roll->data, &redundancy);
}

static void ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_redundancy);
    roll->done.redundancy = done;
    roll->data = data;
    roll_go(roll);
}

/* ---- what its configuration promises ---- */

enum { ADVERT_INT };
static const struct KnobRow rows[] = {
    [ADVERT_INT] = {.name = "advert_int",
                    .unit = KNOB_S,
                    .least = NS_PER_S,
                    .usual = NS_PER_S,
                    .line = "advert_int %s",
                    .written = KNOB_S},
};

/* The skew is left out, which the priorities say. Who is cut off keeps the address. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    *out = (struct Forecast){.failover = {0, NS_NEVER},
                             .acked = {0, KNOB_UNKNOWN},
                             .stays_primary = KNOWN_YES,
                             .allowed = true};
    if (values[ADVERT_INT] != KNOB_UNKNOWN)
        out->failover.high_ns = 3 * values[ADVERT_INT] + NS_PER_S;
}

static const struct KnobTable vrrp_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* The instance that has the address, on each host: "advert_int priority version preempt". */
static const char knobs_sh[] =
    "exec awk -v vip=\"$1\" '"
    "function tell() { if (has) print adv, prio, version, preempt; has = 0 } "
    "BEGIN { version = 2 } "
    "{ sub(/[#!].*/, \"\") } "
    "$1 == \"vrrp_version\" { version = $2 } "
    "$1 == \"vrrp_instance\" { tell(); adv = 1; prio = 100; preempt = \"preempt\" } "
    "$1 == \"advert_int\" { adv = $2 } "
    "$1 == \"priority\" { prio = $2 } "
    "$1 == \"nopreempt\" { preempt = \"nopreempt\" } "
    "{ for (i = 1; i <= NF; i++) if ($i == vip || index($i, vip \"/\") == 1) has = 1 } "
    "END { tell() }' \"$2\"";

struct VrrpProspect {
    struct Outlook outlook; /* first */
    double advert_s, skew_low_s, skew_high_s;
    size_t read;
};

static bool take_knobs(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct VrrpProspect *mine = (struct VrrpProspect *)ask;
    const struct Vrrp *system = (const struct Vrrp *)mine->outlook.roll.system;
    const char *name = system->elected.role->hosts[index]->name;
    double advert_s = 0;
    int priority = 0, version = 0;
    char preempt[16] = "";
    if (answer->end != CALL_ANSWERED || answer->code != 0 ||
        sscanf(answer->bytes, "%lf %d %d %15s", &advert_s, &priority, &version, preempt) != 4) {
        outlook_knob(&mine->outlook, "unread", "%.40s on %.30s", system->config->config_file, name);
        return true;
    }
    double skew_s = (256 - priority) / 256.0 * (version >= 3 ? advert_s : 1);
    outlook_knob(&mine->outlook, "priority", "%d on %.40s", priority, name);
    if (mine->read++ == 0) {
        outlook_knob(&mine->outlook, "advert_int", "%g s", advert_s);
        outlook_knob(&mine->outlook, "version", "%d, %s", version, preempt);
        mine->skew_low_s = skew_s;
    }
    if (advert_s > mine->advert_s)
        mine->advert_s = advert_s;
    if (skew_s < mine->skew_low_s)
        mine->skew_low_s = skew_s;
    if (skew_s > mine->skew_high_s)
        mine->skew_high_s = skew_s;
    return true;
}

static int64_t in_ns(double seconds)
{
    return (int64_t)(seconds * (double)NS_PER_S);
}

/* One that ends in an orderly way says so, and is followed after the skew; one that falls silent
 * is after three missed adverts more. A second for who takes over to set the address. */
static void tell_prospect(struct Roll *roll)
{
    struct VrrpProspect *mine = (struct VrrpProspect *)roll;
    struct Prospect *prospect = &mine->outlook.prospect;
    if (mine->read > 0)
        prospect->failover = (struct Span){
            in_ns(mine->skew_low_s), in_ns(3 * mine->advert_s + mine->skew_high_s) + NS_PER_S};
    prospect->persistence = PERSIST_ALL; /* it has nothing to lose */
    snprintf(mine->outlook.durable, sizeof(mine->outlook.durable), "nothing of its own");
    outlook_tell(&mine->outlook);
}

static void tell_ranks(struct Roll *roll)
{
    struct Vrrp *system = (struct Vrrp *)roll->system;
    struct Outlook *first = (struct Outlook *)roll;
    outlook_judge(first);
    struct VrrpProspect *mine =
        (struct VrrpProspect *)outlook_begin(roll->system, sizeof(*mine), roll->ask.deadline,
                                             tell_prospect, roll->done.prospect, roll->data);
    snprintf(mine->outlook.not_ready, sizeof(mine->outlook.not_ready), "%s", first->not_ready);
    const char *const argv[] = {
        "sh", "-c", knobs_sh, "faildrill", system->config->address, system->config->config_file,
        NULL};
    for (size_t n = 0; n < roll->system->role->host_count; n++) {
        struct AskPart *part = ask_part(&mine->outlook.roll.ask, n, take_knobs);
        part->call = remote_call(system->remote, n, argv, roll->ask.deadline, ask_answered, part);
    }
    ask_go(&mine->outlook.roll.ask);
}

static void ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    struct Outlook *outlook =
        outlook_begin(system, sizeof(*outlook), deadline, tell_ranks, done, data);
    roll_go(&outlook->roll);
}
