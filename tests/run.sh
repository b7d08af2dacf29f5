#!/usr/bin/env bash
# Runs all tests. Needs Rust (cargo) and a C linker and nothing else: the exchange, the pty and the
# terminal that the tests talk to are real and come with the repository or from crates.
#
#   tests/run.sh [ARGUMENTS FOR cargo test]
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo >/dev/null || {
  echo "tests/run.sh: no cargo found; install Rust 1.88 or newer (see README)" >&2
  exit 2
}
if ! command -v cc >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "tests/run.sh: installs gcc, which Rust links with"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev >/dev/null
  else
    echo "tests/run.sh: no C linker found; install one (Debian: apt-get install gcc libc6-dev)" >&2
    exit 2
  fi
fi

cargo test --locked "$@"
