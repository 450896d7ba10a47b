#!/usr/bin/env bash
# rabbitmq_test.sh - a quorum queue of RabbitMQ, drilled in every way of scenarios/rabbitmq.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/web/rabbitmq_test.sh      ONLY: some scenarios of scenarios/rabbitmq, and: back short
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for program in rabbitmq-server erl_call; do
    command -v "$program" >/dev/null || skip_all "there is no $program here"
done
in_lab rabbitmq
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of rabbitmq rabbitmq

# eval_on HOST EXPRESSION: by its node, as a string of ours has it.
eval_on() {
    # shellcheck disable=SC2016
    "$root/scenarios/lab/lab" --state "$LAB_STATE" exec "$1" sh -c \
        'HOME=/var/lib/rabbitmq; export HOME; printf "%s\n" "$1" | erl_call -h test$$ -sname "rabbit@$(hostname)" -e' sh "$2"
}
# Who is asked says how many messages stand in the queue; "" where it does not know.
messages() {
    eval_on rabbitmq-1 'lists:flatten(io_lib:format("has ~w", [rabbit_amqqueue:with(rabbit_misc:r(<<"/">>, queue, <<"drills">>), fun(Q) -> element(2, rabbit_amqqueue:stat(Q)) end)])).' |
        sed -n 's/.*"has \([0-9]*\)".*/\1/p'
}
nothing_is_lost() {
    holds 'all(l["lost"] + l["back_lost"] == 0 and l["duplicated"] == 0 and l["unexpected"] == 0 for l in r["ledgers"])' &&
        holds 'led["writes"]["acked"] > 25' && holds '{l["read_back_complete"] for l in r["ledgers"]} == {"yes"}'
}
# Every node passes messages on to the leader: that one does proves no second leader.
proves_no_split() {
    holds 'pri["queue"]["split_proven"] is False'
}
# What was in doubt may come when all is read and tidied up: a channel that waits for a node goes on without its client.
is_tidy() {
    local left
    left=$(messages)
    holds "0 <= ${left:-none} <= sum(l['unknown'] for l in r['ledgers'])" &&
        eval_on rabbitmq-1 'rabbit_amqqueue:with(rabbit_misc:r(<<"/">>, queue, <<"drills">>), fun(Q) -> rabbit_amqqueue:purge(Q) end).' >/dev/null
}
for name in rabbitmq_leader_dies rabbitmq_leader_moves rabbitmq_leader_frozen rabbitmq_leader_isolated \
    rabbitmq_leader_cut_from_members rabbitmq_leader_cut_from_clients; do
    wanted "$name" || continue
    check "$name passes" passes "$name"
    check "$name: every confirmed message is there, once" nothing_is_lost
    check "$name: the ledgers' messages are gone, but for those in doubt" is_tidy
    if [ "$name" = rabbitmq_leader_cut_from_clients ]; then
        check "$name: it is said that nobody saw it" nobody_saw queue writes
    else
        check "$name: within the range that is foreseen" as_predicted
    fi
    check "$name: two leaders are not said to confirm" proves_no_split
    row "$name"
done

gives_back() {
    passes rabbitmq_leader_back && nothing_is_lost && gave_back queue
}
sed 's/^scenario: .*/scenario: rabbitmq_leader_back/; s/^  - failover: queue$/  - {failover: queue, switch_back: true}/' \
    "$root/scenarios/rabbitmq/rabbitmq_leader_moves.yaml" >"$work/own/rabbitmq_leader_back.yaml"
if wanted back; then
    check "the leader moves, and moves back" gives_back
    say_back rabbitmq_leader_back
fi

# A queue that forgets what it confirmed is no queue to drill.
set_policy() {
    eval_on rabbitmq-1 "rabbit_policy:set(<<\"/\">>, <<\"short\">>, <<\"^drills\$\">>, [{<<\"max-length\">>, 5}], 0, <<\"queues\">>, <<\"test\">>)." >/dev/null
}
clear_policy() {
    eval_on rabbitmq-1 'rabbit_policy:delete(<<"/">>, <<"short">>, <<"test">>).' >/dev/null
}
refuses_a_short_queue() {
    set_policy
    wait_for 20 said_short
    refused 3 rabbitmq_leader_moves "by its max-length"
    local rc=$?
    clear_policy
    return "$rc"
}
said_short() {
    eval_on rabbitmq-1 'lists:flatten(io_lib:format("~p", [rabbit_amqqueue:with(rabbit_misc:r(<<"/">>, queue, <<"drills">>), fun(Q) -> rabbit_policy:effective_definition(Q) end)])).' | grep -q max-length
}
! wanted short || check "a queue that drops what it confirmed is refused" refuses_a_short_queue
