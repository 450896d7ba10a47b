/* engine_freeze_test.c - only a plain `off` releases the freeze switch. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../runner/engine/freeze.h"
#include "../fakes/server.h"

#define HEAD(code, size) "HTTP/1.1 " code " X\r\nContent-Length: " size "\r\n\r\n"

struct Row {
    const char *text;
    bool off;
    const char *said;
};

static void test_a_file_must_say_off(void **state)
{
    (void)state;
    static const struct Row ROWS[] = {{"off", true, "off"},
                                      {" OFF \r\n", true, "off"},
                                      {"on", false, "it says 'on', not off"},
                                      {"", false, "it says '', not off"},
                                      {"off off", false, "it says 'off off', not off"},
                                      {"offline", false, "it says 'offline', not off"},
                                      {"not\033off", false, "it says 'not\\x1boff', not off"}};
    char path[] = "/tmp/fd-freeze-XXXXXX", said[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct Loop *loop = loop_new();
    for (size_t at = 0; at < COUNT_OF(ROWS); at++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, ROWS[at].text, strlen(ROWS[at].text), 0),
                         (ssize_t)strlen(ROWS[at].text));
        assert_int_equal(freeze_is_off(path, loop, said), ROWS[at].off);
        assert_string_equal(said, ROWS[at].said);
    }
    close(fd);
    unlink(path);
    assert_false(freeze_is_off(path, loop, said));
    assert_string_equal(said, "cannot be read: No such file or directory");
    assert_false(freeze_is_off("/", loop, said));
    assert_string_equal(said, "cannot be read: Is a directory");
    loop_free(loop);
}

/* Nobody writes to it: a look must end all the same. */
static void test_a_pipe_without_a_writer_is_engaged(void **state)
{
    (void)state;
    char folder[] = "/tmp/fd-freeze-XXXXXX", path[64], said[200];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct Loop *loop = loop_new();
    assert_false(freeze_is_off(path, loop, said));
    assert_string_equal(said, "it says '', not off");
    loop_free(loop);
    unlink(path);
    rmdir(folder);
}

/* The kernel holds up whoever opens it until we allow it, which we never do. */
static void test_a_file_server_that_hangs_holds_up_nobody(void **state)
{
    (void)state;
    char path[] = "/tmp/fd-freeze-XXXXXX", said[200];
    int fd = mkstemp(path), keeper = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
    assert_true(fd >= 0);
    if (keeper < 0 || fanotify_mark(keeper, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, path) != 0) {
        print_message("skip a file server that hangs: nobody may hold a file up here\n");
        skip();
    }
    struct Loop *loop = loop_new();
    struct Mono began = mono_now();
    assert_false(freeze_is_off(path, loop, said));
    assert_string_equal(said, "cannot be read: no answer in 2 s");
    assert_true(mono_since(began, mono_now()) < 10 * NS_PER_S);
    loop_free(loop);
    close(keeper);
    close(fd);
    unlink(path);
}

static void reply(void *data, struct Link *link, const char *bytes, size_t size)
{
    (void)bytes;
    if (size > 0 && data != NULL)
        link_send(link, data);
}

static void test_a_url_must_answer_200_and_off(void **state)
{
    (void)state;
    static const struct Row ROWS[] = {
        {HEAD("200", "4") "off\n", true, "off"},
        {HEAD("200", "2") "on", false, "it says 'on', not off"},
        {HEAD("503", "3") "off", false, "cannot be read: it answers 503"},
        {HEAD("302", "0"), false, "cannot be read: it answers 302"},
        {HEAD("200", "0"), false, "it says '', not off"},
        {NULL, false, "cannot be read: no answer in time"}};
    for (size_t at = 0; at < COUNT_OF(ROWS); at++) {
        struct Loop *loop = loop_new();
        struct Server *server = server_new(loop, reply, (void *)(uintptr_t)ROWS[at].text);
        char url[64], said[200];
        snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)server_port(server));
        assert_int_equal(freeze_is_off(url, loop, said), ROWS[at].off);
        assert_string_equal(said, ROWS[at].said);
        server_free(server);
        loop_free(loop);
    }
}

static void test_nobody_at_its_url_is_engaged(void **state)
{
    (void)state;
    uint16_t port;
    char url[64], said[200];
    int held = refused_port(&port);
    struct Loop *loop = loop_new();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)port);
    assert_false(freeze_is_off(url, loop, said));
    assert_string_equal(said, "cannot be read: refused");
    loop_free(loop);
    close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_must_say_off),
        cmocka_unit_test(test_a_pipe_without_a_writer_is_engaged),
        cmocka_unit_test(test_a_file_server_that_hangs_holds_up_nobody),
        cmocka_unit_test(test_a_url_must_answer_200_and_off),
        cmocka_unit_test(test_nobody_at_its_url_is_engaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
