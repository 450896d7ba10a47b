/* ulid.h - names of runs: time first, then 80 random bits. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_ULID_H
#define FD_BASE_ULID_H

#include "clock.h"

/* 26 characters of Crockford base 32 in lower case; getrandom(2) for the random part. */
void ulid_new(struct Wall now, char out[27]);

#endif
