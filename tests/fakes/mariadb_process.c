/* mariadb_process.c - a real MariaDB on a loopback address, for as long as a test needs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
#include "mariadb_process.h"

#include <errno.h>
#include <fcntl.h>
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

#include <mysql.h>

#include "../../runner/base/clock.h"
#include "../../runner/base/err.h"

#define SERVER "/usr/sbin/mariadbd"
#define INSTALL "/usr/bin/mariadb-install-db"

bool mariadb_process_missing(void)
{
    return access(SERVER, X_OK) != 0 || access(INSTALL, X_OK) != 0 ||
           (getuid() == 0 && getpwnam("mysql") == NULL);
}

/* It refuses to run as root. */
static void become_mysql(void)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("mysql") : NULL;
    if (user != NULL &&
        (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
}

static pid_t start_program(const struct MariadbProcess *mariadb, const char *const *words)
{
    char log[96];
    snprintf(log, sizeof(log), "%s/log", mariadb->folder);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    become_mysql();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves none behind */
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 ||
        chdir(mariadb->folder) != 0)
        _exit(126);
    execv(words[0], (char *const *)(uintptr_t)words);
    _exit(127);
}

static void make_folder(struct MariadbProcess *mariadb)
{
    static const char users[] = "create database if not exists shop;\n"
                                "create user if not exists drill@'%' identified by 'sesame';\n"
                                "grant all on *.* to drill@'%' with grant option;\n"
                                "create user if not exists reader@'%';\n"
                                "grant select, insert, create on shop.* to reader@'%';\n"
                                "grant replica monitor on *.* to reader@'%';\n"
                                "create table if not exists shop.t (a int);\n";
    const struct passwd *user = getuid() == 0 ? getpwnam("mysql") : NULL;
    char path[96];
    snprintf(mariadb->folder, sizeof(mariadb->folder), "/tmp/faildrill-mariadb-XXXXXX");
    if (mkdtemp(mariadb->folder) == NULL ||
        (user != NULL && chown(mariadb->folder, user->pw_uid, user->pw_gid) != 0))
        bug("no folder for MariaDB: %s", strerror(errno));
    snprintf(path, sizeof(path), "%s/users.sql", mariadb->folder);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(users, file) < 0 || fclose(file) != 0 || chmod(path, 0644) != 0)
        bug("cannot write %s", path);
}

/* In a folder of its own for what it needs for a moment: two that share one disturb each other. */
static void make_data(struct MariadbProcess *mariadb)
{
    char data[96], moment[96];
    snprintf(data, sizeof(data), "--datadir=%s/data", mariadb->folder);
    snprintf(moment, sizeof(moment), "--tmpdir=%s", mariadb->folder);
    const char *const words[] = {INSTALL,
                                 "--no-defaults",
                                 data,
                                 moment,
                                 "--skip-test-db",
                                 "--skip-name-resolve",
                                 "--innodb-use-native-aio=0",
                                 "--auth-root-authentication-method=normal",
                                 NULL};
    int status = 1;
    waitpid(start_program(mariadb, words), &status, 0);
    if (status != 0)
        bug("mariadb-install-db ended with %d; see %s/log", status, mariadb->folder);
}

static bool takes_connections(const struct MariadbProcess *mariadb)
{
    MYSQL *mysql = mysql_init(NULL);
    bool good = mysql_real_connect(mysql, mariadb->address, "drill", "sesame", "shop",
                                   mariadb->port, NULL, 0) != NULL;
    mysql_close(mysql);
    return good;
}

static void run_server(struct MariadbProcess *mariadb, const char *more)
{
    char port[24], data[96], moment[96], address[40], socket[96], users[96];
    snprintf(port, sizeof(port), "--port=%u", (unsigned)mariadb->port);
    snprintf(data, sizeof(data), "--datadir=%s/data", mariadb->folder);
    snprintf(moment, sizeof(moment), "--tmpdir=%s", mariadb->folder);
    snprintf(address, sizeof(address), "--bind-address=%s", mariadb->address);
    snprintf(socket, sizeof(socket), "--socket=%s/socket", mariadb->folder);
    snprintf(users, sizeof(users), "--init-file=%s/users.sql", mariadb->folder);
    const char *const words[] = {SERVER,
                                 "--no-defaults",
                                 port,
                                 data,
                                 moment,
                                 address,
                                 socket,
                                 users,
                                 "--skip-name-resolve",
                                 "--innodb-use-native-aio=0",
                                 "--innodb-buffer-pool-size=8M",
                                 "--innodb-flush-log-at-trx-commit=0",
                                 "--pid-file=pid",
                                 more,
                                 NULL};
    mariadb->pid = start_program(mariadb, words);
    struct Mono end = mono_add(mono_now(), 60 * NS_PER_S);
    while (!takes_connections(mariadb)) {
        if (mono_before(end, mono_now()) || waitpid(mariadb->pid, NULL, WNOHANG) != 0)
            bug("MariaDB does not answer; see %s/log", mariadb->folder);
        (void)poll(NULL, 0, 10);
    }
}

void mariadb_process_start(struct MariadbProcess *mariadb, int number, uint16_t port,
                           const char *more)
{
    *mariadb = (struct MariadbProcess){.port = port};
    snprintf(mariadb->address, sizeof(mariadb->address), "127.0.0.%d", number);
    make_folder(mariadb);
    make_data(mariadb);
    run_server(mariadb, more);
}

void mariadb_process_signal(const struct MariadbProcess *mariadb, int signal_number)
{
    if (mariadb->pid > 0)
        kill(mariadb->pid, signal_number);
}

void mariadb_process_end(struct MariadbProcess *mariadb)
{
    if (mariadb->pid > 0) {
        kill(mariadb->pid, SIGKILL);
        waitpid(mariadb->pid, NULL, 0);
    }
    pid_t pid = mariadb->folder[0] != '\0' ? fork() : -1;
    if (pid == 0) {
        execlp("rm", "rm", "-rf", mariadb->folder, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
    *mariadb = (struct MariadbProcess){.pid = 0};
}
