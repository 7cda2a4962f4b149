#!/usr/bin/env bash
# causes.sh LOG : the causes of the failures in a log of `make test`, in a few lines: of each panic where it was, and the first
# and the last lines of its message that tell of something wrong. Lines of JSON are long: each is cut.
set -euo pipefail

awk '
    function told(    at) {
        for (at = 0; at < n; at++)
            if (at == 0 || at >= n - 4) print "  " said[at]
        n = 0
        panic = 0
    }
    / panicked at / { if (panic) told(); print; panic = 1; first = 1; next }
    !panic { next }
    /^note: run with|^stack backtrace:|^test .* \.\.\. |^failures:/ { told(); next }
    first || /fail|FAIL|error|refus|unreach|wrong|left:|right:|timed out|in vain|not / { said[n++] = substr($0, 1, 500); first = 0 }
    END { if (panic) told() }
' "$1"
