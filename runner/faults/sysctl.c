/* sysctl.c - a kernel setting has another value; what it was comes back where it is still ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>

#include "../base/text.h"
#include "../schema/decode.h"
#include "commands.h"
#include "kinds.h"

#define KEY_MOST 200
#define VALUE_MOST 200

struct SysctlConfig {
    const struct Node *target;
    const char *key, *value;
};

static void sysctl_check(const void *record, const struct Node *node, struct Decode *decode);
static bool sysctl_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err);

static const struct Field sysctl_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct SysctlConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "On which machines: the name of a target, or a target written in place."},
    {.name = "key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SysctlConfig, key),
     .flags = FIELD_REQUIRED,
     .example = "net.ipv4.tcp_retries2",
     .doc = "The setting, as sysctl names it."},
    {.name = "value",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SysctlConfig, value),
     .flags = FIELD_REQUIRED,
     .example = "\"3\"",
     .doc = "What it is set to."},
    {.name = NULL}};

const struct FaultKind sysctl_fault = {
    .name = "sysctl",
    .summary = "a kernel setting has another value",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "sysctl",
               .doc = "Sets a kernel setting; what it was comes back where the value is still "
                      "ours, and what somebody else set meanwhile is left and said.",
               .size = sizeof(struct SysctlConfig),
               .fields = sysctl_fields,
               .check = sysctl_check},
    .plan = sysctl_plan,
};

/* What one cannot take back by writing the old value, or what our own way or the undo would not
 * survive. */
static const struct {
    const char *pattern, *why;
} refused[] = {
    {"dev.*", "it is no setting but a device"},
    {"abi.*", "programs would no longer start"},
    {"fs.binfmt_misc.*", "programs would no longer start"},
    {"fs.file-max", "our own login would find no descriptor"},
    {"fs.nr_open", "our own login would find no descriptor"},
    {"kernel.core_pattern", "it names a program that runs as root"},
    {"kernel.modprobe", "it names a program that runs as root"},
    {"kernel.hotplug", "it names a program that runs as root"},
    {"kernel.poweroff_cmd", "it names a program that runs as root"},
    {"kernel.usermodehelper.*", "it cannot be set back"},
    {"kernel.cap_last_cap", "it cannot be set back"},
    {"kernel.kexec_load*", "it cannot be set back"},
    {"kernel.modules_disabled", "it cannot be set back"},
    {"kernel.ns_last_pid", "it cannot be set back"},
    {"kernel.random.*", "it cannot be set back"},
    {"kernel.unprivileged_bpf_disabled", "it cannot be set back"},
    {"kernel.yama.ptrace_scope", "it cannot be set back"},
    {"kernel.hostname", "what names hosts would take this one for another"},
    {"kernel.domainname", "what names hosts would take this one for another"},
    {"kernel.panic*", "the next fault of the kernel would end the host"},
    {"kernel.*_panic", "the next fault of the kernel would end the host"},
    {"kernel.sysrq", "the last way into a host is not for drills"},
    {"kernel.pid_max", "no process could be started for the undo"},
    {"kernel.threads-max", "no process could be started for the undo"},
    {"user.*", "no process could be started for the undo"},
    {"vm.compact_memory", "it is no setting but an order"},
    {"vm.drop_caches", "it is no setting but an order"},
    {"*.flush", "it is no setting but an order"},
    {"vm.dirty_*bytes", "it changes another setting as well"},
    {"vm.dirty_*ratio", "it changes another setting as well"},
    {"vm.overcommit_*", "no process could be started for the undo"},
    {"vm.min_free_kbytes", "no process could be started for the undo"},
    {"vm.admin_reserve_kbytes", "no process could be started for the undo"},
    {"vm.user_reserve_kbytes", "no process could be started for the undo"},
    {"vm.max_map_count", "no process could be started for the undo"},
    {"vm.nr_*hugepages*", "it takes memory that the undo may need"},
    {"vm.panic_on_oom", "the next fault of the kernel would end the host"},
    {"net.ipv4.ip_forward*", "it changes other settings as well"},
    {"net.*.forwarding", "it changes other settings as well"},
    {"net.ipv4.conf.*", "packets to our own login could be dropped"},
    {"net.ipv6.conf.*", "addresses and routes would be lost"},
    {"net.ipv[46].neigh.*", "packets to our own login could be dropped"},
    {"net.ipv[46].route.*", "packets to our own login could be dropped"},
    {"net.ipv4.ip_default_ttl", "packets to our own login could be dropped"},
    {"net.ipv4.tcp_mem", "packets to our own login could be dropped"},
    {"net.ipv4.tcp_[rw]mem", "packets to our own login could be dropped"},
    {"net.core.netdev_*", "packets to our own login could be dropped"},
    {"net.bridge.*", "packets to our own login could be dropped"},
    {"net.mptcp.*", "packets to our own login could be dropped"},
    {"net.netfilter.nf_conntrack_max", "our own next connection could be dropped"},
    {"net.nf_conntrack_max", "our own next connection could be dropped"},
    {"sunrpc.*", "it is no setting but an order"},
};

/* NULL, or why it may not be set. Slashes and dots change places as with sysctl(8): the first one
 * says which of them separates. */
static const char *key_fault(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_./@:-";
    char dotted[KEY_MOST + 1];
    size_t size = strlen(key);
    if (size == 0 || size > KEY_MOST || key[strspn(key, letters)] != '\0')
        return "a setting's name has letters, digits and _./@:- only";
    if (strpbrk(key, "./") == NULL || strchr("./-", key[0]) != NULL ||
        strchr("./", key[size - 1]) != NULL || strstr(key, "..") != NULL ||
        strstr(key, "//") != NULL || strstr(key, "./") != NULL || strstr(key, "/.") != NULL)
        return "write it like net.ipv4.tcp_retries2";
    bool by_slash = *strpbrk(key, "./") == '/';
    for (size_t i = 0; i <= size; i++)
        dotted[i] = !by_slash ? key[i] : key[i] == '/' ? '.' : key[i] == '.' ? '/' : key[i];
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if (fnmatch(refused[i].pattern, dotted, 0) == 0)
            return refused[i].why;
    return NULL;
}

static const char *value_fault(const char *value)
{
    size_t size = strlen(value);
    if (size == 0 || size > VALUE_MOST || value[strspn(value, " \t")] == '\0')
        return "it is empty or too long";
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] < ' ' && value[i] != '\t')
            return "it is more than one line";
    return NULL;
}

static struct Where place_of(const struct Node *node, const char *key)
{
    const struct Node *item = node_get(node, key);
    return item != NULL ? item->where : node->where;
}

#define KEY_WORDS "no fault may set '%s': %s"
#define VALUE_WORDS "'%s' is no value of a setting: %s"

static void sysctl_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct SysctlConfig *config = record;
    const char *why = reference_present(config->key) ? NULL : key_fault(config->key);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, "key"), NULL, KEY_WORDS,
                     config->key, why);
    why = reference_present(config->value) ? NULL : value_fault(config->value);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, "value"), NULL, VALUE_WORDS,
                     config->value, why);
}

/* Below /proc/sys. */
static const char *path_of(const char *key, struct Arena *arena)
{
    char *path = arena_text(arena, key);
    bool by_slash = *strpbrk(key, "./") == '/';
    for (char *c = path; *c != '\0' && !by_slash; c++)
        *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
    return path;
}

/* As the kernel's own is read: one blank between two words. */
static const char *plain_value(const char *value, struct Arena *arena)
{
    char *plain = arena_text(arena, value), *to = plain;
    for (const char *from = value; *from != '\0'; from++) {
        bool blank = *from == ' ' || *from == '\t';
        if (!blank)
            *to++ = *from;
        else if (to > plain && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > plain && to[-1] == ' ')
        to--;
    *to = '\0';
    return plain;
}

static bool sysctl_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err)
{
    const struct SysctlConfig *config = data;
    struct Procedure procedure = procedure_of(input, CLASS_REBOOT);
    const char *why = key_fault(config->key);
    if (why != NULL)
        return err_set(err, ERR_VALUE, input->target->where, KEY_WORDS, config->key, why);
    why = value_fault(config->value);
    if (why != NULL)
        return err_set(err, ERR_VALUE, input->target->where, VALUE_WORDS, config->value, why);
    const char *path = path_of(config->key, arena), *value = plain_value(config->value, arena);
    const struct {
        struct Commands *part;
        const char *what, *verb;
    } rows[] = {
        {&procedure.save, "keep the old value", "setting_save"},
        {&procedure.apply, arena_printf(arena, "set %s to %s", config->key, value), "setting"},
        {&procedure.in_place, "the value is ours", "setting_place"},
        {&procedure.undo, "set the old value where ours still stands", "setting_undo"},
        {&procedure.all_clear, "the value is the old one", "setting_clear"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        commands_add(rows[i].part, arena, rows[i].what, 20, "sh", "service", "file", rows[i].verb,
                     path, value, NULL);
    *out = procedure;
    return true;
}
