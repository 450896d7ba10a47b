# value_unquoted.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a value reaches the shell as it stands
# file runner/transports/quote.c
# test tests/unit/transports_quote_test : payload
s/^    shell_text\(out, value\);$/    buf_put(out, value);/
