/* doctor.h - what the files of `doctor` share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_DOCTOR_H
#define FD_CLI_DOCTOR_H

#include "../engine/survey.h"
#include "drill.h"

struct Doctor {
    const struct Environment *environment;
    const struct Kinds *kinds;
};

/* doctor_mend.c: which steps a host cannot take, and the line that mends it. */
void doctor_say_kinds(const struct Doctor *of, const struct SurveyHost *host, struct Buf *out);
/* Its /etc/faildrill.allow: what it says, or the lines that make one. */
void doctor_say_opt_in(const struct Doctor *of, const struct HostFacts *facts, struct Buf *out);
/* The text of such a file, lines without their end given to `each`. */
void doctor_allow_lines(const struct Doctor *of, struct Buf *out);
/* Now open, or when. */
void doctor_say_window(const struct Environment *environment, struct Buf *out);

/* doctor_pin.c: what is new or changed, and once it was reviewed into the environment's file. */
int doctor_pin(struct Drill *drill, const struct Survey *survey);

/* doctor_parity.c: silent where two environments are equal in what decides the drill. */
int doctor_parity(struct Drill *drill);

/* doctor_timer.c: begins anew as a timer would begin it; returns only where that fails. */
int doctor_as_timer(struct Cli *cli, const char *environment);
/* doctor_ansible.c: both print, and contact nobody. */
int doctor_helper(void);
int doctor_ansible(struct Cli *cli, const char *environment);

#endif
