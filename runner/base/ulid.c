/* ulid.c - names of runs: time first, then 80 random bits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ulid.h"

#include <errno.h>
#include <sys/random.h>

#include "err.h"

static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void fill_random(unsigned char *bytes, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t got = getrandom(bytes + have, size - have, 0);
        if (got < 0 && errno != EINTR)
            bug("getrandom gives nothing: errno %d", errno);
        if (got > 0)
            have += (size_t)got;
    }
}

void ulid_new(struct Wall now, char out[27])
{
    uint64_t ms = now.ns > 0 ? (uint64_t)(now.ns / NS_PER_MS) : 0;
    for (int place = 9; place >= 0; place--, ms >>= 5)
        out[place] = letters[ms & 31];
    unsigned char random[10];
    fill_random(random, sizeof(random));
    uint32_t bits = 0;
    int held = 0;
    for (int place = 10, byte = 0; place < 26; place++) {
        if (held < 5) {
            bits = bits << 8 | random[byte++];
            held += 8;
        }
        held -= 5;
        out[place] = letters[bits >> held & 31];
    }
    out[26] = '\0';
}
