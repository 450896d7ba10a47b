/* track.h - a test that carries the name of the issue which taught it: tests/track_record.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_TRACK_H
#define FD_TESTS_TRACK_H

/* A row of a table of struct CMUnitTest. */
#define TRACK(issue, test)                                                                         \
    {                                                                                              \
        .name = issue ": " #test, .test_func = test                                                \
    }

#endif
