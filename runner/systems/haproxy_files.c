/* haproxy_files.c - how often the proxies check their servers, by their own files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "haproxy.h"

/* A line a server of the section: "inter fastinter check". What stands in `defaults` holds for the
 * sections behind it until the next one; an option of the server wins. Whoever inherits by name
 * (`from`) or by a template is not understood, and says so by its status. A bare number is
 * milliseconds; fastinter and `timeout check` are inter where nothing sets them. */
static const char checks_awk[] =
    "function is_section(word) { return index(\" global defaults listen frontend backend peers "
    "resolvers mailers userlist cache program ring http-errors log-forward fcgi-app \", "
    "\" \" word \" \") } "
    "function time(text) { return text ~ /^[0-9]+$/ ? text \"ms\" : text } "
    "function options(first, i) { for (i = first; i < NF; i++) { "
    "if ($i == \"inter\") inter = time($(i + 1)); "
    "if ($i == \"fastinter\") fast = time($(i + 1)) } } "
    "{ sub(/(^|[ \\t])#.*/, \"\"); gsub(/\"/, \"\") } "
    "NF == 0 { next } "
    "is_section($1) { section = $1; own = ($1 == \"listen\" || $1 == \"backend\") && $2 == name; "
    "for (i = 2; i <= NF; i++) if ($i == \"from\" && (own || section == \"defaults\")) bad = 1; "
    "if (section == \"defaults\") { usual_inter = \"2s\"; usual_fast = usual_check = \"\" } "
    "inter = usual_inter; fast = usual_fast; check = usual_check; next } "
    "own || section == \"defaults\" { "
    "if ($1 == \"timeout\" && $2 == \"check\") check = time($3); "
    "if ($1 == \"default-server\") options(2); "
    "if (section == \"defaults\") { usual_inter = inter; usual_fast = fast; usual_check = check } "
    "} "
    "own && $1 == \"server-template\" { bad = 1 } "
    "own && $1 == \"server\" { i_was = inter; f_was = fast; options(4); seen++; "
    "line[seen] = inter \" \" (fast == \"\" ? inter : fast); each[seen] = inter; "
    "inter = i_was; fast = f_was } "
    "own { last = check } "
    "BEGIN { usual_inter = \"2s\" } "
    "END { if (bad || seen == 0) exit 3; "
    "for (i = 1; i <= seen; i++) print line[i], (last == \"\" ? each[i] : last) }";

static void keep_longest(struct Checks *checks, bool first, int64_t *longest, int64_t ns)
{
    checks->differ = checks->differ || (!first && ns != *longest);
    if (first || ns > *longest)
        *longest = ns;
}

/* One server's; false where it is no three times. */
static bool take_server(struct Checks *checks, bool first, const char *line)
{
    char inter[24], fast[24], check[24];
    int64_t inter_ns, fast_ns, check_ns;
    if (sscanf(line, "%23s %23s %23s", inter, fast, check) != 3 ||
        !duration_parse(inter, &inter_ns, NULL) || !duration_parse(fast, &fast_ns, NULL) ||
        !duration_parse(check, &check_ns, NULL))
        return false;
    keep_longest(checks, first, &checks->inter_ns, inter_ns);
    keep_longest(checks, first, &checks->fastinter_ns, fast_ns);
    keep_longest(checks, first, &checks->check_ns, check_ns);
    return true;
}

void haproxy_take_file(struct Checks *checks, size_t proxy, const struct Answer *answer)
{
    struct Checks found = *checks;
    bool good = answer->end == CALL_ANSWERED && answer->code == 0 && !answer->cut;
    bool first = found.read == 0, any = false;
    for (const char *at = answer->bytes; good && *at != '\0'; any = true) {
        good = take_server(&found, first && !any, at);
        while (*at != '\0' && *at++ != '\n')
            continue;
    }
    if (!good || !any)
        return;
    found.read++;
    found.unread[proxy] = false;
    *checks = found;
}

void haproxy_ask_files(struct Haproxy *system, struct Ask *ask, AskFn *fn, struct Checks *checks)
{
    const struct HaproxyConfig *config = system->config;
    char name[300];
    const char *const argv[] = {"awk", "-v", name, checks_awk, config->config_file, NULL};
    *checks = (struct Checks){.read = 0};
    if (config->proxies.count == 0)
        *checks = (struct Checks){.read = 1,
                                  .inter_ns = config->inter_ns,
                                  .fastinter_ns = config->fastinter_ns,
                                  .check_ns = config->check_ns};
    snprintf(name, sizeof(name), "name=%.290s", config->backend);
    for (size_t n = 0; n < config->proxies.count; n++) {
        struct AskPart *part = ask_part(ask, n, fn);
        checks->unread[n] = true;
        part->call = remote_call(system->remote, n, argv, ask->deadline, ask_answered, part);
    }
}
