#!/usr/bin/env bash
# Runs all tests. Needs Rust (cargo) and a C linker and nothing else: the exchange, the pty and the
# terminal that the tests talk to are real and come with the repository or from crates. One test runs
# the program through an sshd and is skipped, with a word, where there is none and none may be
# installed.
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
if ! command -v sshd >/dev/null && ! [ -x /usr/sbin/sshd ] || ! command -v ssh >/dev/null; then
  # Where systemd runs, the package would open an SSH server to the network: only its owner may.
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! [ -d /run/systemd/system ]; then
    echo "tests/run.sh: installs openssh, for the test of a slow reader"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      openssh-server openssh-client >/dev/null; } || echo "tests/run.sh: that failed; the test is skipped" >&2
  else
    echo "tests/run.sh: no sshd found; the test of a slow reader is skipped (Debian: apt-get install openssh-server)" >&2
  fi
fi
# As root, sshd wants the folder that the system makes at its start.
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd

cargo test --locked "$@"
