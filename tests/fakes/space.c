/* space.c - a host for tests: namespaces with rules and a /run of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "space.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Process 1 reaps, and ends with its standard input: with us. FD_SPACE_SH names another program
 * that is /bin/sh there. */
static const char init_text[] =
    "mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up || exit 1\n"
    "ip link add eth0 type veth peer name wire && ip address add 192.0.2.1/24 dev eth0 &&\n"
    "    ip link set eth0 up && ip link set wire up || exit 1\n"
    "[ -z \"${FD_SPACE_SH:-}\" ] || mount -n --bind \"$FD_SPACE_SH\" \"$(readlink -f /bin/sh)\" || "
    "exit 1\n"
    "echo ready\n"
    "exec 5<&0\n"
    "cat <&5 >/dev/null &\n"
    "while kill -0 $! 2>/dev/null; do sleep 0.2; done\n";

static bool child_of(pid_t parent, char out[16])
{
    char path[64], line[64] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "re");
    bool good =
        file != NULL && fgets(line, sizeof line, file) != NULL && sscanf(line, "%15s", out) == 1;
    if (file != NULL)
        fclose(file);
    return good;
}

bool space_open(struct Space *space, const char *name, const char **why)
{
    bool root = geteuid() == 0;
    const char *argv[24];
    size_t count = 0;
    struct Err err;
    struct Buf out = BUF(4096);
    bool ended = false;
    memset(space, 0, sizeof *space);
    argv[count++] = "unshare";
    if (!root) {
        argv[count++] = "--user";
        argv[count++] = "--map-root-user";
    }
    const char *const more[] = {"--net", "--pid",  "--mount",      "--uts",
                                "--ipc", "--fork", "--kill-child", "--mount-proc",
                                "sh",    "-c",     init_text,      NULL};
    memcpy(argv + count, more, sizeof more);
    *why = "namespaces cannot be had here";
    space->process = process_start(argv, &err);
    if (space->process == NULL)
        return false;
    while (!ended && strstr(out.text, "ready\n") == NULL)
        if (!process_read(space->process, &out, &ended, mono_add(mono_now(), 60 * NS_PER_S), &err))
            ended = true;
    bool good =
        strstr(out.text, "ready\n") != NULL && child_of(process_pid(space->process), space->pid);
    buf_free(&out);
    if (!good) {
        space_close(space);
        return false;
    }
    count = 0;
    const char **words = space->words;
    words[count++] = "nsenter";
    words[count++] = "-t";
    words[count++] = space->pid;
    if (!root) {
        words[count++] = "-U";
        words[count++] = "--preserve-credentials";
    }
    const char *const spaces[] = {"-n", "-p", "-m", "-u", "-i", "--"};
    memcpy(words + count, spaces, sizeof spaces);
    count += COUNT_OF(spaces);
    space->config.words = (struct List){.items = space->words, .count = count};
    space->target = (struct Target){.name = name,
                                    .address = "127.0.0.1",
                                    .reach = &prefix_transport,
                                    .reach_config = &space->config,
                                    .where = NOWHERE};
    return true;
}

void space_close(struct Space *space)
{
    process_finish(space->process);
    space->process = NULL;
}

int space_sh(const struct Space *space, const char *line, struct Buf *out)
{
    const char *argv[24];
    size_t count = space->config.words.count;
    struct Err err;
    struct Buf ignored = BUF(1 << 20);
    int status = -1;
    bool ended = false;
    struct Mono deadline = mono_add(mono_now(), 60 * NS_PER_S);
    memcpy(argv, space->words, count * sizeof *argv);
    argv[count++] = "sh";
    argv[count++] = "-c";
    argv[count++] = line;
    argv[count] = NULL;
    struct Process *process = process_start(argv, &err);
    if (process == NULL)
        return -1;
    process_end_input(process);
    while (!ended)
        if (!process_read(process, out != NULL ? out : &ignored, &ended, deadline, &err))
            break;
    if (!ended || !process_status(process, &status, NULL, deadline, &err))
        status = -1;
    process_finish(process);
    buf_free(&ignored);
    return status;
}

bool space_until(const struct Space *space, const char *line, int seconds)
{
    struct Mono deadline = mono_add(mono_now(), seconds * NS_PER_S);
    do {
        if (space_sh(space, line, NULL) == 0)
            return true;
        poll(NULL, 0, 20);
    } while (mono_before(mono_now(), deadline));
    return false;
}

/* Processes without those of this script, of process 1 (also before they become another program),
 * and of whoever else looks in just now. */
static const char fingerprint_text[] =
    "echo rules; nft list ruleset; ipset list -n 2>&1; ip rule; ip -6 rule; tc qdisc show\n"
    "echo files; find /run | sort\n"
    "echo processes\n"
    "init=$(tr '\\0\\n' '  ' </proc/1/cmdline)\n"
    "for p in /proc/[0-9]*; do\n"
    "    read -r s 2>/dev/null <$p/stat || continue\n"
    "    line=$(tr '\\0\\n' '  ' 2>/dev/null <$p/cmdline)\n"
    "    set -- ${s##*) }\n"
    "    [ \"$2\" = 0 ] || [ \"$2\" = $$ ] || [ \"$1\" = Z ] || [ \"$line\" = \"$init\" ] ||\n"
    "        printf '%s %s\\n' \"$1\" \"$line\"\n"
    "done | grep -a -v -e '^. cat $' -e '^. sleep 0.2 $' -e '^. $' | sort\n"
    "echo oom; cat /proc/[0-9]*/oom_score_adj 2>/dev/null | sort -u\n";

struct Buf space_fingerprint(const struct Space *space)
{
    struct Buf out = BUF(1 << 20);
    space_sh(space, fingerprint_text, &out);
    return out;
}
