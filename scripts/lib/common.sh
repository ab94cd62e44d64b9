# What the scripts in this project share. To be sourced, not run.
# shellcheck shell=bash

# The PATH of a sudo or CI shell may lack the directories of ip, iptables and nginx.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# Where the lab keeps its files (see lab.sh).
LAB_STATE=/run/caplance-lab

# Colours on a terminal, none for a pipe, a file or NO_COLOR (https://no-color.org).
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

# require_root WHY: exits with a message that says why unless the script runs as root.
require_root() {
  [[ $EUID -eq 0 ]] || die "must run as root, because $1. Try: sudo $0"
}

# start_time PID: when the process started, in clock ticks since boot; empty if there is no such
# process. PID and start time together identify a process, although PIDs are reused.
start_time() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# lab_owner: the process that reserved the lab, if it is still running.
lab_owner() {
  local pid started
  read -r pid started 2>/dev/null <"$LAB_STATE/owner" || return 0
  [[ $(start_time "$pid") != "$started" ]] || printf '%s\n' "$pid"
}

# give_back_target: gives files that root has built to the owner of the checkout, whose next build
# would fail otherwise.
give_back_target() {
  find . -maxdepth 2 -name target -exec chown -R --reference=. {} +
}

# reserve_lab: keeps others out of the lab while this script runs. When the script ends, whatever ends
# it, the lab is taken down and what was built is given back.
reserve_lab() {
  trap 'give_back_target; [[ $(lab_owner) != "$$" ]] || scripts/lab.sh down >/dev/null' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  export CAPLANCE_LAB_OWNER=$$
}
