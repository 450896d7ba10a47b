/* cli.h - the command line: one table of verbs, and what all of them share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_CLI_H
#define FD_CLI_CLI_H

#include "../base/version.h"
#include "../model/environment.h"
#include "../model/project.h"
#include "../model/scenario.h"
#include "../schema/describe.h"

struct Cli;

/* One option, of a verb or of all. getopt_long, help and the tests read this table. */
struct Option {
    const char *name;  /* long, without dashes; NULL ends a table */
    char letter;       /* or 0 */
    const char *value; /* what help calls its value, "NAME"; NULL: a flag */
    bool many;         /* may stand more than once */
    const char *doc;   /* one sentence with a full stop */
};
struct Verb {
    const char *name;
    const char *takes; /* "FILE", "[RUN]", "" */
    int least, most;   /* how many of them; most -1 = any */
    const char *summary;
    bool on_first_screen;
    const struct Option *options; /* its own; NULL = none */
    bool asks;                    /* hosts, so that inventories are run to know who they are */
    bool breaks;                  /* the verbs of a step are options too: try.h */
    const char *examples;         /* whole lines, "  faildrill plan -e staging drill\n" */
    const char *next;             /* one line: "Next: faildrill run ..." */
    int (*run)(struct Cli *cli);  /* returns the exit status of DESIGN.md 9 */
};

/* What may be said to one stream. */
struct Voice {
    bool tty;
    bool color;   /* NO_COLOR > --color > CLICOLOR_FORCE > tty and TERM other than dumb */
    bool unicode; /* the locale is UTF-8, and no --ascii */
};
struct OptionGiven {
    const struct Option *option;
    const char *value; /* "" for flags */
};

/* The command line as read. Everything is in `arena`, which main frees. */
struct Cli {
    const struct Kinds *kinds;
    const struct Verb *verb;
    struct Arena *arena;
    struct Project project;
    const char *environment; /* -e NAME, or NULL: there is no default */
    const char *state;       /* the folder; not made yet */
    bool json, quiet, verbose;
    bool may_ask; /* stdin is a terminal and no --no-input */
    struct Voice out, err;
    const char *const *args; /* positional */
    size_t arg_count;
    const struct ParamValue *params; /* -p name=value, of verbs with an option "param" */
    size_t param_count;
    struct List given;     /* of struct OptionGiven */
    struct List documents; /* of const struct Document *: every file read so far */
};

/* The whole program behind main(): parses, runs the verb, returns the exit status. */
int cli_main(const struct Kinds *kinds, int argc, char **argv);

/* The value of an option of this verb: NULL where not given, "" for a flag. The last one counts. */
const char *cli_option(const struct Cli *cli, const char *name);
/* For --since and the like: false with *err where the value is no duration; *ns is left alone where
 * the option was not given. */
bool cli_duration(const struct Cli *cli, const char *name, int64_t *ns, struct Err *err) MUST_CHECK;

/* ERR_REFUSED unless -e was said: there is no default environment. */
bool cli_environment_named(const struct Cli *cli, struct Err *err) MUST_CHECK;

/* A scenario and an environment, read and checked together: all errors of both at once. */
struct Loaded {
    struct Environment *environment; /* NULL where none was asked for */
    struct Scenario *scenario;       /* NULL where none was asked for */
    const struct Document *environment_document;
    const struct Document *scenario_document; /* to decode again once targets are drawn (plan) */
};
/* `scenario` and `environment` are names or paths; either may be NULL. 0, or the exit status after
 * everything was printed (then `out` holds nothing). The caller frees with cli_unload. */
int cli_load(struct Cli *cli, const char *scenario, const char *environment, struct Loaded *out);
void cli_unload(struct Loaded *loaded);

/* Reads one file and keeps it in cli->documents; never NULL (problems say what is wrong). */
const struct Document *cli_read(struct Cli *cli, const char *path, struct Problems *problems);

/* The scenario with all that it includes, in the arena; the files are read by cli_read. Its root is
 * NULL where that cannot be (problems say why). */
const struct Document *cli_expand(struct Cli *cli, const struct Document *scenario,
                                  struct Arena *arena, struct Problems *problems);
/* What was read by this path, or NULL. */
const struct Document *cli_document(const struct Cli *cli, const char *path);

/* Puts the questions of parameters (`ask:`) that no -p answers, where there is a terminal; for
 * verbs that plan. */
void cli_ask_params(struct Cli *cli, const struct Node *scenario);
/* A line from the terminal without its end; false at the end of input. */
bool cli_ask_line(const char *question, char *answer, size_t room);

/* Prints an error as LANGUAGE.md 4.6 shows it, on stderr, with its excerpt where a document that
 * was read has one; returns its exit status. */
int cli_fail(const struct Cli *cli, const struct Err *err);
/* Prints all problems on stderr (warnings too, unless -q); returns problems_status(). */
int cli_problems(const struct Cli *cli, struct Problems *problems);
/* Writes the text to stdout and returns `status`; 8 where stdout does not take it. */
int cli_print(const struct Buf *text, int status);

/* A file under the project's folder, with the folders above it; says so. What is there already
 * stays: an error. */
bool cli_write_new(struct Cli *cli, const char *path, const char *text, struct Err *err) MUST_CHECK;
/* Writes KIND.json of one kind of file, or of all (NULL), into a folder, which is made. */
bool schema_save(struct Cli *cli, const char *only, const char *folder, struct Err *err) MUST_CHECK;

/* The verbs, one file each; the table is in verbs.c. */
extern const struct Verb verb_validate, verb_explain, verb_schema, verb_version;
extern const struct Verb verb_doctor, verb_plan, verb_run, verb_status, verb_halt, verb_undo;
extern const struct Verb verb_approve, verb_runs, verb_report, verb_trends, verb_completion,
    verb_init, verb_try, verb_schedule, verb_note;
const struct Verb *const *cli_verbs(size_t *count);
extern const struct Option CLI_GLOBALS[]; /* ends with a NULL name */
#define CLI_VERSION FD_VERSION

#endif
