/* schedule_print.c - a drill for those who start things: systemd, cron, Kubernetes, GitHub. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "../transports/quote.h"
#include "schedule.h"

enum { WORDS_MOST = 16 };

/* How long a runner may take to undo once it is told to stop; then its hosts do it themselves. */
#define STOP_S 900

/* ---- The command. ---- */

static const char *program(struct Arena *arena)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    return size > 0 && (size_t)size < sizeof path ? arena_bytes(arena, path, (size_t)size)
                                                  : "faildrill";
}

/* NULL-ended. `here`: on this machine, with all paths; else in a checkout of the project. */
static const char *const *words_of(const struct Cli *cli, const struct Scheduled *drill, bool here)
{
    const char **words = arena_zero(cli->arena, WORDS_MOST, sizeof *words);
    size_t count = 0, size = strlen(cli->project.dir);
    bool inside = text_starts(drill->file, cli->project.dir) && drill->file[size] == '/';
    words[count++] = here ? program(cli->arena) : "faildrill";
    words[count++] = "run";
    words[count++] = "--unattended";
    if (here) {
        words[count++] = "--state";
        words[count++] = cli->state;
    }
    if (drill->is_day) { /* which names its environment; one whose runner died goes on */
        words[count++] = "--resume";
    } else {
        words[count++] = "-e";
        words[count++] = drill->environment;
    }
    words[count++] = here || !inside ? drill->file : drill->file + size + 1;
    return words;
}

static bool shell_line(const struct Cli *cli, const struct Scheduled *drill, bool here,
                       struct Buf *out, struct Err *err)
{
    struct Buf line = BUF(64U << 10);
    bool good = quote_line(&line, words_of(cli, drill, here));
    buf_put(out, line.text);
    buf_free(&line);
    return good || err_set(err, ERR_VALUE, NOWHERE, "a path holds the end of a line");
}

/* "redis_primary_dies-staging", of letters that all of them take. */
static const char *label(const struct Cli *cli, const struct Scheduled *drill, char dash)
{
    char *name = arena_printf(cli->arena, "faildrill-%s-%s", drill->name, drill->environment);
    for (char *at = name; *at != '\0'; at++) {
        bool small = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        if (dash == '-' && *at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
        else if (!small && *at != '-' &&
                 !(dash == '_' && (*at == '_' || (*at >= 'A' && *at <= 'Z'))))
            *at = dash;
    }
    return name;
}

static void put_protected(const struct Scheduled *drill, const char *indent, struct Buf *out)
{
    if (drill->is_protected)
        buf_printf(out,
                   "%s# %s is protected: it is refused unless the command also says --confirm %s\n",
                   indent, drill->environment, drill->environment);
}

/* ---- systemd ---- */

/* In quotes where it must; a per cent sign and a dollar mean something else there. */
static void systemd_word(const char *word, struct Buf *out)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+=:,@";
    bool plain = word[0] != '\0' && word[strspn(word, PLAIN)] == '\0';
    if (!plain)
        buf_char(out, '"');
    for (; *word != '\0'; word++) {
        if (*word == '%' || *word == '$')
            buf_char(out, *word);
        else if (*word == '"' || *word == '\\')
            buf_char(out, '\\');
        buf_char(out, *word);
    }
    if (!plain)
        buf_char(out, '"');
}

static void systemd_path(const char *path, struct Buf *out)
{
    for (; *path != '\0'; path++)
        buf_printf(out, *path == '%' ? "%c%c" : "%c", *path, *path);
}

static void put_service(const struct Cli *cli, const struct Scheduled *drill, const char *name,
                        struct Buf *out)
{
    char room[1024];
    struct passwd entry, *user = NULL;
    const char *const *words = words_of(cli, drill, true);
    buf_printf(out,
               "# /etc/systemd/system/%s.service\n[Unit]\nDescription=faildrill: %s in %s\n"
               "Wants=network-online.target\nAfter=network-online.target\n\n[Service]\n"
               "Type=oneshot\n",
               name, drill->name, drill->environment);
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &user) == 0 && user != NULL)
        buf_printf(out, "User=%s\n", user->pw_name);
    buf_put(out, "WorkingDirectory=");
    systemd_path(cli->project.dir, out);
    buf_char(out, '\n');
    put_protected(drill, "", out);
    buf_put(out, "ExecStart=");
    for (size_t at = 0; words[at] != NULL; at++) {
        buf_put(out, at > 0 ? " " : "");
        systemd_word(words[at], out);
    }
    buf_printf(out,
               "\n# A stop halts the drill, which undoes; the signal goes to the runner alone.\n"
               "KillMode=mixed\nTimeoutStopSec=%d\n",
               STOP_S);
    if (drill->is_day)
        buf_put(out, "# A runner that died goes on with its day: what it left is undone first.\n"
                     "Restart=on-abnormal\nRestartSec=30\n");
}

bool schedule_systemd(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                      struct Err *err)
{
    const char *name = label(cli, drill, '_');
    const char *own = drill->calendar.zone_name;
    if (strpbrk(drill->file, "\r\n") != NULL || strpbrk(cli->state, "\r\n") != NULL ||
        strpbrk(cli->project.dir, "\r\n") != NULL)
        return err_set(err, ERR_VALUE, NOWHERE, "a path holds the end of a line");
    put_service(cli, drill, name, out);
    buf_printf(out,
               "\n# /etc/systemd/system/%s.timer\n[Unit]\nDescription=faildrill: %s in %s, when it "
               "is due\n\n[Timer]\nOnCalendar=%s%s%s\nRandomizedDelaySec=60\n"
               "# One that was missed is not run late: trends says that it is overdue.\n"
               "Persistent=false\n\n[Install]\nWantedBy=timers.target\n",
               name, drill->name, drill->environment, drill->calendar.text, own ? "" : " ",
               own ? "" : drill->zone_name);
    return true;
}

/* ---- cron ---- */

static bool fields_of(const struct Scheduled *drill, const char *where, struct Buf *out,
                      struct Err *err)
{
    const char *why = NULL;
    if (calendar_cron(&drill->calendar, out, &why))
        return true;
    err_set(err, ERR_VALUE, NOWHERE, "'%s' cannot be said in %s: %s", drill->calendar.text, where,
            why);
    return err_hint(err, "`faildrill schedule --systemd` can say all of it.");
}

bool schedule_cron(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                   struct Err *err)
{
    const char *folder[] = {"cd", cli->project.dir, NULL};
    struct Buf line = BUF(64U << 10);
    if (!text_equal(drill->zone_name, drill->machine_zone)) {
        err_set(err, ERR_VALUE, NOWHERE,
                "'%s' by the clocks of %s cannot be said in cron: it goes by those of this "
                "machine, %s",
                drill->calendar.text, drill->zone_name, drill->machine_zone);
        return err_hint(err, "`faildrill schedule --systemd` can say it.");
    }
    put_protected(drill, "", out);
    bool good = fields_of(drill, "cron", out, err) && quote_line(&line, folder);
    buf_put(&line, " && exec ");
    good = good && shell_line(cli, drill, true, &line, err);
    buf_char(out, ' ');
    for (const char *at = line.text; *at != '\0'; at++)
        buf_printf(out, *at == '%' ? "\\%c" : "%c", *at);
    buf_char(out, '\n');
    buf_free(&line);
    return good;
}

/* ---- YAML ---- */

/* Text in the quotes of JSON is text in YAML. */
static void yaml_text(const char *text, struct Buf *out)
{
    struct Json json = json_begin(out, false);
    json_text(&json, text);
}

bool schedule_k8s(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                  struct Err *err)
{
    struct Buf fields = BUF(1000);
    const char *const *words = words_of(cli, drill, false);
    bool good = fields_of(drill, "a CronJob", &fields, err);
    buf_printf(out,
               "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: %.52s\nspec:\n"
               "  schedule: \"%s\"\n  timeZone: ",
               label(cli, drill, '-'), fields.text);
    yaml_text(drill->zone_name, out);
    buf_printf(out,
               "\n  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 300\n"
               "  jobTemplate:\n    spec:\n      backoffLimit: 0\n      template:\n"
               "        spec:\n          restartPolicy: Never\n"
               "          # A pod that is deleted halts the drill, which undoes.\n"
               "          terminationGracePeriodSeconds: %d\n"
               "          containers:\n            - name: faildrill\n"
               "              # Yours: this program, the project in /project, keys, and a\n"
               "              # volume for /project/.faildrill, which knows what is undone.\n"
               "              image: registry.example.net/faildrill:" CLI_VERSION "\n"
               "              workingDir: /project\n",
               STOP_S);
    put_protected(drill, "              ", out);
    buf_put(out, "              command:\n");
    for (size_t at = 0; words[at] != NULL; at++) {
        buf_put(out, "                - ");
        yaml_text(words[at], out);
        buf_char(out, '\n');
    }
    buf_put(out, "              volumeMounts:\n"
                 "                - {name: state, mountPath: /project/.faildrill}\n"
                 "          volumes:\n"
                 "            - {name: state, persistentVolumeClaim: {claimName: faildrill}}\n");
    buf_free(&fields);
    return good;
}

bool schedule_github(const struct Cli *cli, const struct Scheduled *drill, struct Buf *out,
                     struct Err *err)
{
    struct Buf fields = BUF(1000), line = BUF(64U << 10);
    if (!text_equal(drill->zone_name, "UTC") && !text_equal(drill->zone_name, "Etc/UTC")) {
        err_set(err, ERR_VALUE, NOWHERE,
                "'%s' by the clocks of %s cannot be said in a workflow: GitHub knows UTC alone",
                drill->calendar.text, drill->zone_name);
        return err_hint(err, "write schedule: %s UTC, with the hour of UTC", drill->calendar.text);
    }
    buf_put(&line, "exec ");
    bool good =
        fields_of(drill, "a workflow", &fields, err) && shell_line(cli, drill, false, &line, err);
    buf_put(out, "name: ");
    yaml_text(label(cli, drill, '_'), out);
    buf_printf(out,
               "\n\"on\":\n  schedule:\n    - cron: \"%s\" # UTC\n  workflow_dispatch: {}\n"
               "concurrency:\n  group: ",
               fields.text);
    yaml_text(drill->environment, out);
    buf_put(out,
            "\n  cancel-in-progress: false\njobs:\n  drill:\n"
            "    runs-on: [self-hosted] # beside the hosts, with its state kept\n"
            "    steps:\n      - uses: actions/checkout@v4\n        with: {clean: false}\n"
            "      # exec: a job that is cancelled signals the shell alone, and kills all of\n"
            "      # it ten seconds later; so the drill is in the shell's place, and undoes.\n");
    put_protected(drill, "      ", out);
    buf_put(out, "      - run: ");
    yaml_text(line.text, out);
    buf_char(out, '\n');
    buf_free(&fields);
    buf_free(&line);
    return good;
}
