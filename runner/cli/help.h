/* help.h - what the program and its verbs do, from the tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_HELP_H
#define FD_CLI_HELP_H

#include "cli.h"

void help_first_screen(struct Buf *out);
void help_all(struct Buf *out);
void help_verb(const struct Verb *verb, struct Buf *out);
/* The verb of that name; NULL with the nearest in *err. */
const struct Verb *help_find(const char *name, struct Err *err);

#endif
