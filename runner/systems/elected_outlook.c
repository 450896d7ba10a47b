/* elected_outlook.c - what a prospect of such a system is made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "elected.h"

struct Outlook *outlook_begin(struct Elected *system, size_t size, struct Mono deadline,
                              void (*told)(struct Roll *roll), ProspectFn *done, void *data)
{
    struct Outlook *outlook = roll_begin(system, size, deadline, told);
    outlook->roll.done.prospect = done;
    outlook->roll.data = data;
    outlook->prospect = (struct Prospect){.failover = {0, NS_NEVER}, .keys_at_risk = -1};
    return outlook;
}

void outlook_knob(struct Outlook *outlook, const char *name, const char *format, ...)
{
    if (outlook->knob_count == ELECTED_KNOBS_MAX)
        return;
    char(*texts)[ELECTED_VALUE_MAX] = outlook->values[outlook->knob_count];
    va_list values;
    va_start(values, format);
    snprintf(texts[0], ELECTED_VALUE_MAX, "%s", name);
    vsnprintf(texts[1], ELECTED_VALUE_MAX, format, values);
    va_end(values);
    outlook->knobs[outlook->knob_count++] = (struct Knob){.name = texts[0], .value = texts[1]};
}

void outlook_trap(struct Outlook *outlook, const char *format, ...)
{
    if (outlook->not_ready[0] != '\0')
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(outlook->not_ready, sizeof(outlook->not_ready), format, values);
    va_end(values);
}

void outlook_judge(struct Outlook *outlook)
{
    const struct Role *role = outlook->roll.system->role;
    size_t primaries = roll_primaries(&outlook->roll), replicas = 0;
    for (size_t n = 0; n < role->host_count; n++) {
        replicas += outlook->roll.said[n].rank == RANK_REPLICA ? 1 : 0;
        if (outlook->roll.said[n].rank == RANK_UNKNOWN)
            outlook_trap(outlook, "%.100s does not say whether it leads", role->hosts[n]->name);
    }
    if (primaries == 0)
        outlook_trap(outlook, "no host says that it is the primary");
    if (primaries > 1)
        outlook_trap(outlook, "%zu hosts say that they are the primary", primaries);
    if (replicas == 0)
        outlook_trap(outlook, "there is no replica that could take over");
}

void outlook_tell(struct Outlook *outlook)
{
    struct Prospect *prospect = &outlook->prospect;
    prospect->knobs = outlook->knobs;
    prospect->knob_count = outlook->knob_count;
    prospect->not_ready = outlook->not_ready[0] != '\0' ? outlook->not_ready : NULL;
    prospect->loss = outlook->loss[0] != '\0' ? outlook->loss : NULL;
    prospect->durable = outlook->durable[0] != '\0' ? outlook->durable : NULL;
    outlook->roll.done.prospect(outlook->roll.data, prospect);
}
