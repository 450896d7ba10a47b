#!/usr/bin/env bash
# failovers.sh - every system of the lab drilled once: its primary killed, its machine lost, a planned switchover.
# SPDX-License-Identifier: Apache-2.0
# usage: [SETS=NAME,...] [ONLY=NAME,...] tests/system/failovers.sh
#
# A run that is not as its scenario and its plan say fails the test: verdict, exit status, predicted range, redundancy.
here=${BASH_SOURCE[0]%/*}
results=${BUILD:-build}/failovers/results
rm -rf "${results%/*}"
exec "$here/table.py" --standard --judge ${SETS:+--sets "$SETS"} ${ONLY:+--drills "$ONLY"} --results "$results"
