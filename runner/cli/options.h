/* options.h - argv, read by the tables of options. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_OPTIONS_H
#define FD_CLI_OPTIONS_H

#include "cli.h"

/* Reads global options before the verb; *at is the index of the verb in argv (argc where none is).
 */
bool options_before_verb(struct Cli *cli, int argc, char **argv, int *at,
                         struct Err *err) MUST_CHECK;
/* Reads what follows the verb: cli->given, args, params. argv is reordered. */
bool options_of_verb(struct Cli *cli, int argc, char **argv, struct Err *err) MUST_CHECK;
/* Was a global option or one of the verb given? The last value counts; "" for a flag. */
const char *options_value(const struct Cli *cli, const char *name);

#endif
