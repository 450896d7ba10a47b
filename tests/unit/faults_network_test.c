/* faults_network_test.c - what the network faults tell the kernel, and that it ends by itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "faults_bench.h"

static const struct FaultKind *const all_kinds[] = {&isolate_fault, &loss_fault, &rate_limit_fault,
                                                    &dns_cut_fault};

static struct Bench bench_new(void)
{
    struct Bench bench = bench_on((struct HostFacts){.nft = true});
    bench.line = (struct LineWords){.amount = 200000, .direction = DIRECTION_IN};
    return bench;
}

static bool plan(struct Bench *bench, const struct FaultKind *kind)
{
    return plan_of(bench, kind,
                   kind == &dns_cut_fault ? (const void *)&bench->dns
                   : kind == &cut_fault   ? (const void *)&bench->cut
                                          : (const void *)&bench->line);
}

static void test_each_is_ended_by_the_kernel_and_touches_its_own_table_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all_kinds); i++) {
        struct Bench bench = bench_new();
        assert_true(plan(&bench, all_kinds[i]));
        assert_int_equal(bench.procedure.ends_by, CLASS_KERNEL);
        assert_true(all_kinds[i]->may_cut_link && all_kinds[i]->needs_filter);
        assert_int_equal(bench.procedure.renew.count, 1);
        has(&bench, "elements = { 0.0.0.0/0 timeout ${FD_LEASE}s }");
        has(&bench, "elements = { ::/0 timeout ${FD_LEASE}s }");
        has(&bench,
            "add table inet fd_$FD_ID\ndelete table inet fd_$FD_ID\ntable inet fd_$FD_ID {");
        lacks(&bench, "flush");
        lacks(&bench, "table arp");
        arena_free(bench.arena);
    }
}

/* Before anything is caught, on every hook. */
static void test_our_own_way_is_exempt_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all_kinds); i++)
        for (int way = 0; way < 2; way++) {
            struct Bench bench = bench_new();
            bench.line.direction = DIRECTION_BOTH;
            bench.dns.with = way;
            assert_true(plan(&bench, all_kinds[i]));
            has(&bench, "in=\"$ip saddr $FD_PEER tcp dport $FD_PORT accept\"");
            has(&bench, "out=\"$ip daddr $FD_PEER tcp sport $FD_PORT accept\"");
            const char *at = bench.apply;
            for (; (at = strstr(at, "type filter hook")) != NULL; at++) {
                const char *ours = strstr(at, "        $"), *caught = strstr(at, "goto");
                assert_true(ours != NULL && caught != NULL && ours < caught);
                assert_true(strstr(at, "\"lo\" accept") < ours);
            }
            arena_free(bench.arena);
        }
}

static void test_isolate_hears_nobody_and_says_nothing(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan(&bench, &isolate_fault));
    has(&bench, "hook prerouting priority -300");
    has(&bench, "ip saddr @peers4 goto hears_caught\n");
    has(&bench, "ip6 saddr @peers6 goto hears_caught\n");
    has(&bench, "hook postrouting priority 300");
    has(&bench, "ip daddr @peers4 goto says_caught\n");
    assert_string_equal(commands_shell(&bench.procedure.renew, bench.arena),
                        "# wind the kernel's timer up again\n"
                        "timeout -k 2 10 sh -c 'nft -f - <<EOF\n"
                        "delete element inet fd_$FD_ID peers4 { 0.0.0.0/0 }\n"
                        "delete element inet fd_$FD_ID peers6 { ::/0 }\n"
                        "add element inet fd_$FD_ID peers4 { 0.0.0.0/0 timeout ${FD_LEASE}s }\n"
                        "add element inet fd_$FD_ID peers6 { ::/0 timeout ${FD_LEASE}s }\n"
                        "EOF\n' || exit\n");
    arena_free(bench.arena);
}

/* The table is loaded empty; what fills it lies ready before anything is changed. */
static void test_what_flaps_is_ended_by_the_kernel_each_time(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.input.flap = (struct Flap){.bad_ns = 5 * NS_PER_S, .good_ns = 10 * NS_PER_S};
    assert_true(plan(&bench, &isolate_fault));
    assert_int_equal(bench.procedure.ends_by, CLASS_KERNEL);
    lacks(&bench, "elements =");
    has(&bench, "sh hold take flap bad 500 good 1000 count 2");
    const char *save = commands_shell(&bench.procedure.save, bench.arena);
    assert_non_null(strstr(save, "add element inet fd_$FD_ID peers6 { ::/0 timeout ${FD_PHASE}ms"));
    assert_null(strstr(save, "FD_LEASE"));
    const char *undo = commands_shell(&bench.procedure.undo, bench.arena);
    const char *table = strstr(undo, "delete table"), *rhythm = strstr(undo, "sh hold free flap");
    assert_true(table != NULL && rhythm != NULL && table < rhythm);
    assert_non_null(strstr(commands_shell(&bench.procedure.all_clear, bench.arena), "hold freed"));
    assert_non_null(strstr(commands_shell(&bench.procedure.in_place, bench.arena), "hold held"));
    arena_free(bench.arena);
}

/* By the kernel's timer, so that the proof still reaches us. */
static void test_our_link_goes_after_the_proof_where_it_is_to_be_cut(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.input.cuts_link = true;
    bench.input.lease_ns = 0;
    assert_true(plan(&bench, &isolate_fault));
    assert_true(bench.procedure.cuts_link);
    assert_int_equal(bench.procedure.lease_ns, 0);
    has(&bench, "elements = { $FD_PEER timeout 10s }");
    has(&bench, "in=\"$ip saddr @ours tcp dport $FD_PORT accept\"");
    lacks(&bench, "saddr $FD_PEER");
    has(&bench, "elements = { 0.0.0.0/0 timeout ${FD_LEASE}s }");
    assert_true(procedure_check(&isolate_fault, &bench.procedure, &bench.err));
    arena_free(bench.arena);
}

static void test_loss_drops_by_chance_where_it_is_told(void **state)
{
    (void)state;
    static const struct {
        int direction;
        bool in, out;
    } rows[] = {
        {DIRECTION_IN, true, false}, {DIRECTION_OUT, false, true}, {DIRECTION_BOTH, true, true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct Bench bench = bench_new();
        bench.line.direction = rows[i].direction;
        assert_true(plan(&bench, &loss_fault));
        has(&bench, "numgen random mod 1000000 < 200000 counter drop");
        assert_int_equal(strstr(bench.apply, "hook prerouting") != NULL, rows[i].in);
        assert_int_equal(strstr(bench.apply, "hook postrouting") != NULL, rows[i].out);
        arena_free(bench.arena);
    }
}

static void test_the_loss_of_all_asks_no_chance(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.line.amount = 1000000;
    assert_true(plan(&bench, &loss_fault));
    lacks(&bench, "numgen");
    has(&bench, "counter drop");
    arena_free(bench.arena);
}

static void test_a_rate_is_in_bytes(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    bench.line.amount = 1000000;
    assert_true(plan(&bench, &rate_limit_fault));
    has(&bench, "limit rate over 125000 bytes/second burst 65536 bytes counter drop");
    assert_string_equal(bench.procedure.apply.at[0].what,
                        "drop what is more than 1Mbit/s of the packets that come in");
    arena_free(bench.arena);
}

static void test_dns_is_dropped_as_answers_and_refused_as_questions(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_true(plan(&bench, &dns_cut_fault));
    has(&bench, "ip saddr @peers4 meta l4proto { tcp, udp } th sport { 53, 853 } goto");
    lacks(&bench, "dport { 53");
    lacks(&bench, "reject");
    bench.dns.with = 1;
    assert_true(plan(&bench, &dns_cut_fault));
    has(&bench, "hook output priority -300");
    has(&bench, "hook forward priority -300");
    has(&bench, "ip6 daddr @peers6 meta l4proto { tcp, udp } th dport { 53, 853 } goto");
    has(&bench, "meta l4proto tcp counter reject with tcp reset\n");
    lacks(&bench, "sport { 53");
    arena_free(bench.arena);
}

static void test_peers_stand_in_the_set_of_their_family_once(void **state)
{
    (void)state;
    static const char *const addresses[] = {"10.0.0.2", "fd00::2", "10.0.0.2"};
    const struct Peer peer = {.host = &other, .addresses = addresses, .address_count = 3};
    struct Bench bench = bench_new();
    struct NetFault fault = {.what = "drop", .peers = &peer, .peer_count = 1};
    assert_true(network_catch(&fault, (struct NetWhich){.direction = DIRECTION_IN},
                              (struct NetVerdict){.nft = "counter drop"}, bench.arena, &bench.err));
    bench.input.facts = &bench.facts;
    assert_true(network_plan(&fault, &bench.input, bench.arena, &bench.procedure, &bench.err));
    bench.apply = commands_shell(&bench.procedure.apply, bench.arena);
    has(&bench, "flags timeout\n        elements = { 10.0.0.2 timeout ${FD_LEASE}s }\n");
    has(&bench, "flags timeout\n        elements = { fd00::2 timeout ${FD_LEASE}s }\n");
    lacks(&bench, "/0");
    assert_non_null(strstr(commands_shell(&bench.procedure.in_place, bench.arena), "in-place 2"));
    arena_free(bench.arena);
}

static const char *const addresses_of_other[] = {"10.0.0.2", "fd00::2"};
static const struct Peer peer_other = {
    .host = &other, .addresses = addresses_of_other, .address_count = 2};

static struct Bench cut_bench(void)
{
    struct Bench bench = bench_new();
    bench.input.peers = &peer_other;
    bench.input.peer_count = 1;
    return bench;
}

static void test_each_end_of_a_cut_drops_what_it_must_not_hear(void **state)
{
    (void)state;
    struct Bench bench = cut_bench();
    assert_true(plan(&bench, &cut_fault));
    assert_int_equal(bench.procedure.ends_by, CLASS_KERNEL);
    assert_string_equal(bench.procedure.apply.at[0].what, "drop what comes from redis-2");
    has(&bench, "hook prerouting priority -300");
    has(&bench, "elements = { 10.0.0.2 timeout ${FD_LEASE}s }");
    has(&bench, "elements = { fd00::2 timeout ${FD_LEASE}s }");
    lacks(&bench, "hook postrouting");
    lacks(&bench, "0.0.0.0/0");
    lacks(&bench, "reject");
    arena_free(bench.arena);
}

static void test_a_refusal_passes_the_rules_of_the_other_end(void **state)
{
    (void)state;
    struct Bench bench = cut_bench();
    bench.cut.with = 1;
    assert_true(plan(&bench, &cut_fault));
    const char *reset = strstr(bench.apply, "tcp flags & rst == rst accept");
    const char *reject = strstr(bench.apply, "reject with tcp reset");
    assert_true(reset != NULL && reject != NULL && reset < reject);
    has(&bench, "counter reject with icmpx type port-unreachable");
    arena_free(bench.arena);
}

static void test_ports_are_of_either_end_and_numbers_only(void **state)
{
    (void)state;
    static const char *good[] = {"6379", "16379"}, *bad[] = {"6379", "$(reboot)"};
    struct Bench bench = cut_bench();
    bench.cut.ports = (struct List){.items = good, .count = 2};
    assert_true(plan(&bench, &cut_fault));
    has(&bench, "ip saddr @peers4 meta l4proto { tcp, udp, sctp } th dport { 6379, 16379 } goto");
    has(&bench, "ip6 saddr @peers6 meta l4proto { tcp, udp, sctp } th sport { 6379, 16379 } goto");
    bench.cut.ports = (struct List){.items = bad, .count = 2};
    assert_false(plan(&bench, &cut_fault));
    assert_string_equal(bench.err.message, "'$(reboot)' is no port");
    arena_free(bench.arena);
}

static void test_a_line_to_some_is_bad_to_them_only(void **state)
{
    (void)state;
    static const char *ports[] = {"443"};
    const struct FaultKind *const kinds[] = {&loss_fault, &rate_limit_fault};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct Bench bench = cut_bench();
        bench.line.direction = DIRECTION_BOTH;
        bench.line.ports = (struct List){.items = ports, .count = 1};
        assert_true(plan(&bench, kinds[i]));
        has(&bench, "elements = { 10.0.0.2 timeout ${FD_LEASE}s }");
        has(&bench, "elements = { fd00::2 timeout ${FD_LEASE}s }");
        lacks(&bench, "0.0.0.0/0");
        lacks(&bench, "::/0");
        has(&bench, "ip saddr @peers4 meta l4proto { tcp, udp, sctp } th dport { 443 } goto hears");
        has(&bench, "ip daddr @peers4 meta l4proto { tcp, udp, sctp } th sport { 443 } goto says");
        arena_free(bench.arena);
    }
}

static void test_a_cut_from_nobody_is_refused(void **state)
{
    (void)state;
    struct Bench bench = bench_new();
    assert_false(plan(&bench, &cut_fault));
    assert_int_equal(bench.err.code, ERR_RULE);
    arena_free(bench.arena);
}

static void test_without_nft_and_iptables_it_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all_kinds); i++) {
        struct Bench bench = bench_new();
        bench.facts.nft = false;
        assert_false(plan(&bench, all_kinds[i]));
        assert_int_equal(bench.err.code, ERR_NOT_READY);
        assert_string_equal(bench.err.message, "'redis-1' can load neither an nft table nor chains "
                                               "of iptables: it was not asked");
        arena_free(bench.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_ended_by_the_kernel_and_touches_its_own_table_only),
        cmocka_unit_test(test_our_own_way_is_exempt_first),
        cmocka_unit_test(test_isolate_hears_nobody_and_says_nothing),
        cmocka_unit_test(test_what_flaps_is_ended_by_the_kernel_each_time),
        cmocka_unit_test(test_our_link_goes_after_the_proof_where_it_is_to_be_cut),
        cmocka_unit_test(test_loss_drops_by_chance_where_it_is_told),
        cmocka_unit_test(test_the_loss_of_all_asks_no_chance),
        cmocka_unit_test(test_a_rate_is_in_bytes),
        cmocka_unit_test(test_dns_is_dropped_as_answers_and_refused_as_questions),
        cmocka_unit_test(test_peers_stand_in_the_set_of_their_family_once),
        cmocka_unit_test(test_each_end_of_a_cut_drops_what_it_must_not_hear),
        cmocka_unit_test(test_a_refusal_passes_the_rules_of_the_other_end),
        cmocka_unit_test(test_ports_are_of_either_end_and_numbers_only),
        cmocka_unit_test(test_a_line_to_some_is_bad_to_them_only),
        cmocka_unit_test(test_a_cut_from_nobody_is_refused),
        cmocka_unit_test(test_without_nft_and_iptables_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
