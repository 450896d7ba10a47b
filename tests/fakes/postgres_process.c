/* postgres_process.c - a real PostgreSQL on a loopback address, for as long as a test needs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
#include "postgres_process.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "../../runner/base/clock.h"
#include "../../runner/base/err.h"
#include "redis_process.h"

static bool find_programs(char out[64])
{
    glob_t found;
    bool good = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0;
    if (good)
        snprintf(out, 64, "%.*s", (int)(strlen(found.gl_pathv[0]) - strlen("/postgres")),
                 found.gl_pathv[0]);
    globfree(&found);
    return good;
}

bool postgres_process_missing(void)
{
    char programs[64];
    return !find_programs(programs) || (getuid() == 0 && getpwnam("postgres") == NULL);
}

/* It refuses to run as root. */
static void become_postgres(void)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
    if (user != NULL &&
        (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
}

static pid_t start_program(const struct PostgresProcess *postgres, const char *const *words)
{
    char path[128], log[96];
    snprintf(path, sizeof(path), "%s/%s", postgres->programs, words[0]);
    snprintf(log, sizeof(log), "%s/log", postgres->folder);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    become_postgres();
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* a test that dies leaves none behind */
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 ||
        chdir(postgres->folder) != 0)
        _exit(126);
    execv(path, (char *const *)(uintptr_t)words);
    _exit(127);
}

static void make_folder(struct PostgresProcess *postgres)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
    snprintf(postgres->folder, sizeof(postgres->folder), "/tmp/faildrill-postgres-XXXXXX");
    if (mkdtemp(postgres->folder) == NULL ||
        (user != NULL && chown(postgres->folder, user->pw_uid, user->pw_gid) != 0))
        bug("no folder for PostgreSQL: %s", strerror(errno));
}

static void make_data(struct PostgresProcess *postgres)
{
    char secret[96], word[128], data[80];
    snprintf(secret, sizeof(secret), "%s/secret", postgres->folder);
    snprintf(word, sizeof(word), "--pwfile=%s", secret);
    snprintf(data, sizeof(data), "%s/data", postgres->folder);
    FILE *file = fopen(secret, "w");
    if (file == NULL || fputs("sesame\n", file) < 0 || fclose(file) != 0 ||
        chmod(secret, 0644) != 0)
        bug("cannot write %s", secret);
    const char *const words[] = {"initdb",
                                 "-D",
                                 data,
                                 "-U",
                                 "drill",
                                 "-A",
                                 "scram-sha-256",
                                 word,
                                 "-N",
                                 "--no-instructions",
                                 "--locale=C",
                                 "--encoding=UTF8",
                                 NULL};
    int status = 1;
    waitpid(start_program(postgres, words), &status, 0);
    if (status != 0)
        bug("initdb ended with %d; see %s/log", status, postgres->folder);
}

static bool takes_connections(const struct PostgresProcess *postgres)
{
    char text[128];
    snprintf(text, sizeof(text), "host=%s port=%u user=drill password=sesame dbname=postgres",
             postgres->address, (unsigned)postgres->port);
    PGconn *conn = PQconnectdb(text);
    bool good = PQstatus(conn) == CONNECTION_OK;
    PQfinish(conn);
    return good;
}

static void run_server(struct PostgresProcess *postgres)
{
    char port[8], data[80];
    snprintf(port, sizeof(port), "%u", (unsigned)postgres->port);
    snprintf(data, sizeof(data), "%s/data", postgres->folder);
    const char *const words[] = {"postgres",
                                 "-D",
                                 data,
                                 "-p",
                                 port,
                                 "-h",
                                 postgres->address,
                                 "-c",
                                 "unix_socket_directories=",
                                 "-c",
                                 "fsync=off",
                                 "-c",
                                 "shared_buffers=4MB",
                                 NULL};
    postgres->pid = start_program(postgres, words);
    struct Mono end = mono_add(mono_now(), 60 * NS_PER_S);
    while (!takes_connections(postgres)) {
        if (mono_before(end, mono_now()) || waitpid(postgres->pid, NULL, WNOHANG) != 0)
            bug("PostgreSQL does not answer; see %s/log", postgres->folder);
        (void)poll(NULL, 0, 10);
    }
}

void postgres_process_start(struct PostgresProcess *postgres)
{
    *postgres = (struct PostgresProcess){.address = "127.0.0.1", .port = free_port_of_all(1)};
    if (!find_programs(postgres->programs))
        bug("there is no PostgreSQL here");
    make_folder(postgres);
    make_data(postgres);
    run_server(postgres);
}

void postgres_process_demote(struct PostgresProcess *postgres)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/data/standby.signal", postgres->folder);
    kill(postgres->pid, SIGINT);
    waitpid(postgres->pid, NULL, 0);
    FILE *file = fopen(path, "w");
    if (file == NULL || fclose(file) != 0 || chmod(path, 0666) != 0)
        bug("cannot write %s", path);
    run_server(postgres);
}

void postgres_process_signal(const struct PostgresProcess *postgres, int signal_number)
{
    if (postgres->pid > 0)
        kill(postgres->pid, signal_number);
}

void postgres_process_end(struct PostgresProcess *postgres)
{
    if (postgres->pid > 0) {
        kill(postgres->pid, SIGQUIT);
        waitpid(postgres->pid, NULL, 0);
    }
    pid_t pid = postgres->folder[0] != '\0' ? fork() : -1;
    if (pid == 0) {
        execlp("rm", "rm", "-rf", postgres->folder, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
    *postgres = (struct PostgresProcess){.pid = 0};
}
