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
stop_term() {
  [[ -n $term ]] || return 0
  kill "$term" 2>/dev/null || true; wait "$term" 2>/dev/null || true; term=
}
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
unset TMUX NO_COLOR; export COLORTERM=truecolor
export LANG=C.UTF-8 LC_ALL=C.UTF-8

window=
open_term() { # COLSxROWS ARGS...
  local size=$1; shift
  xterm -geometry "$size" -tn xterm-256color -fa 'DejaVu Sans Mono' -fs 11 -bg '#101216' -fg '#d8dee9' -b 6 +sb -u8 \
    -xrm 'xterm*faceNameDoublesize: Noto Sans Mono CJK SC' -e "$program" "$@" & term=$!
  # Only one terminal is ever open here, and on a busy machine it may take its time.
  until_true 60 xdotool search --onlyvisible --class xterm || { echo 'take.sh: no window' >&2; exit 4; }
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
words() { xdotool type --window "$window" --delay 40 "$1"; sleep 0.3; }
shoot() { import -window "$window" "$out/$1.png"; echo "$out/$1.png"; }

# At `--speed 1` the figures of a picture can be read; what needs closes to happen has a faster hour.
calm=(demo --speed 1 --start 2025-10-10T21:10Z)
fast=(demo --speed 120 --start 2025-10-10T20:35Z)

six_views() { # COLSxROWS
  local size=$1
  open_term "$size" "${calm[@]}"
  sleep 6; settle 6
  keys j j;          sleep 2.5; shoot "scanner-$size"
  keys Return;       sleep 1.5; shoot "detail-$size"
  keys 4;            sleep 1;   shoot "cache-$size"
  keys 5;            sleep 1;   shoot "scheduler-$size"
  stop_term
  # Two rules made of filters, and an hour and a half of the fall.
  open_term "$size" "${fast[@]}"
  sleep 5; settle 4
  keys slash; words '15m:bear 1h:bear'; keys Return a backslash
  keys slash; words 'score<-60 prev.bb:expand'; keys Return a backslash
  sleep 45
  keys 3;            sleep 1;   shoot "signals-$size"
  keys 6;            sleep 1;   shoot "alerts-$size"
  stop_term
}

six_views 120x36
six_views 80x24

open_term 120x36 "${calm[@]}"
sleep 6; settle 6
keys question;       sleep 1;   shoot help-120x36
keys Escape slash; words 'trend:bear score<-60 vol>>10m'; sleep 1; shoot filter-120x36
stop_term

for theme in light gruvbox color-blind; do
  open_term 120x36 "${calm[@]}" --theme "$theme"
  sleep 6; settle 6
  keys j j;          sleep 2.5; shoot "theme-$theme-120x36"
  stop_term
done
