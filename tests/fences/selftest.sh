#!/bin/sh
# The fences must be seen to fail: each is run on a small tree of its own, clean
# (must pass), with one planted violation (must fail and name it), and without
# its input (must fail).
set -eu
fences=$ERA_SRC/tests/fences
tmp=$(mktemp -d "${TMPDIR:-/tmp}/erad-selftest.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
cases=0
failed=0

# must WORD NAME COMMAND…: WORD is pass, or a text that the failing output must hold.
must() {
    word=$1
    name=$2
    shift 2
    cases=$((cases + 1))
    status=0
    "$@" >"$tmp/out" 2>&1 || status=$?
    if [ "$word" = pass ]; then
        [ "$status" -eq 0 ] && return
    elif [ "$status" -ne 0 ] && grep -qF -- "$word" "$tmp/out"; then
        return
    fi
    failed=$((failed + 1))
    echo "selftest: $name: status $status, wanted: $word"
    sed 's/^/    /' "$tmp/out"
}
compile() { # OBJECT, source on standard input
    cat >"$tmp/planted.c"
    # shellcheck disable=SC2086 # command and flags
    $ERA_LINK -c -o "$1" "$tmp/planted.c"
}

# ---- includes -----------------------------------------------------------------
tree=$tmp/tree
fresh_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/src/base" "$tree/src/core" "$tree/proto" "$tree/p2p" "$tree/store" "$tree/tests/base"
    echo '#include <stdint.h>' >"$tree/src/base/bytes.h"
    printf '#include <string.h>\n#include "src/base/bytes.h"\n' >"$tree/src/base/bytes.c"
    printf '#include "src/base/bytes.h"\n' >"$tree/proto/limits.h"
    printf '#include "proto/limits.h"\n#include "proto/erad.pb-c.h"\n' >"$tree/src/core/ledger.h"
    printf '#include <nng/nng.h>\n#include <time.h>\n#include "p2p/gossip.h"\n' >"$tree/p2p/link_nng.c"
    printf '#include "proto/limits.h"\n' >"$tree/p2p/gossip.h"
    printf '#include "src/base/bytes.h"\n' >"$tree/p2p/link_nng.h"
}
planted() { # FILE LINE WANTED
    fresh_tree
    echo "$2" >>"$tree/$1"
    must "$3" "includes, $2 in $1" sh "$fences/includes.sh" "$tree" "$fences/allowed.txt"
}
fresh_tree
must pass 'includes, clean tree' sh "$fences/includes.sh" "$tree" "$fences/allowed.txt"
planted src/base/bytes.c '#include "proto/limits.h"' 'src/base may not include "proto/limits.h"'
planted src/core/ledger.h '#include "p2p/gossip.h"' 'src/core may not include "p2p/gossip.h"'
planted p2p/gossip.h '#include "p2p/link_nng.h"' 'p2p may not include "p2p/link_nng.h"'
planted p2p/gossip.h '#include <nng/nng.h>' '<nng/nng.h> is not allowed here'
planted src/base/bytes.h '#include <time.h>' 'pure code may not include <time.h>'
planted src/base/bytes.c ' # include <sys/socket.h>' 'pure code may not include <sys/socket.h>'
planted src/base/bytes.c '#include "bytes.h"' 'no path from the root'
planted src/base/bytes.c '#include "src/base/bytes.c"' 'includes the source file'
planted src/base/bytes.c '#include HEADER' 'cannot read'
planted tests/base/test_x.c '#include "src/core/ledger.h"' 'tests/base may not include'
fresh_tree
mkdir "$tree/src/novel"
echo '#include "src/base/bytes.h"' >"$tree/src/novel/x.c"
must 'no folder rule' 'includes, unknown folder' sh "$fences/includes.sh" "$tree" "$fences/allowed.txt"
fresh_tree
must 'no list of rules' 'includes, no list' sh "$fences/includes.sh" "$tree" "$tmp/none"
: >"$tmp/empty"
must 'no list of rules' 'includes, empty list' sh "$fences/includes.sh" "$tree" "$tmp/empty"
echo '# nothing' >"$tmp/comment"
must 'includes:' 'includes, list of comments' sh "$fences/includes.sh" "$tree" "$tmp/comment"
find "$tree" -name '*.[ch]' -delete
must 'no C file' 'includes, no sources' sh "$fences/includes.sh" "$tree" "$fences/allowed.txt"
rm -rf "$tree/p2p"
must 'no folder p2p' 'includes, no folder' sh "$fences/includes.sh" "$tree" "$fences/allowed.txt"

# ---- symbols and links: two floors, low < high, and their test -------------------
world=$tmp/world
floors=$tmp/floors
low_test='#include <stddef.h>
int era_low_get(void);
int main(void) { return era_low_get() == 7 ? 0 : 1; }'
fresh_world() {
    rm -rf "$world"
    mkdir -p "$world"
    cat >"$floors" <<'LIST'
floor low  pure liblow.a  -   -
floor high pure libhigh.a low -
test test_low low
LIST
    compile "$world/low.o" <<'C'
#include <string.h>
int era_low_get(void);
int era_low_len(const char *text);
int era_low_get(void) { return 7; }
int era_low_len(const char *text) { return (int)strlen(text); }
C
    compile "$world/high.o" <<'C'
int era_low_get(void);
int era_high_get(void);
int era_high_get(void) { return era_low_get() + 1; }
C
    pack
    echo "$low_test" | compile "$world/test.o"
    # shellcheck disable=SC2086
    (cd "$world" && $ERA_LINK -o test_low test.o liblow.a)
}
pack() { (cd "$world" && rm -f ./*.a && ar cr liblow.a low.o && ar cr libhigh.a high.o); }
symbols() { sh "$fences/symbols.sh" "$world" "$floors" "$fences/forbidden.txt"; }
links() { sh "$fences/links.sh" "$world" "$floors" 'liblow.a libhigh.a'; }
calls() { # SYMBOL DECLARATION CALL
    fresh_world
    printf '%s\nint era_low_get(void);\nint era_low_get(void) { %s; return 7; }\n' "$2" "$3" |
        compile "$world/low.o"
    pack
    must "calls $1" "symbols, $3" symbols
}
fresh_world
must pass 'symbols, clean' symbols
calls time '#include <time.h>' 'return (int)time(NULL)'
calls clock_gettime '#include <time.h>' 'struct timespec t; clock_gettime(CLOCK_REALTIME, &t)'
calls socket '#include <sys/socket.h>' 'return socket(1, 1, 0)'
calls open '#include <fcntl.h>' 'return open("x", 0)'
calls fopen '#include <stdio.h>' 'return fopen("x", "r") != NULL'
calls stderr '#include <stdio.h>' 'fprintf(stderr, "%d", 1)'
calls getrandom '#include <sys/random.h>' 'char b[4]; return (int)getrandom(b, 4, 0)'
calls randombytes_buf 'void randombytes_buf(void *, unsigned long);' 'char b[4]; randombytes_buf(b, 4)'
calls secure_getenv '#include <stdlib.h>' 'return secure_getenv("X") != NULL'
calls nanosleep '#include <time.h>' 'struct timespec t = {0, 1}; nanosleep(&t, NULL)'
calls crypto_sign_verify_detached 'int crypto_sign_verify_detached(void);' 'return crypto_sign_verify_detached()'
fresh_world
must 'no list' 'symbols, no list of floors' sh "$fences/symbols.sh" "$world" "$tmp/none" "$fences/forbidden.txt"
must 'no list' 'symbols, empty list' sh "$fences/symbols.sh" "$world" "$floors" "$tmp/empty"
must 'nothing to check' 'symbols, list of comments' sh "$fences/symbols.sh" "$world" "$floors" "$tmp/comment"
must 'no pure floor' 'symbols, no pure floor' sh "$fences/symbols.sh" "$world" "$tmp/comment" "$fences/forbidden.txt"
rm "$world/libhigh.a"
must 'cannot read libhigh.a' 'symbols, no library' symbols
ar cr "$world/libhigh.a"
must 'holds no object' 'symbols, empty library' symbols

fresh_world
must pass 'links, clean' links
compile "$world/low.o" <<'C'
int era_high_get(void);
int era_low_get(void);
int era_low_get(void) { return era_high_get(); }
C
pack
must 'floor low does not link' 'links, a floor that looks up' links
fresh_world
compile "$world/high.o" <<'C'
int crypto_generichash(void);
int era_high_get(void);
int era_high_get(void) { return crypto_generichash(); }
C
pack
must 'crypto_generichash' 'links, an undeclared system library' links
fresh_world
compile "$world/test.o" <<'C'
int era_high_get(void);
int main(void) { return era_high_get(); }
C
# shellcheck disable=SC2086
(cd "$world" && $ERA_LINK -o test_low test.o libhigh.a liblow.a)
must 'test_low (floor low) holds code' 'links, a test that links upwards' links
fresh_world
sed -i '/high/d' "$floors"
must 'libhigh.a is of no floor' 'links, an unlisted library' links
rm "$world/liblow.a"
must 'missing or holds no object' 'links, no library' links
must 'no list' 'links, no list' sh "$fences/links.sh" "$world" "$tmp/none" ''
must 'names no floor' 'links, list of comments' sh "$fences/links.sh" "$world" "$tmp/comment" ''

# ---- sanitizers: a report fails a Criterion program that itself exits 0 ----------
if [ "${ERA_SANITIZERS:-no}" = yes ]; then
    plant() { # TEXT BODY
        printf '#include <criterion/criterion.h>\n#include <limits.h>\n#include <stdlib.h>\nTest(planted, bug) { %s }\n' "$2" |
            compile "$tmp/planted.o"
        # shellcheck disable=SC2086
        $ERA_LINK -o "$tmp/planted" "$tmp/planted.o" $ERA_CRITERION_LIBS
        must "$1" "run-criterion, $2" sh "$ERA_SRC/tests/run-criterion" "$tmp/planted"
    }
    plant pass 'cr_assert(1);'
    plant 'LeakSanitizer' 'for (int i = 0; i < 99; i++) { char *volatile p = malloc(7); (void)p; }'
    plant 'heap-use-after-free' 'volatile char *p = malloc(7); free((void *)p); p[0] = 1;'
    plant 'signed integer overflow' 'volatile int i = INT_MAX; i = i + 1;'
    : >"$tmp/planted.c"
    compile "$tmp/planted.o" <"$tmp/planted.c"
    # shellcheck disable=SC2086
    $ERA_LINK -o "$tmp/planted" "$tmp/planted.o" $ERA_CRITERION_LIBS
    must 'ran no test' 'run-criterion, no test at all' sh "$ERA_SRC/tests/run-criterion" "$tmp/planted"
else
    echo 'selftest: planted leaks are only tried in a build with --enable-sanitizers'
fi

if [ "$failed" -ne 0 ]; then
    echo "selftest: $failed of $cases cases failed"
    exit 1
fi
echo "selftest: the fences failed where they must, $cases cases"
