/* model_redact_test.c - no form of a secret is left in what is said. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "model_case.h"

#include "../../runner/model/procedure_fill.h"
#include "../../runner/model/redact.h"

#define TWO_SECRETS                                                                                \
    "environment: staging\n"                                                                       \
    "roles: {api: {hosts: [api-1, api-2], unit: shop-api.service}}\n"                              \
    "endpoints: {api: \"http://10.0.0.21:8080\"}\n"                                                \
    "secrets: {token: {env: FD_TEST_TOKEN}, other: {env: FD_TEST_OTHER}}\n"
#define CANARY "s3cr?t \"a\"/it's"

static struct Case unlocked(void)
{
    setenv("FD_TEST_TOKEN", CANARY, 1);
    struct Case c = good_case(STAGING, DRILL);
    struct Err err;
    assert_true(environment_unlock(c.environment, NULL, &err));
    return c;
}

static void assert_said(const char *text, const char *said)
{
    struct Buf out = BUF(1000);
    redact(text, &out);
    assert_string_equal(out.text, said);
    buf_free(&out);
}

static void test_every_form_of_a_secret_is_taken_out(void **state)
{
    (void)state;
    struct Case c = unlocked();

    assert_said("no: " CANARY "!", "no: ${secret.token}!");
    assert_said("a " CANARY " b " CANARY, "a ${secret.token} b ${secret.token}");
    assert_said("/?t=s3cr%3Ft%20%22a%22%2Fit%27s&x", "/?t=${secret.token}&x");
    assert_said("/?t=s3cr%3ft%20%22a%22%2fit%27s&x", "/?t=${secret.token}&x");
    assert_said("t=s3cr%3Ft+%22a%22%2Fit%27s", "t=${secret.token}");
    assert_said("{\"t\": \"s3cr?t \\\"a\\\"/it's\"}", "{\"t\": \"${secret.token}\"}");
    assert_said("t='s3cr?t \"a\"/it'\\''s'", "t='${secret.token}'");
    case_close(&c);
}

/* printf '%s' 's3cr?t "a"/it'\''s' | base64, and behind a byte, and behind two. */
static void test_base64_is_found_wherever_it_begins(void **state)
{
    (void)state;
    struct Case c = unlocked();

    assert_said("Basic czNjcj90ICJhIi9pdCdz", "Basic ${secret.token}");
    assert_said("OnMzY3I/dCAiYSIvaXQncw==", "On${secret.token}w==");
    assert_said("OnMzY3I_dCAiYSIvaXQncw", "On${secret.token}w");
    assert_said("dTpzM2NyP3QgImEiL2l0J3M=", "dTp${secret.token}M=");
    case_close(&c);
}

static void test_other_text_stays_as_it_is(void **state)
{
    (void)state;
    struct Case c = unlocked();

    assert_said("", "");
    assert_said("s3cr?t \"a\"/it", "s3cr?t \"a\"/it");
    case_close(&c);
    setenv("FD_TEST_TOKEN", "abc", 1); /* too short to look for */
    c = good_case(STAGING, DRILL);
    struct Err err;
    assert_true(environment_unlock(c.environment, NULL, &err));
    assert_said("abcabc", "abcabc");
    case_close(&c);
}

/* As `vault: {env: PASSWORD}` with the password "vault1" of a lab that nobody minds. */
static void test_what_stands_in_its_place_is_never_looked_at(void **state)
{
    (void)state;
    setenv("FD_TEST_TOKEN", "token", 1);
    setenv("FD_TEST_OTHER", "secret.token", 1);
    struct Case c = good_case(TWO_SECRETS, DRILL);
    struct Err err;
    assert_true(environment_unlock(c.environment, NULL, &err));

    assert_said("a token b", "a ${secret.token} b");
    assert_said("tokentoken", "${secret.token}${secret.token}");
    assert_said("secret.token", "${secret.other}");
    assert_said("it says ${secret.token} already", "it says ${secret.token} already");
    assert_said("${secret.token", "${${secret.other}");
    assert_said("${secret.tokens}", "${${secret.other}s}");
    case_close(&c);
}

/* Its commands are printed, stored, and lie on its host. */
static void test_a_fault_takes_no_capture_that_holds_a_secret(void **state)
{
    (void)state;
    struct Case c = unlocked();
    static const char *const values[] = {CANARY, ("it was " CANARY), "dTpzM2NyP3QgImEiL2l0J3M="};
    const struct Token token = {.text = "01k2"};
    const char *argv[] = {"echo", "@01k2:said@", NULL};
    struct Command command = {.what = "undo", .argv = argv};
    struct Procedure procedure = {.undo = {.at = &command, .count = 1}}, out;
    struct Err err;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct TextPair pair = {.name = "said", .value = values[i]};
        struct List captured = {.items = &pair, .count = 1};
        assert_false(
            procedure_fill(&procedure, &token, &captured, c.environment->arena, &out, &err));
        assert_string_equal(err.message, "`said` holds the value of a secret, which a fault's "
                                         "commands never do");
    }
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fault_takes_no_capture_that_holds_a_secret),
        cmocka_unit_test(test_every_form_of_a_secret_is_taken_out),
        cmocka_unit_test(test_base64_is_found_wherever_it_begins),
        cmocka_unit_test(test_other_text_stays_as_it_is),
        cmocka_unit_test(test_what_stands_in_its_place_is_never_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
