# Reading tests as text, for the checks of tables and documents.
# shellcheck shell=bash

# test_body FILE NAME: the lines of a test of a Criterion or bats file; nothing when there is none.
test_body() {
    case $1 in
    *.c) NAME=$2 awk '!inside && match($0, "^(Test|ParameterizedTest|TheoryTest)[(].*, *" ENVIRON["NAME"] "[,)]") { inside = 1 }
        inside; inside && /^}/ { exit }' "$1" ;;
    *.bats) NAME=$2 awk '!inside && $0 == "@test \"" ENVIRON["NAME"] "\" {" { inside = 1 }
        inside; inside && /^}/ { exit }' "$1" ;;
    esac
}
