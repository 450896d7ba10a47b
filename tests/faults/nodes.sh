#!/usr/bin/env bash
# nodes.sh - hosts with a real systemd as node.py finds them, while COMMAND runs: nodes.sh NUMBER COMMAND...
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/systemd/node.sh
. "${BASH_SOURCE[0]%/*}/../systemd/node.sh"
on_wire "$@"

number=$1
shift
for ((at = 1; at <= number; at++)); do
    name=node-$at
    node_make "$name" $((10 + at)) || skip_all "no file system for a node"
    node_unit "$name" idle.service <<'END'
[Service]
ExecStart=/bin/sh -c 'sleep 100000 & wait'
Restart=always
RestartSec=0
[Unit]
StartLimitIntervalSec=0
END
    mkdir -p "$work/lab/hosts/$name"
    echo "$wire.$((10 + at))" >"$work/lab/hosts/$name/address"
    node_boot "$name"
done
for ((at = 1; at <= number; at++)); do
    wait_for 180 node_sh "node-$at" true || {
        tail -n 20 "$work/node-$at.console"
        skip_all "systemd does not boot in a container here"
    }
done
cp "$work/ssh_config" "$work/lab/ssh_config"
LAB_STATE=$work/lab NODES_POWER=$work "$@"
