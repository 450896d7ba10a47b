/* faults_chains_test.c - what the network faults tell iptables and ipset where there is no nft. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "faults_bench.h"

static const char *const addresses[] = {"10.0.0.2", "fd00::2", "10.0.0.2"};
static const struct Peer peer = {.host = &other, .addresses = addresses, .address_count = 3};

static struct Bench bench_new(void)
{
    return bench_on((struct HostFacts){.iptables = true});
}

static void test_the_kernel_ends_it_and_nft_is_not_asked(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    assert_int_equal(bench.procedure.ends_by, CLASS_KERNEL);
    assert_int_equal(bench.procedure.renew.count, 1);
    assert_string_equal(bench.procedure.apply.at[0].what,
                        "drop all packets from and to everybody but our ssh, by iptables");
    has(&bench, "peers4='\\''0.0.0.0/1 128.0.0.0/1'\\'' peers6='\\''::/1 8000::/1'\\''");
    has(&bench, "hash:net family $type timeout $FD_LEASE");
    has(&bench, "*raw\n:${ours}_hears - [0:0]\n:${ours}_hears_c - [0:0]\n"
                "-A ${ours}_hears_c -j DROP\n$(chains_spare \"$1\" \"${ours}_hears\" in)\n"
                "-A ${ours}_hears -m set --match-set ${ours}_$1 src -g ${ours}_hears_c\n"
                "-I PREROUTING 1 -m comment --comment fd_$FD_ID -j ${ours}_hears\nCOMMIT\n");
    has(&bench, "-I OUTPUT 1 -m comment --comment fd_$FD_ID -j ${ours}_says\n"
                "-I FORWARD 1 -m comment --comment fd_$FD_ID -j ${ours}_says\nCOMMIT\n");
    assert_non_null(
        strstr(commands_shell(&bench.procedure.in_place, bench.arena), "chains_place 3\n"));
    lacks(&bench, "nft ");
    arena_free(bench.arena);
}

static void test_others_rules_are_never_flushed(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    const char *undo = commands_shell(&bench.procedure.undo, bench.arena);
    assert_non_null(strstr(undo, "iptables-restore --noflush -w 5"));
    for (const char *at = undo; (at = strstr(at, "tables-restore")) != NULL; at++)
        assert_memory_equal(at, "tables-restore --noflush", strlen("tables-restore --noflush"));
    assert_null(strstr(undo, "iptables -F"));
    assert_non_null(strstr(undo, "chains_undo\n"));
    assert_non_null(
        strstr(commands_shell(&bench.procedure.all_clear, bench.arena), "chains_clear\n"));
    arena_free(bench.arena);
}

static void test_our_own_way_goes_with_the_kernels_timer_where_it_is_to_be_cut(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.input.cuts_link = true;
    bench.input.lease_ns = 0;
    assert_true(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    assert_true(bench.procedure.cuts_link);
    has(&bench, "spared=set spared_s=10\n");
    arena_free(bench.arena);
}

static void test_peers_and_ports_stand_in_the_words_of_iptables(void **state)
{
    (void)state;
    static const char *some[17];
    for (size_t i = 0; i < COUNT_OF(some); i++)
        some[i] = i == 0 ? "6379" : i == 16 ? "7000" : "80";
    struct Bench bench = bench_new();
    bench.input.peers = &peer;
    bench.input.peer_count = 1;
    assert_true(plan_of(&bench, &cut_fault,
                        &(struct CutWords){.ports = {.items = some, .count = COUNT_OF(some)}}));
    has(&bench, "peers4='\\''10.0.0.2'\\'' peers6='\\''fd00::2'\\''");
    has(&bench, "-A ${ours}_hears -p sctp -m multiport --sports 80,7000 -m set --match-set "
                "${ours}_$1 src -g ${ours}_hears_c\n");
    lacks(&bench, "*filter");
    assert_true(plan_of(&bench, &cut_fault, &(struct CutWords){.with = 1}));
    has(&bench, "-A ${ours}_hears_c -p tcp --tcp-flags RST RST -j RETURN\n"
                "-A ${ours}_hears_c $icmp -j RETURN\n"
                "-A ${ours}_hears_c -p tcp -j REJECT --reject-with tcp-reset\n"
                "-A ${ours}_hears_c -j REJECT --reject-with $refusal\n");
    has(&bench, "-I INPUT 1 ");
    has(&bench, "-I FORWARD 1 ");
    lacks(&bench, "*raw");
    arena_free(bench.arena);
}

static void test_a_line_is_bad_by_chance_or_thin(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    const struct LineWords third = {.amount = 300000, .direction = DIRECTION_BOTH};
    const struct LineWords all = {.amount = 1000000, .direction = DIRECTION_IN};
    assert_true(plan_of(&bench, &loss_fault, &third));
    has(&bench, "-A ${ours}_says_c -m statistic --mode random --probability 0.300000 -j DROP\n");
    assert_true(plan_of(&bench, &loss_fault, &all));
    lacks(&bench, "statistic");
    assert_true(plan_of(&bench, &rate_limit_fault, &third));
    assert_string_equal(
        bench.procedure.apply.at[0].what,
        "drop what is more than 300kbit/s of the packets that come in, and of "
        "those that leave, by iptables: so much of IPv4, and as much again of IPv6");
    has(&bench, "--hashlimit-name ${meter}h --hashlimit-above 37500b/s -j DROP\n");
    has(&bench, "--hashlimit-name ${meter}s --hashlimit-above 37500b/s -j DROP\n");
    arena_free(bench.arena);
}

static void test_dns_is_dropped_as_answers_and_refused_as_questions(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan_of(&bench, &dns_cut_fault, &(struct DnsWords){.with = 0}));
    has(&bench, "-p udp -m multiport --sports 53,853 -m set --match-set ${ours}_$1 src");
    lacks(&bench, "*filter");
    assert_true(plan_of(&bench, &dns_cut_fault, &(struct DnsWords){.with = 1}));
    has(&bench, "-p tcp -m multiport --dports 53,853 -m set --match-set ${ours}_$1 dst");
    has(&bench, "-I OUTPUT 1 -m comment --comment fd_$FD_ID -j ${ours}_asks\n");
    has(&bench, "-I FORWARD 1 -m comment --comment fd_$FD_ID -j ${ours}_goes\n");
    arena_free(bench.arena);
}

/* The sets are empty at first; what fills them lies ready before anything is changed. */
static void test_what_flaps_is_ended_by_the_kernel_each_time(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.input.flap = (struct Flap){.bad_ns = 2 * NS_PER_S, .good_ns = 2 * NS_PER_S};
    assert_true(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    assert_int_equal(bench.procedure.ends_by, CLASS_KERNEL);
    has(&bench, "flaps=1\n");
    has(&bench, "sh hold take flap bad 200 good 200 count 4");
    const char *save = commands_shell(&bench.procedure.save, bench.arena);
    assert_non_null(strstr(save, "chains_beat\n"));
    assert_non_null(strstr(save, "chains_peers 3\n"));
    assert_null(strstr(commands_shell(&bench.procedure.in_place, bench.arena), "chains_place 3"));
    arena_free(bench.arena);
}

static void test_what_iptables_cannot_do_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.input.flap = (struct Flap){.bad_ns = NS_PER_S * 3 / 2, .good_ns = NS_PER_S};
    assert_false(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    assert_string_equal(bench.err.message,
                        "'redis-1' has iptables alone, whose timers know whole seconds only: "
                        "expected `bad` in whole seconds and `good` of 2s or more");
    arena_free(bench.arena);
    bench = bench_new();
    bench.input.flap = (struct Flap){.bad_ns = NS_PER_S, .good_ns = 2 * NS_PER_S - 1};
    assert_false(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    assert_non_null(strstr(bench.err.message, "`good` of 2s or more"));
    bench.input.flap.good_ns++;
    assert_true(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    arena_free(bench.arena);
    bench = bench_new();
    bench.facts.iptables = false;
    bench.facts.no_filter = "nft does not work, and iptables has no timers without ipset";
    assert_false(plan_of(&bench, &isolate_fault, &(struct LineWords){.amount = 0}));
    assert_string_equal(bench.err.message,
                        "'redis-1' can load neither an nft table nor chains of iptables: nft does "
                        "not work, and iptables has no timers without ipset");
    arena_free(bench.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kernel_ends_it_and_nft_is_not_asked),
        cmocka_unit_test(test_others_rules_are_never_flushed),
        cmocka_unit_test(test_our_own_way_goes_with_the_kernels_timer_where_it_is_to_be_cut),
        cmocka_unit_test(test_peers_and_ports_stand_in_the_words_of_iptables),
        cmocka_unit_test(test_a_line_is_bad_by_chance_or_thin),
        cmocka_unit_test(test_dns_is_dropped_as_answers_and_refused_as_questions),
        cmocka_unit_test(test_what_flaps_is_ended_by_the_kernel_each_time),
        cmocka_unit_test(test_what_iptables_cannot_do_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
