#!/usr/bin/env bash
# Takes the pictures of this folder from the running demo, in xterm on a virtual display.
#
#   screenshots/take.sh [PROGRAM]      default: target/release/hamatop
#
# Needs Debian's xvfb, xterm, xdotool, imagemagick, fonts-dejavu-core and fonts-noto-cjk; as root it
# installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/hamatop}
out=screenshots
[[ -x $program ]] || { echo "take.sh: no program at $program; cargo build --release first" >&2; exit 2; }

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need Xvfb xvfb; need xterm xterm; need xdotool xdotool; need import imagemagick; need fc-list fontconfig
if ! command -v fc-list >/dev/null || ! fc-list | grep -q 'DejaVu Sans Mono'; then missing+=(fonts-dejavu-core); fi
if ! command -v fc-list >/dev/null || ! fc-list | grep -q 'Noto Sans Mono CJK'; then missing+=(fonts-noto-cjk); fi
if ((${#missing[@]})); then
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "take.sh: install first: apt-get install ${missing[*]}" >&2; exit 3
  fi
fi

xvfb= term=
stop_term() { if [[ -n $term ]]; then kill "$term" 2>/dev/null || true; wait "$term" 2>/dev/null || true; term=; fi; }
cleanup() { stop_term; if [[ -n $xvfb ]]; then kill "$xvfb" 2>/dev/null || true; wait "$xvfb" 2>/dev/null || true; fi; }
trap cleanup EXIT

# until_true SECONDS COMMAND...: waits for a condition.
until_true() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do ((SECONDS < end)) || return 1; sleep 0.1; done
}

# Xvfb picks a free display and writes its number.
number=$(mktemp)
Xvfb -displayfd 3 -screen 0 2000x1400x24 -nolisten tcp 3>"$number" >/dev/null 2>&1 & xvfb=$!
until_true 20 test -s "$number" || { echo 'take.sh: Xvfb did not start' >&2; exit 4; }
export DISPLAY=:"$(<"$number")"; rm -f "$number"
unset TMUX NO_COLOR
export LANG=C.UTF-8 LC_ALL=C.UTF-8

window=
open_term() { # COLSxROWS ARGS...
  local size=$1; shift
  xterm -geometry "$size" -fa 'DejaVu Sans Mono' -fs 11 -bg '#101216' -fg '#d8dee9' -b 6 +sb -u8 \
    -xrm 'xterm*faceNameDoublesize: Noto Sans Mono CJK SC' -e "$program" "$@" & term=$!
  until_true 20 xdotool search --onlyvisible --pid "$term" ||
    until_true 5 xdotool search --onlyvisible --class xterm || { echo 'take.sh: no window' >&2; exit 4; }
  window=$(xdotool search --onlyvisible --class xterm | tail -1)
  xdotool windowfocus "$window" 2>/dev/null || true
}

pixels() { import -window "$window" -format '%#' info:- 2>/dev/null; }

# The picture is calm when two looks half a second apart agree; a replay seldom is, so not for ever.
settle() {
  local before now
  for _ in $(seq "$1"); do
    before=$(pixels); sleep 0.5; now=$(pixels)
    [[ $before != "$now" ]] || return 0
  done
}

keys() { for k in "$@"; do xdotool key --window "$window" "$k"; sleep 0.2; done; }
shoot() { import -window "$window" "$out/$1.png"; echo "$out/$1.png"; }

# The clock stands still at the chosen moment while rows load, and then runs: `--speed 1` keeps the
# figures readable.
demo=(demo --speed 1 --start 2025-10-10T21:10Z)
open_term 120x36 "${demo[@]}"
sleep 6; settle 6
keys j j;  sleep 2.5; shoot scanner-120x36
keys 4;    sleep 1;   shoot cache-120x36
keys 1 question; sleep 1; shoot help-120x36
stop_term
open_term 80x24 "${demo[@]}"
sleep 6; settle 6
keys j j;  sleep 2.5; shoot scanner-80x24
