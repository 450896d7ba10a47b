# foreign_chains_flushed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the undo by iptables loads its rules in the place of all others
# file runner/transports/chains.sh
# test tests/unit/faults_chains_test : test_others_rules_are_never_flushed
s/--noflush //
