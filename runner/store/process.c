/* process.c - a process named so that another one can tell whether it still lives. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "inside.h"

/* A small file of /proc; false where there is none. */
static bool read_small(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got;
    do
        got = read(fd, out, room - 1);
    while (got < 0 && errno == EINTR);
    close(fd);
    if (got <= 0)
        return false;
    out[got] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return true;
}

/* Its state (field 3) and start time (field 22). The name before them may hold anything, so they
 * are counted from the last parenthesis. */
static bool read_stat(int64_t pid, char *state, int64_t *started)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
    if (!read_small(path, text, sizeof(text)))
        return false;
    const char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ')
        return false;
    *state = at[2];
    at += 2;
    for (int field = 3; field < 22; field++) {
        at = strchr(at, ' ');
        if (at == NULL)
            return false;
        at++;
    }
    *started = strtoll(at, NULL, 10);
    return true;
}

static const char *pid_namespace(struct Arena *arena)
{
    char text[64];
    ssize_t size = readlink("/proc/self/ns/pid", text, sizeof(text));
    return size > 0 ? arena_bytes(arena, text, (size_t)size) : "";
}

void process_self(struct Process *out, struct Arena *arena)
{
    char state = ' ';
    char boot_id[64] = "";
    char machine[256] = "";
    out->pid = getpid();
    out->started = 0;
    if (!read_stat(out->pid, &state, &out->started) ||
        !read_small("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) ||
        gethostname(machine, sizeof(machine) - 1) != 0)
        bug("/proc does not say who we are");
    out->boot_id = arena_text(arena, boot_id);
    out->machine = arena_text(arena, machine);
    out->pid_namespace = pid_namespace(arena);
}

enum Known process_alive(const struct Process *process)
{
    struct Arena *arena = arena_new("process", 4096);
    struct Process self;
    process_self(&self, arena);
    bool same_machine = text_equal(self.machine, process->machine);
    bool same_boot = text_equal(self.boot_id, process->boot_id);
    bool same_pids = text_equal(self.pid_namespace, process->pid_namespace);
    arena_free(arena);
    if (!same_machine)
        return KNOWN_UNKNOWN;
    if (!same_boot)
        return KNOWN_NO;
    if (!same_pids)
        return KNOWN_UNKNOWN;
    if (process->pid <= 0 || (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH))
        return KNOWN_NO;
    char state = ' ';
    int64_t started = 0;
    if (!read_stat(process->pid, &state, &started))
        return KNOWN_YES; /* it is there, and hides its /proc from us */
    return started == process->started && state != 'Z' && state != 'X' ? KNOWN_YES : KNOWN_NO;
}

void query_process(struct Query *query, const struct Process *process)
{
    query_int(query, process->pid);
    query_int(query, process->started);
    query_text(query, process->boot_id);
    query_text(query, process->pid_namespace);
    query_text(query, process->machine);
}

void row_process(struct Query *query, struct Arena *arena, struct Process *out)
{
    out->pid = row_int(query);
    out->started = row_int(query);
    out->boot_id = row_text_or(query, arena, "");
    out->pid_namespace = row_text_or(query, arena, "");
    out->machine = row_text_or(query, arena, "");
}
