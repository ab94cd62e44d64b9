# What the scripts of this directory share. Sourced, never run.
# shellcheck shell=bash

# A sudo or CI shell may lack the directories where ip, iptables and nginx are.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# Where the lab keeps what belongs to it (see lab.sh).
LAB_STATE=/run/caplance-lab

# Colours for a person at a terminal, nothing for a pipe, a file or NO_COLOR (https://no-color.org).
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' blue=$'\e[34m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' blue='' plain=''
fi
# shellcheck disable=SC2034 # used by the scripts that source this file
readonly LAB_STATE bold dim red green blue plain

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# require_root WHY: ends the script with a sentence unless it runs as root.
require_root() {
  [[ $EUID -eq 0 ]] || die "must run as root, because $1. Try: sudo $0"
}

# start_time PID: when the process started, in clock ticks since boot; empty when there is none.
# Together with the number it names a process for good, though numbers are used again.
start_time() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# lab_owner: the process that reserved the lab, if it still lives.
lab_owner() {
  local pid started
  read -r pid started 2>/dev/null <"$LAB_STATE/owner" || return 0
  [[ $(start_time "$pid") != "$started" ]] || printf '%s\n' "$pid"
}

# give_back_target: what root built in somebody's checkout belongs to them, or their next build fails.
give_back_target() {
  find . -maxdepth 2 -name target -exec chown -R --reference=. {} +
}
