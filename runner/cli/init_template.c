/* init_template.c - scenarios to begin with, 15 lines at most each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "init_template.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/text.h"

enum { FILLED_MOST = 16 << 10 };

#define HEAD                                                                                       \
    "# yaml-language-server: $schema=../.faildrill/schema/scenario.json\n"                         \
    "scenario: @NAME\n"
#define ONE_VICTIM                                                                                 \
    "targets:\n"                                                                                   \
    "  victim: {role: @ROLE, pick: 1}\n"                                                           \
    "probes:\n"                                                                                    \
    "  service: {@PROBE, every: 100ms}\n"                                                          \
    "steps:\n"
#define BACK_IN_TIME                                                                               \
    "halt:\n"                                                                                      \
    "  service: {max_outage: 45s}             # stop at once and undo\n"                           \
    "expect:\n"                                                                                    \
    "  service: {recover_within: 20s}\n"

static const struct Template TEMPLATES[] = {
    {.name = "machine",
     .role = "api",
     .text = HEAD "hypothesis: Users hardly notice when one machine of @ROLE is lost.\n" ONE_VICTIM
                  "  - isolate: victim                      # silence, as if its power were cut; "
                  "our ssh stays\n"
                  "    for: 60s\n" BACK_IN_TIME},
    {.name = "redis_sentinel",
     .role = "redis",
     .text = HEAD "hypothesis: When the primary of @ROLE dies, writes go on within 20s and none is "
                  "lost.\n"
                  "targets:\n"
                  "  primary: {role: @ROLE, is: primary}\n"
                  "probes:\n"
                  "  writes: {ledger: @ROLE, every: 50ms}   # numbered writes, read back at the "
                  "end\n"
                  "  primary: {primary: @ROLE, every: 250ms} # asks every host whether it leads\n"
                  "steps:\n"
                  "  - {kill: primary, for: 60s}            # longer than the failover takes\n"
                  "halt:\n"
                  "  writes: {max_outage: 45s}              # stop at once and undo\n"
                  "expect:\n"
                  "  writes: {recover_within: 20s, max_lost: 0}\n"
                  "  primary: {failover_within: 20s}\n"},
    {.name = "patroni",
     .role = "postgres",
     .text = HEAD "hypothesis: When the primary of @ROLE dies, writes go on within 60s and none is "
                  "lost.\n"
                  "targets:\n"
                  "  primary: {role: @ROLE, is: primary}\n"
                  "probes:\n"
                  "  writes: {ledger: @ROLE, every: 50ms}   # numbered rows, read back at the "
                  "end\n"
                  "  primary: {primary: @ROLE, every: 250ms} # asks every host whether it leads\n"
                  "steps:\n"
                  "  - {kill: primary, for: 90s}            # ttl 30: 23 to 48 s to fail over\n"
                  "halt:\n"
                  "  writes: {max_outage: 75s}              # stop at once and undo\n"
                  "expect:\n"
                  "  writes: {recover_within: 60s, max_lost: 0}\n"
                  "  primary: {failover_within: 60s}\n"},
    {.name = "partition",
     .role = "api",
     .text = HEAD
     "hypothesis: One host of @ROLE that the others hear no more costs users little.\n" ONE_VICTIM
     "  - cut: {between: [victim, peers]}      # our ssh stays; a kernel timer ends "
     "it\n"
     "    for: 60s\n" BACK_IN_TIME},
    {.name = "restore",
     .role = "restore_lab",
     .text = HEAD "hypothesis: An engineer with the runbook has the data back in 20m, 15m old at "
                  "most.\n"
                  "targets:\n"
                  "  lab: {role: @ROLE, pick: 1}\n"
                  "steps:                                   # your own commands on that host\n"
                  "  - {run: restore-empty-the-lab, target: lab, measure: rto}\n"
                  "  - {run: restore-newest-backup, target: lab, timeout: 40m, measure: rto}\n"
                  "  - run: restore-age-of-newest-row       # prints seconds\n"
                  "    target: lab\n"
                  "    capture: {data_age: {stdout: seconds}}\n"
                  "expect:\n"
                  "  rto: {max: 20m}\n"
                  "  data_age: {max: 15m}\n"},
    {.name = "dns",
     .role = "api",
     .text = HEAD
     "hypothesis: Users hardly notice when one machine of @ROLE resolves no names.\n" ONE_VICTIM
     "  - dns_cut: victim                      # its queries vanish, whom ever it "
     "asks\n"
     "    for: 60s\n" BACK_IN_TIME},
    {.name = "disk",
     .role = "api",
     .text =
         HEAD "hypothesis: Users hardly notice when a disk of @ROLE is nearly full.\n" ONE_VICTIM
              "  - {disk_fill: victim, path: /var, leave: 200MiB, for: 60s}\n" BACK_IN_TIME},
};

const struct Template *template_find(const char *name, struct Err *err)
{
    const char *names[COUNT_OF(TEMPLATES)];
    for (size_t at = 0; at < COUNT_OF(TEMPLATES); at++) {
        if (text_equal(TEMPLATES[at].name, name))
            return &TEMPLATES[at];
        names[at] = TEMPLATES[at].name;
    }
    err_set(err, ERR_USAGE, NOWHERE, "there is no template '%s'", name);
    for (size_t at = 0; at < COUNT_OF(TEMPLATES); at++)
        err_allow(err, names[at]);
    const char *nearest = text_nearest(name, names, COUNT_OF(TEMPLATES));
    if (nearest != NULL)
        err_hint(err, "did you mean `%s`?", nearest);
    return NULL;
}

const char *template_fill(const struct Template *template, const char *name, const char *role,
                          const char *probe, struct Arena *arena)
{
    const struct {
        const char *mark, *value;
    } marks[] = {{"@NAME", name}, {"@ROLE", role}, {"@PROBE", probe}};
    struct Buf out = BUF(FILLED_MOST);
    for (const char *at = template->text; *at != '\0';) {
        size_t found = 0;
        while (found < COUNT_OF(marks) && !text_starts(at, marks[found].mark))
            found++;
        if (found < COUNT_OF(marks)) {
            buf_put(&out, marks[found].value);
            at += strlen(marks[found].mark);
        } else {
            buf_char(&out, *at++);
        }
    }
    const char *text = arena_bytes(arena, out.text, out.size);
    buf_free(&out);
    return text;
}
