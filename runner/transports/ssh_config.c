/* ssh_config.c - where `ssh HOST` would go, and with what, as `ssh -G` says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_config.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "process.h"

#define ANSWER_MAX (256 * 1024)

static const char *home(void)
{
    const char *path = getenv("HOME");
    return path != NULL ? path : "/";
}

/* The tokens of ssh_config(5) that stand in paths and commands; `~` at the beginning. */
static const char *fill(const struct SshWay *way, const char *text, struct Arena *arena)
{
    struct Buf out = BUF(8192);
    if (text[0] == '~' && text[1] == '/') {
        buf_put(&out, home());
        text++;
    }
    for (; *text != '\0'; text++) {
        if (*text != '%' || text[1] == '\0') {
            buf_char(&out, *text);
            continue;
        }
        text++;
        const char *value = *text == 'h'   ? way->host
                            : *text == 'p' ? way->port
                            : *text == 'r' ? way->user
                            : *text == 'd' ? home()
                            : *text == 'n' ? way->host
                                           : "%";
        buf_put(&out, value);
    }
    const char *filled = arena_text(arena, out.text);
    buf_free(&out);
    return filled;
}

static void add_words(struct List *list, const struct SshWay *way, char *words, struct Arena *arena)
{
    char *save = NULL;
    for (char *word = strtok_r(words, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        *(const char **)list_add(list, arena, sizeof(char *)) = fill(way, word, arena);
}

static bool is_none(const char *value)
{
    return strcmp(value, "none") == 0 || *value == '\0';
}

static void take(struct SshWay *way, const char *key, char *value, struct Arena *arena)
{
    if (strcmp(key, "user") == 0)
        way->user = value;
    else if (strcmp(key, "hostname") == 0)
        way->host = value;
    else if (strcmp(key, "port") == 0)
        way->port = value;
    else if (strcmp(key, "hostkeyalias") == 0 && !is_none(value))
        way->alias = value;
    else if (strcmp(key, "identitiesonly") == 0)
        way->identities_only = strcmp(value, "yes") == 0;
    else if (strcmp(key, "identityagent") == 0)
        way->agent = strcmp(value, "SSH_AUTH_SOCK") == 0 ? getenv("SSH_AUTH_SOCK")
                     : is_none(value)                    ? NULL
                                                         : fill(way, value, arena);
    else if (strcmp(key, "identityfile") == 0 && !is_none(value))
        *(const char **)list_add(&way->identities, arena, sizeof(char *)) = fill(way, value, arena);
    else if (strcmp(key, "userknownhostsfile") == 0 || strcmp(key, "globalknownhostsfile") == 0)
        add_words(&way->known, way, value, arena);
    else if (strcmp(key, "proxyjump") == 0 && !is_none(value))
        way->jump = value;
    else if (strcmp(key, "proxycommand") == 0 && !is_none(value))
        way->command = value;
}

bool ssh_way_read(const struct SshConfig *config, const struct Target *target, struct Mono deadline,
                  struct Arena *arena, struct SshWay *out, struct Err *err)
{
    struct SshWay way = {.agent = getenv("SSH_AUTH_SOCK")};
    struct Buf answer = BUF(ANSWER_MAX);
    const char *argv[12];
    size_t count = 0;
    argv[count++] = "ssh";
    argv[count++] = "-G";
    if (config->config != NULL) {
        argv[count++] = "-F";
        argv[count++] = config->config;
    }
    if (config->user != NULL) {
        argv[count++] = "-l";
        argv[count++] = config->user;
    }
    if (config->port != 0) {
        argv[count++] = "-p";
        argv[count++] = arena_printf(arena, "%" PRId64, config->port);
    }
    argv[count++] = "--";
    argv[count++] = target->name;
    argv[count] = NULL;
    if (!process_output(argv, &answer, deadline, err)) {
        buf_free(&answer);
        return false;
    }
    char *save = NULL;
    for (char *line = strtok_r(arena_text(arena, answer.text), "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, ' ');
        if (value == NULL)
            continue;
        *value++ = '\0';
        take(&way, line, value, arena);
    }
    buf_free(&answer);
    if (way.user == NULL || way.host == NULL || way.port == NULL)
        return err_set(err, ERR_TARGET, target->where, "`ssh -G %s` does not say where it goes",
                       target->name);
    /* ssh_config names another host only where it has something to say; else `address:` counts. */
    if (target->address != NULL && strcmp(way.host, target->name) == 0)
        way.host = target->address;
    if (way.command != NULL)
        way.command = fill(&way, way.command, arena);
    *out = way;
    return true;
}

static bool is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

bool ssh_way_resolve(const char *host, struct Mono deadline, struct Arena *arena, const char **out,
                     struct Err *err)
{
    struct Buf answer = BUF(4096);
    if (is_numeric(host)) {
        *out = host;
        return true;
    }
    const char *const argv[] = {"getent", "ahosts", "--", host, NULL};
    bool good = process_output(argv, &answer, deadline, err);
    if (good) {
        char *first = arena_bytes(arena, answer.text, strcspn(answer.text, " \t\n"));
        *out = first;
        good = is_numeric(first);
    }
    if (!good)
        err_set(err, ERR_TARGET, NOWHERE, "'%s' resolves to no address", host);
    buf_free(&answer);
    return good;
}

bool ssh_address(const void *config, const struct Target *target, struct Mono deadline,
                 struct Arena *arena, const char **out, struct Err *err)
{
    struct SshWay way = {0};
    *out = NULL;
    if (!ssh_way_read(config, target, deadline, arena, &way, err))
        return false;
    if (way.jump != NULL || way.command != NULL)
        return true; /* its name may mean nothing here */
    return ssh_way_resolve(way.host, deadline, arena, out, err);
}
