#!/bin/sh
# Manual pages say what the programs do: each long option of --help is on the page, each on the page
# is in --help, and mandoc finds nothing to warn of.
set -eu
cd "$(dirname "$0")/../.."

build=${BUILD:-build}
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wrong() {
	echo "test_docs: $*" >&2
	failed=1
}

# The long options in a text, one a line; --help needs no help.
options() {
	grep -oE '(^|[^-[:alnum:]])--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z][a-z0-9-]*' |
		grep -vx -e --help | sort -u
}

# A page with its options as they are typed: mdoc's "Fl -name" is --name, man's "\-\-name" too.
page_text() {
	sed -E '/^\.\\"/d; s/\\f[BIRP]//g; s/\\-/-/g; s/\\&//g; s/Fl -([a-z])/--\1/g' "$1"
}

check() {
	page=$1
	shift
	if ! [ -f "$page" ]; then
		wrong "$page is missing"
		return
	fi
	: >"$work/help"
	for command; do
		# shellcheck disable=SC2086 # a program and perhaps its command
		"$build"/$command --help >>"$work/help" || wrong "$command --help failed"
	done
	options <"$work/help" >"$work/in-help"
	page_text "$page" | options >"$work/on-page"
	[ -s "$work/in-help" ] || wrong "$1 --help names no option"
	for option in $(comm -23 "$work/in-help" "$work/on-page"); do
		wrong "$page lacks $option of $1 --help"
	done
	for option in $(comm -13 "$work/in-help" "$work/on-page"); do
		wrong "$page has $option, which $1 --help lacks"
	done
	if command -v mandoc >/dev/null; then
		mandoc -Tlint -W warning "$page" || wrong "mandoc finds fault with $page"
	fi
}

# Every command of coresnap is on its one page.
commands=coresnap
for name in $("$build/coresnap" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
	commands="$commands|coresnap $name"
done
IFS='|'
# shellcheck disable=SC2086 # split at '|'
set -- $commands
unset IFS
[ $# -ge 2 ] || wrong "coresnap --help names no command"
check man/coresnap.1 "$@"
check man/coresnapd.8 coresnapd
check man/coresnap-server.8 coresnap-server
if command -v mandoc >/dev/null; then
	mandoc -Tlint -W warning man/coresnap-snapshot.5 ||
		wrong "mandoc finds fault with man/coresnap-snapshot.5"
fi
exit $failed
