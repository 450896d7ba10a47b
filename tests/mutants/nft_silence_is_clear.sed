# nft_silence_is_clear.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says that nft does not answer counts as clear
# file runner/faults/network.c
# test tests/unit/transports_safety_test : test_a_look_without_nft_proves_nothing
/all_clear_text/,/;$/ s/tables=\$\(nft list tables\) \|\| exit 125/tables=$(nft list tables)/
