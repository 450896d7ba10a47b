/* openssh.c - hosts by the system's ssh: one connection kept by a process, a process a channel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../base/text.h"
#include "process.h"
#include "quote.h"
#include "openssh.h"

#define LINE_MAX_BYTES (128 * 1024)
#define ANSWER_MAX 4096

struct OpenChannel {
    struct OpenSsh *session;
    struct Process *process;
};

/* ---- Opening. ---- */

/* Whoever ends this shell's child, the folder goes. */
static const char master_line[] =
    "folder=$1; shift; trap : TERM; \"$@\"; status=$?; rm -rf \"$folder\"; exit $status";

/* Given a key that is offered, prints it as known where its fingerprint is the pinned one. */
#define KNOWN_BY_PIN                                                                               \
    "KnownHostsCommand=/bin/sh -c 'test \"$1\" != \"$0\" || echo \"$2 $3 $4\"' %s %%f %%H %%t %%K"

struct Words {
    const char *at[48];
    size_t count;
    struct Arena *arena;
};

static void add(struct Words *words, const char *word)
{
    if (words->count + 1 >= COUNT_OF(words->at))
        bug("too many words for ssh");
    words->at[words->count++] = word;
}

static void add_option(struct Words *words, const char *option)
{
    add(words, "-o");
    add(words, option);
}

/* `types`: of the only host keys to accept; NULL = as the config says. */
static void master_words(struct Words *words, const struct OpenSsh *session,
                         const struct SshConfig *config, const struct SshWay *way,
                         const char *types, struct Mono deadline)
{
    struct Arena *arena = words->arena;
    const char *pin = session->target->host_key;
    int seconds = (int)(mono_since(mono_now(), deadline) / NS_PER_S) + 1;
    const char *const start[] = {
        "sh", "-c",   master_line, "faildrill-ssh", session->folder, "ssh", "-M", "-T",
        "-e", "none", "-S"};
    for (size_t i = 0; i < COUNT_OF(start); i++)
        add(words, start[i]);
    add(words, arena_printf(arena, "%s/s", session->folder));
    add(words, "-F");
    add(words, arena_printf(arena, "%s/config", session->folder));
    add_option(words, arena_printf(arena, "ConnectTimeout=%d", seconds));
    add_option(words, arena_printf(arena, "HostName=%s", way->host));
    add_option(words, "ClearAllForwardings=yes");
    add_option(words, "RemoteCommand=none");
    if (pin != NULL) {
        add_option(words, "UserKnownHostsFile=/dev/null");
        add_option(words, "GlobalKnownHostsFile=/dev/null");
        add_option(words, arena_printf(arena, KNOWN_BY_PIN, pin));
    }
    if (types != NULL)
        add_option(words, arena_printf(arena, "HostKeyAlgorithms=%s", types));
    if (config->user != NULL) {
        add(words, "-l");
        add(words, config->user);
    }
    if (config->port != 0) {
        add(words, "-p");
        add(words, arena_printf(arena, "%" PRId64, config->port));
    }
    add(words, "--");
    add(words, session->target->name);
    add(words, "echo fd:open; exec cat >/dev/null");
    add(words, NULL);
}

/* The last line that ssh said is why. */
static bool say_why(const struct Target *target, const struct Buf *errors, struct Err *err)
{
    const char *why = "it said nothing";
    size_t size = strlen(why);
    bool stranger = strstr(errors->text, "ost key verification failed") != NULL ||
                    strstr(errors->text, "host key is known for") != NULL;
    for (const char *line = errors->text; *line != '\0';
         line += strcspn(line, "\n"), line += *line == '\n')
        if (strcspn(line, "\r\n") > 0 && *line != '@') {
            why = line;
            size = strcspn(line, "\r\n");
        }
    struct Buf seen = BUF(300);
    buf_visible(&seen, why, size, false);
    err_set(err, stranger ? ERR_IDENTITY : ERR_TARGET, target->where,
            "ssh does not get to '%s': %s", target->name, seen.text);
    buf_free(&seen);
    if (stranger)
        return err_hint(err, "Check the key, then put it into known_hosts or `host_key:`.");
    return err_hint(err, "`ssh -o BatchMode=yes %s true` must work without a question.",
                    target->name);
}

static bool await_master(struct OpenSsh *session, struct Mono deadline, struct Err *err)
{
    struct Buf out = BUF(ANSWER_MAX), errors = BUF(64 * 1024);
    bool ended = false, open = false, heard = true;
    while (!ended && !open && heard) {
        heard = process_read(session->master, &out, &ended, deadline, err);
        open = strstr(out.text, "fd:open\n") != NULL;
    }
    if (!open && ended) {
        int status = -1;
        if (process_status(session->master, &status, &errors, deadline, err))
            say_why(session->target, &errors, err);
    } else if (!open) {
        err_set(err, ERR_TIMEOUT, session->target->where, "'%s' did not answer ssh in time",
                session->target->name);
    }
    buf_free(&out);
    buf_free(&errors);
    return open;
}

static void end_master(struct OpenSsh *session)
{
    pid_t pid = session->master != NULL ? process_pid(session->master) : 0;
    if (pid > 0)
        kill(-pid, SIGTERM); /* it leads a session of its own, with all that ssh started */
    process_finish(session->master);
    session->master = NULL;
}

static bool try_open(struct OpenSsh *session, const struct SshConfig *config,
                     const struct SshWay *way, const char *types, struct Mono deadline,
                     struct Err *err)
{
    struct Words words = {.arena = arena_new("openssh", 256 * 1024)};
    bool open = false;
    if (openssh_folder(session, config, err)) {
        master_words(&words, session, config, way, types, deadline);
        session->master = process_start(words.at, err);
        open = session->master != NULL && await_master(session, deadline, err);
    }
    if (session->master == NULL)
        openssh_folder_drop(session);
    else if (!open)
        end_master(session);
    arena_free(words.arena);
    return open;
}

static void open_close(void *data)
{
    struct OpenSsh *session = data;
    if (session == NULL)
        return;
    end_master(session);
    if (session->hears >= 0)
        close(session->hears);
    mem_free(session);
}

/* A fingerprint does not tell the type of its key: each type is asked for in turn. */
static void *open_open(const void *data, const struct Target *target, struct Mono deadline,
                       struct Err *err)
{
    static const char *const TYPES[] = {
        "ssh-ed25519", "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
        "rsa-sha2-512,rsa-sha2-256"};
    const struct SshConfig *config = data;
    struct Arena *arena = arena_new("openssh", 1024 * 1024);
    struct OpenSsh *session = mem_zero(1, sizeof *session);
    struct SshWay way = {.host = NULL};
    *session = (struct OpenSsh){.target = target, .hears = epoll_create1(EPOLL_CLOEXEC)};
    bool open = false;
    if (ssh_way_read(config, target, deadline, arena, &way, err)) {
        if (target->host_key == NULL)
            open = try_open(session, config, &way, NULL, deadline, err);
        for (size_t i = 0; target->host_key != NULL && !open && i < COUNT_OF(TYPES); i++) {
            struct Err other;
            open = try_open(session, config, &way, TYPES[i], deadline, i == 0 ? err : &other);
            if (i == 0 && !open && err->code != ERR_IDENTITY)
                break;
        }
    }
    arena_free(arena);
    if (open)
        return session;
    open_close(session);
    return NULL;
}

/* ---- Channels. ---- */

/* Through the socket or not at all. */
static struct OpenChannel *through(struct OpenSsh *session, const char *option, const char *word,
                                   struct Err *err)
{
    char path[OPENSSH_FOLDER_MOST + 16];
    snprintf(path, sizeof path, "%s/s", session->folder);
    struct Words words = {.count = 0};
    const char *const start[] = {"ssh", "-F", "none", "-T", "-e", "none", "-S", path};
    for (size_t i = 0; i < COUNT_OF(start); i++)
        add(&words, start[i]);
    add_option(&words, "ControlMaster=no");
    add_option(&words, "ProxyCommand=false");
    add_option(&words, "BatchMode=yes");
    add_option(&words, "LogLevel=ERROR");
    if (option != NULL) {
        add(&words, option);
        add(&words, word);
    }
    add(&words, "--");
    add(&words, session->target->name);
    if (option == NULL)
        add(&words, word);
    add(&words, NULL);
    struct Process *process = process_start(words.at, err);
    if (process == NULL)
        return NULL;
    struct OpenChannel *channel = mem_zero(1, sizeof *channel);
    *channel = (struct OpenChannel){.session = session, .process = process};
    return channel;
}

static void *open_start(void *data, const char *const *argv, struct Mono deadline, struct Err *err)
{
    struct OpenSsh *session = data;
    struct Buf line = BUF(LINE_MAX_BYTES);
    struct OpenChannel *channel = NULL;
    (void)deadline; /* nobody is waited for */
    if (quote_line(&line, argv) && !line.cut)
        channel = through(session, NULL, line.text, err);
    else
        err_set(err, ERR_OWN, NOWHERE, "a command for '%s' cannot be quoted",
                session->target->name);
    buf_free(&line);
    return channel;
}

static void *open_dial(void *data, const char *address, uint16_t port, struct Mono deadline,
                       struct Err *err)
{
    struct OpenSsh *session = data;
    char to[300];
    (void)deadline;
    bool braces = strchr(address, ':') != NULL;
    snprintf(to, sizeof to, braces ? "[%s]:%u" : "%s:%u", address, (unsigned)port);
    struct OpenChannel *channel = through(session, "-W", to, err);
    if (channel != NULL)
        (void)epoll_ctl(session->hears, EPOLL_CTL_ADD, process_hears(channel->process),
                        &(struct epoll_event){.events = EPOLLIN});
    return channel;
}

static bool open_write(void *data, const char *bytes, size_t size, struct Mono deadline,
                       struct Err *err)
{
    struct OpenChannel *channel = data;
    return process_write(channel->process, bytes, size, deadline, err);
}

static bool open_end_input(void *data, struct Mono deadline, struct Err *err)
{
    struct OpenChannel *channel = data;
    (void)deadline;
    (void)err;
    return process_end_input(channel->process);
}

static bool open_read(void *data, struct Buf *out, bool *ended, struct Mono deadline,
                      struct Err *err)
{
    struct OpenChannel *channel = data;
    return process_read(channel->process, out, ended, deadline, err);
}

/* 255 is what ssh says of itself, of a command that a signal ended, and of one that said so. */
static bool open_status(void *data, int *status, struct Buf *errors, struct Mono deadline,
                        struct Err *err)
{
    struct OpenChannel *channel = data;
    const struct Target *target = channel->session->target;
    int said = -1;
    if (!process_status(channel->process, &said, errors, deadline, err))
        return false;
    if (said == 255 && !process_runs(channel->session->master))
        return err_set(err, ERR_TARGET, target->where, "lost the connection to '%s'", target->name);
    *status = said == 255 ? -1 : said;
    return true;
}

static void open_finish(void *data)
{
    struct OpenChannel *channel = data;
    process_finish(channel->process);
    mem_free(channel);
}

static int open_fd(void *data)
{
    const struct OpenSsh *session = data;
    return session->hears;
}

const struct TransportKind ssh_by_openssh = {
    .name = "openssh",
    .open = open_open,
    .start = open_start,
    .write = open_write,
    .end_input = open_end_input,
    .read = open_read,
    .status = open_status,
    .finish = open_finish,
    .close = open_close,
    .fd = open_fd,
    .dial = open_dial,
};
