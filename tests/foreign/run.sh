#!/usr/bin/env bash
# Points clients that nobody here wrote at `hamatop exchange`, and compares what they understand with
# what the exchange itself says is true: the package ccxt (REST and WebSocket), Binance's connector
# `binance-futures-connector`, and Binance's newer `binance-sdk-derivatives-trading-usds-futures`.
#
#   tests/foreign/run.sh           builds hamatop and runs all three
#   HAMATOP=path tests/foreign/run.sh    takes that program instead of building
#
# Needs cargo, python3 (3.10 or newer) with `venv`, and the Python package index; all packages go into
# a directory that is deleted in the end. Takes about two minutes. One line a check; the exit code is 1
# where one failed.
set -euo pipefail
cd "$(dirname "$0")"

python3 -c 'import venv' 2>/dev/null || {
  echo "tests/foreign/run.sh: no python3 with venv found (Debian: apt-get install python3-venv)" >&2
  exit 2
}
if [ -z "${HAMATOP:-}" ]; then
  cargo build --quiet --locked --manifest-path ../../Cargo.toml
  HAMATOP="$(cargo metadata --format-version 1 --no-deps --manifest-path ../../Cargo.toml |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/debug/hamatop"
fi
export HAMATOP PYTHONDONTWRITEBYTECODE=1

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

failed=0
# The packages pin different versions of the same ones: an environment each.
against() { # SCRIPT PACKAGE…
  local script="$1" env="$work/${1%.py}"
  shift
  python3 -m venv "$env"
  "$env/bin/pip" install --quiet --disable-pip-version-check "$@"
  timeout 300 "$env/bin/python" "$script" || failed=1
}

against with_ccxt.py 'ccxt==4.5.90'
against with_connector.py 'binance-futures-connector==4.2.0'
against with_sdk.py 'binance-sdk-derivatives-trading-usds-futures==16.0.0'
exit "$failed"
