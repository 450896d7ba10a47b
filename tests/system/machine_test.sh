#!/usr/bin/env bash
# machine_test.sh - a host's power is cut and comes back: the drill as meant, and without its runner.
# SPDX-License-Identifier: Apache-2.0
ONLY='whole_drill no_secret killed under_the_runner' exec "${BASH_SOURCE[0]%/*}/machine.sh"
