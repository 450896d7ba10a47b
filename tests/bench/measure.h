/* measure.h - what the benchmarks share: sorted values, and pairs of runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BENCH_MEASURE_H
#define FD_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sorts; share from 0 to 1. */
static inline double quantile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof(*values), by_value);
    size_t at = (size_t)(share * (double)count);
    return count == 0 ? 0 : values[at < count ? at : count - 1];
}

/* User and system time of this process, in microseconds. */
static inline double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* `argv[n]` as a number, or otherwise. */
static inline long argument(int argc, char **argv, int n, long otherwise)
{
    return argc > n ? strtol(argv[n], NULL, 10) : otherwise;
}

#endif
