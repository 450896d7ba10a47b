# revoked_key_matches.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a revoked host key is accepted
# file runner/transports/ssh_known.c
# test tests/unit/transports_ssh_test : test_known_hosts_are_read_as_ssh_reads_them
s/\.revoked = revoked\}/.revoked = false}/
