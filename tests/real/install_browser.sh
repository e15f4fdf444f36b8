#!/bin/sh
# Install the browser of the browser tests where that needs no question: as root, or with a sudo
# that asks for no password. Where it is not possible, the browser tests are skipped, and say so.
# With CI set, a browser that is missing after this is a failure.
set -u

is_missing() { ! command -v chromium > /dev/null || ! command -v chromedriver > /dev/null; }

is_ci() { case "${CI:-}" in "" | 0 | false) return 1 ;; *) return 0 ;; esac; }

# Nothing here may wait for an answer, or long for a mirror or another apt.
run_apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120 \
		-o Dpkg::Use-Pty=0 "$@" < /dev/null >> "$log" 2>&1
}

is_missing || exit 0
log=""
if command -v apt-get > /dev/null; then
	if [ "$(id -u)" = 0 ]; then
		as_root=""
	elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
		as_root="sudo -n"
	else
		as_root="none"
	fi
	if [ "$as_root" != none ] && log=$(mktemp -t masumi-sumi-browser.XXXXXX); then
		echo "installing chromium for the browser tests (log: $log)"
		run_apt update
		run_apt install chromium chromium-driver -y --no-install-recommends
	fi
fi
if is_missing && is_ci; then
	echo "error: chromium or chromedriver is missing, and CI never skips the browser tests" >&2
	if [ -n "$log" ]; then tail -n 5 "$log" >&2; fi
	exit 1
fi
exit 0
