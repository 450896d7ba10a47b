/* model_pins_test.c - pins go into the file, and everything else stays as it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include "../../runner/model/pins.h"

#define ONE "SHA256:uNiVztksCsDhcc0u9e8BrrJXVGPcDmIUdqRrRRXXqIw"
#define TWO "SHA256:aNiVztksCsDhcc0u9e8BrrJXVGPcDmIUdqRrRRXXqIw"
#define ID "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static void assert_pinned(const char *before, const struct Pin *pins, size_t count,
                          const char *after)
{
    struct Case c = case_with(NULL, NULL, NULL, 0);
    struct Buf out = BUF(1 << 16);
    struct Err err = {.message = ""};
    const struct Document *document = case_document(&c, "staging.yaml", before);
    bool good = pins_text(document, pins, count, c.arena, &out, &err);
    assert_string_equal(err.message, "");
    assert_true(good);
    assert_string_equal(out.text, after);
    const struct Document *again = case_document(&c, "staging.yaml", out.text);
    struct Environment *environment =
        environment_new(again, &faildrill_kinds, "/project", c.problems);
    assert_non_null(environment);
    for (size_t i = 0; i < count; i++) {
        const struct Target *host = environment_host(environment, pins[i].host);
        assert_string_equal(strcmp(pins[i].key, "host_key") == 0 ? host->host_key
                                                                 : host->machine_id,
                            pins[i].value);
    }
    environment_free(environment);
    buf_free(&out);
    case_close(&c);
}

static void test_a_list_of_names_becomes_a_map(void **state)
{
    (void)state;
    const struct Pin pins[] = {
        {"a", "host_key", ONE}, {"a", "machine_id", ID}, {"c", "host_key", TWO}};
    assert_pinned("environment: staging # one\nroles:\n  api: {hosts: [a, b, c]} # two\n", pins, 3,
                  "environment: staging # one\nroles:\n  api: {hosts: {a: {host_key: \"" ONE
                  "\", machine_id: \"" ID "\"}, b: {}, c: {host_key: \"" TWO "\"}}} # two\n");
    assert_pinned("environment: staging\nroles:\n  api:\n    hosts:\n      - a # one\n      - b\n"
                  "      - c\n    unit: x.service\n",
                  pins, 3,
                  "environment: staging\nroles:\n  api:\n    hosts:\n        a: {host_key: \"" ONE
                  "\", machine_id: \"" ID "\"} # one\n        b: {}\n        c: {host_key: \"" TWO
                  "\"}\n    unit: x.service\n");
}

static void test_a_described_host_keeps_its_keys_and_remarks(void **state)
{
    (void)state;
    const struct Pin pins[] = {
        {"a", "host_key", ONE}, {"b", "host_key", TWO}, {"b", "machine_id", ID}};
    assert_pinned("environment: staging\nroles:\n  api:\n    hosts:\n"
                  "      a: {address: 10.0.0.1} # rack 7\n"
                  "      b:\n        # the old one\n        address: 10.0.0.2\n"
                  "        host_key: '" ONE "' # of 2024\n",
                  pins, 3,
                  "environment: staging\nroles:\n  api:\n    hosts:\n"
                  "      a: {host_key: \"" ONE "\", address: 10.0.0.1} # rack 7\n"
                  "      b:\n        # the old one\n        machine_id: \"" ID
                  "\"\n        address: 10.0.0.2\n"
                  "        host_key: \"" TWO "\" # of 2024\n");
}

static void test_a_host_of_two_roles_is_pinned_where_it_stands_first(void **state)
{
    (void)state;
    const struct Pin pins[] = {{"a", "host_key", ONE}};
    assert_pinned("environment: staging\nroles:\n  api: {hosts: {a: {}}}\n  web: {hosts: [a]}\n",
                  pins, 1,
                  "environment: staging\nroles:\n  api: {hosts: {a: {host_key: \"" ONE
                  "\"}}}\n  web: {hosts: [a]}\n");
}

static void test_a_host_that_is_not_there_is_refused(void **state)
{
    (void)state;
    const struct Pin pins[] = {{"x", "host_key", ONE}};
    struct Case c = case_with(NULL, NULL, NULL, 0);
    struct Buf out = BUF(1 << 16);
    struct Err err;
    const struct Document *document =
        case_document(&c, "staging.yaml", "environment: staging\nroles: {api: {hosts: [a]}}\n");
    assert_false(pins_text(document, pins, 1, c.arena, &out, &err));
    assert_string_equal(err.message, "none of these hosts stands in the file");
    buf_free(&out);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_of_names_becomes_a_map),
        cmocka_unit_test(test_a_described_host_keeps_its_keys_and_remarks),
        cmocka_unit_test(test_a_host_of_two_roles_is_pinned_where_it_stands_first),
        cmocka_unit_test(test_a_host_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
