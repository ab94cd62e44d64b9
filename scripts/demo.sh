#!/usr/bin/env bash
# Shows Caplance at work on this one machine: a load balancer, three backends, real HTTP requests.
# Installs what is missing with apt, builds Caplance, and removes everything that it started at the
# end.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source scripts/lib/common.sh
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source scripts/lib/packages.sh

readonly VIP=10.77.0.50
readonly REQUESTS=300
readonly PATIENCE=60 # seconds to wait for a condition before the demo fails

usage() {
  cat <<'USAGE'
usage: sudo scripts/demo.sh [--keep]
  --keep  leave the lab and the daemons running, to try things out
USAGE
}

keep=
case ${1:-} in
  '') ;;
  --keep) keep=yes ;;
  -h | --help) usage; exit ;;
  *) usage >&2; exit 2 ;;
esac

require_root "it creates network namespaces"

# --- Output --------------------------------------------------------------------------------------

step_number=0
step() {
  step_number=$((step_number + 1))
  printf '\n%s%d  %s%s\n' "$bold$blue" "$step_number" "$*" "$plain"
}

say() { printf '%s\n' "$*" | fold -s -w 88 | sed 's/^/   /; s/ *$//'; }

# show HOST COMMAND…: shows a command as it would be typed on a host, and runs it there.
show() {
  printf '   %s%s$ %s%s\n' "$dim" "$1" "${*:2}" "$plain" | sed 's#scripts/##'
  on "$@" 2>&1 | sed 's/^/     /' || fail "'${*:2}' failed on $1"
}

# fail WHAT: ends the demo and prints the last log lines of the daemons.
fail() {
  local host
  {
    printf '\n%sThe demo failed: %s%s\n' "$red" "$1" "$plain"
    for host in "${!daemon_pid[@]}"; do
      echo "Last lines of $(daemon_log "$host"):"
      tail -n 10 "$(daemon_log "$host")" | sed 's/^/  /'
    done
  } >&2
  exit 1
}

# --- The lab and its daemons ---------------------------------------------------------------------

work=$(mktemp -d)

clean_up() {
  rm -rf "$work"
  give_back_target
  [[ -z $keep && $(lab_owner) == "$$" ]] || return 0
  echo
  scripts/lab.sh down
}

on() { scripts/lab.sh exec "$@"; }

daemon_log() { echo "$LAB_STATE/$1/log/daemon.out"; }

declare -A daemon_pid=()

# start_daemon HOST: starts it in a session of its own, so that with --keep it outlives the terminal.
start_daemon() {
  local host=$1 kind=backend
  [[ $host != lb* ]] || kind=lb
  setsid scripts/lab.sh exec "$host" scripts/caplance "$kind" </dev/null >"$(daemon_log "$host")" 2>&1 &
  daemon_pid[$host]=$!
  disown
}

kill_daemon() {
  kill -KILL "${daemon_pid[$1]}"
  unset "daemon_pid[$1]"
}

# wait_for WHAT COMMAND…: waits until the command succeeds.
wait_for() {
  local what=$1 host deadline=$((SECONDS + PATIENCE))
  shift
  until "$@"; do
    for host in "${!daemon_pid[@]}"; do
      [[ -d /proc/${daemon_pid[$host]} ]] || fail "caplance on $host exited while waiting for $what"
    done
    ((SECONDS < deadline)) || fail "waited $PATIENCE seconds for $what"
    sleep 0.1
  done
}

lb_answers() { on lb1 scripts/caplancectl lb status >/dev/null 2>&1; }

# forwarding_to NAMES: whether new connections go to exactly these backends (sorted, separated by
# spaces).
forwarding_to() {
  [[ $(on lb1 scripts/caplancectl --json lb status 2>/dev/null |
    jq -r '[.backends[] | select(.takesNewFlows) | .name] | sort | join(" ")') == "$1" ]]
}

# --- Requests ------------------------------------------------------------------------------------

# send_requests FILE [CURL-OPTION…]: sends each request on a connection of its own, hence from a
# source port of its own. For each, the file gets a line with the reply, if any, and one with the
# status and the time in seconds.
send_requests() {
  on client curl --silent --no-buffer --header 'Connection: close' --max-time 10 \
    --write-out '%{http_code} %{time_total}\n' "${@:2}" "http://$VIP/?[1-$REQUESTS]" >"$1" || true
}

completed() { grep -c '^[0-9]' "$1" || true; }

replies_of() { grep -cx "$1" "$2" || true; }

failed() { grep -c '^[0-9]' <(grep -v '^200 ' "$1") || true; }

# print_shares FILE NAME…: prints the share of each backend and compares it with what is expected.
# Each backend has the same part of the Maglev table, and a keyed hash of the connection picks the
# place in it, so the counts are binomial. By chance, 1 in 15,000 deviates by more than four standard
# deviations.
print_shares() {
  local file=$1 name count expected=$((REQUESTS / ($# - 1))) spread outside=
  spread=$(awk -v n="$REQUESTS" -v k=$(($# - 1)) 'BEGIN { printf "%d", 4 * sqrt(n * (1 / k) * (1 - 1 / k)) }')
  echo
  for name in b1 b2 b3; do
    count=$(replies_of "$name" "$file")
    printf '     %s%s%s  %3d  %5.1f %%  %s%s%s\n' "$bold" "$name" "$plain" "$count" \
      "$(awk -v c="$count" -v n="$REQUESTS" 'BEGIN { print 100 * c / n }')" \
      "$green" "$(printf '%*s' $((count / 4)) '' | sed 's/ /█/g')" "$plain"
    if [[ " ${*:2} " == *" $name "* ]]; then
      ((count >= expected - spread && count <= expected + spread)) || outside=$name
    else
      ((count == 0)) || outside=$name
    fi
  done
  printf '     %sfailed: %d%s\n\n' "$dim" "$(failed "$file")" "$plain"
  say "Maglev gives each of ${*:2} the same part of its table, so each should get about $expected of $REQUESTS requests, give or take $spread (four standard deviations)."
  [[ -z $outside ]] || fail "the share of $outside is not as expected"
  (($(failed "$file") == 0)) || fail "requests failed, although nothing was broken"
}

# --- The demo ------------------------------------------------------------------------------------

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export CAPLANCE_LAB_OWNER=$$
export no_proxy="${no_proxy:+$no_proxy,}$VIP"

printf '%sCaplance: servers register themselves, and real traffic is balanced%s\n' "$bold" "$plain"

step "Build Caplance and set up the lab"
install_missing openjdk-17-jdk-headless maven iptables libnetfilter-queue1 nginx-light iproute2 curl jq
say "Building with Maven (the first build downloads libraries, which takes minutes) …"
mvn --batch-mode --no-transfer-progress -DskipTests package </dev/null >"$work/build.log" 2>&1 ||
  { cat "$work/build.log" >&2; fail "the build failed"; }
{ scripts/lab.sh down && scripts/lab.sh up; } >"$work/lab.log" || fail "the lab could not be set up"
say "This machine now holds a lab of network namespaces on one bridge: a client (10.77.0.10), a load balancer (lb1 10.77.0.2) and three backends (b1 10.77.0.11, b2 10.77.0.12, b3 10.77.0.13) with nginx; lb2, router and far are not used here. Each nginx replies with the name of its server."

step "Start the load balancer on lb1"
start_daemon lb1
wait_for "the load balancer to start" lb_answers
say "caplance lb has added the virtual IP $VIP to its interface and takes the packets for it from the kernel. Its configuration names no backend:"
show lb1 cat /etc/caplance/lb.yaml

step "Start the backends on b1, b2 and b3"
for host in b1 b2 b3; do start_daemon "$host"; done
wait_for "all backends to register" forwarding_to "b1 b2 b3"
say "Each backend has registered with lb1, proved that packets reach it, and reported that it is healthy:"
show lb1 scripts/caplancectl lb status

step "Send $REQUESTS HTTP requests from the client to $VIP"
send_requests "$work/all"
print_shares "$work/all" b1 b2 b3
say "The backends reply to the client directly, and nginx sees the client's own address:"
show client curl -s "http://$VIP/client"

step "Pause b2, and send another $REQUESTS requests"
show b2 scripts/caplancectl pause
send_requests "$work/paused"
print_shares "$work/paused" b1 b3
say "b2 stays registered and gets no packets. pause returned only after the load balancer had confirmed it, so none of these requests could still go to b2."

step "Resume b2"
show b2 scripts/caplancectl resume
wait_for "b2 to return" forwarding_to "b1 b2 b3"
say "b2 gets new connections again."

step "Kill the daemon on b3 without warning, in the middle of another $REQUESTS requests"
: >"$work/killed"
send_requests "$work/killed" --rate 100/s &
sender=$!
a_third_has_completed() { (($(completed "$work/killed") >= REQUESTS / 3)); }
wait_for "the first replies" a_third_has_completed
before=$(wc -l <"$work/killed")
kill_daemon b3
wait_for "b3 to be removed" forwarding_to "b1 b2"
wait "$sender"
printf '   %sb3$ kill -9 (caplance backend), after %d requests%s\n\n' "$dim" $((before / 2)) "$plain"
for name in b1 b2 b3; do
  printf '     %s%s%s  %3d before  %3d after\n' "$bold" "$name" "$plain" \
    "$(replies_of "$name" <(head -n "$before" "$work/killed"))" \
    "$(replies_of "$name" <(tail -n +$((before + 1)) "$work/killed"))"
done
failed=$(failed "$work/killed")
slowest=$(grep '^[0-9]' "$work/killed" | sort -k2 -n | tail -n 1 | cut -d' ' -f2)
printf '     %sfailed: %d, slowest: %.2f s%s\n\n' "$dim" "$failed" "$slowest" "$plain"
say "The kernel closed the killed daemon's session, so lb1 gives b3 no new connections. If a connection to b3 was just being opened, the client's TCP retries after a second and reaches another backend. Those that were already established there are kept for some seconds, in case the daemon returns, and are lost after that. The requests are sent one after another, so at most one of them fails."
((failed <= 1)) || fail "$failed requests failed, but only one can have been in flight"
show lb1 scripts/caplancectl lb status

if [[ -n $keep ]]; then
  step "Start the daemon on b3 again, and leave everything running"
  start_daemon b3
  wait_for "b3 to return" forwarding_to "b1 b2 b3"
  say "b3 has registered again by itself. Commands to try, from this directory:"
  cat <<PLAY

     send a request            sudo scripts/lab.sh exec client curl http://$VIP/
     who is registered         sudo scripts/lab.sh exec lb1 scripts/caplancectl lb status
     a backend's view          sudo scripts/lab.sh exec b1 scripts/caplancectl status
     pause it, and resume it   sudo scripts/lab.sh exec b1 scripts/caplancectl pause (or resume)
     a shell on a server       sudo scripts/lab.sh exec b1 bash
     what runs where           sudo scripts/lab.sh status
     the load balancer's log   tail -f $(daemon_log lb1)

   To remove it all: sudo scripts/lab.sh down
PLAY
else
  step "Clean up"
  say "This removes everything that the demo started. To keep it running: sudo scripts/demo.sh --keep"
fi
