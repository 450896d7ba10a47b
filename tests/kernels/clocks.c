/* clocks.c - the time since boot and the wall clock, in ns, as they are in one moment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

int main(void)
{
    int64_t boot = read_ns(CLOCK_BOOTTIME);
    printf("%" PRId64 " %" PRId64 "\n", boot, read_ns(CLOCK_REALTIME));
    return 0;
}
