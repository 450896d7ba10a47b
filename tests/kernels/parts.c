/* parts.c - writes the parts of a fault, as they would run on a host, into a folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runner/faults/kinds.h"

/* As delay.c and reboot.c lay their configs out. */
struct DelayWords {
    const struct Node *target;
    int64_t by_ns, jitter_ns;
    int64_t reorder, duplicate, corrupt;
};
struct RebootWords {
    const struct Node *target;
    int by_sysrq;
};

static bool write_part(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    bool good = fputs(text, file) >= 0;
    return fclose(file) == 0 && good;
}

static bool plan(char **argv, struct PlanInput *input, struct HostFacts *facts, struct Arena *arena,
                 struct Procedure *out, struct Err *err)
{
    int64_t values[5];
    for (int i = 0; i < 5; i++)
        values[i] = strtoll(argv[i + 2], NULL, 10);
    const struct DelayWords delay = {
        NULL, values[0] * NS_PER_MS, values[1] * NS_PER_MS, values[2], values[3], values[4]};
    const struct RebootWords reboot = {NULL, 1};
    facts->panic_s = values[1];
    if (strcmp(argv[4], "none") != 0)
        input->power = (struct Power){.down = argv[4], .up = argv[5], .status = argv[6]};
    if (strcmp(argv[2], "reboot") == 0)
        return reboot_fault.plan(&reboot, input, arena, out, err);
    if (strcmp(argv[2], "crash") == 0)
        return crash_fault.plan(&reboot, input, arena, out, err);
    return delay_fault.plan(&delay, input, arena, out, err);
}

/* parts FOLDER BY JITTER REORDER DUPLICATE CORRUPT: milliseconds, and shares in millionths;
 * parts FOLDER reboot|crash PANIC DOWN|none UP STATUS: by sysrq; kernel.panic, and the provider. */
int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    struct Arena *arena = arena_new("parts", 4 << 20);
    const struct Target host = {.name = "node"};
    const struct Role role = {.name = "victim"};
    const struct Token token = {"01k2"};
    struct HostFacts facts = {.nft = true, .netem = true, .sysrq = true, .root_qdisc = ""};
    struct PlanInput input = {.target = &host,
                              .role = &role,
                              .facts = &facts,
                              .token = &token,
                              .number = 1,
                              .hold_ns = -1,
                              .lease_ns = 30 * NS_PER_S,
                              .cap_ns = 75 * NS_PER_S};
    struct Procedure procedure;
    struct Err err;
    if (!plan(argv, &input, &facts, arena, &procedure, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const struct {
        const char *name;
        const struct Commands *commands;
    } parts[] = {{"save", &procedure.save},       {"apply", &procedure.apply},
                 {"undo", &procedure.undo},       {"place", &procedure.in_place},
                 {"clear", &procedure.all_clear}, {"renew", &procedure.renew},
                 {"strike", &procedure.strike},   {"returned", &procedure.returned}};
    bool good = true;
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        good = write_part(argv[1], parts[i].name, commands_shell(parts[i].commands, arena)) && good;
    arena_free(arena);
    return good ? 0 : 1;
}
