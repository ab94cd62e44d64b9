#!/usr/bin/env bash
# Servers and clients on one machine, as network namespaces on one bridge, for trying out and testing
# Caplance. Their traffic never leaves these namespaces.
set -euo pipefail

self=$(readlink -f "$0")
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${self%/*}/lib/common.sh"

usage() {
  cat <<'USAGE'
usage: lab.sh up                      build the lab, unless it is up already
       lab.sh status                  show hosts, addresses, nginx and processes (exit code 1: not up)
       lab.sh exec HOST COMMAND…      run a command on a host
       lab.sh mtu BYTES               set the MTU between load balancers and backends (1500)
       lab.sh down                    stop everything that runs in the lab, and remove it

    client  10.77.0.10  fd77::10  ┐
    lb1     10.77.0.2   fd77::2   │
    lb2     10.77.0.3   fd77::3   │ one bridge
    b1      10.77.0.11  fd77::11  │ b1 to b3: nginx on port 80 replies with the host's name
    b2      10.77.0.12  fd77::12  │
    b3      10.77.0.13  fd77::13  │ virtual IP: 10.77.0.50, fd77::50
    router  10.77.0.9   fd77::9   ┘
      └ far 10.78.0.10  fd78::10  a client behind a link of MTU 1400 that its TCP does not know of

HOST is one of these; its network namespace is caplance-HOST. A command sees the host's own
/run/caplance, /etc/caplance, /var/lib/caplance and /var/log/caplance, which are the directories
run, etc, lib and log in /run/caplance-lab/HOST. The command replaces lab.sh in its process, with
the same standard streams and terminal, so signals sent to lab.sh reach it, and its exit code is
that of lab.sh.

CAPLANCE_LAB_OWNER=PID in the environment of "up" reserves the lab for that process: as long as
it runs, "up" and "down" by others are refused.
USAGE
}

readonly HOSTS=(client lb1 lb2 b1 b2 b3 router far)
readonly BALANCERS=(lb1 lb2)
readonly BACKENDS=(b1 b2 b3)
readonly SWITCH=net # the namespace that contains the bridge
declare -rA NUMBER=([client]=10 [lb1]=2 [lb2]=3 [b1]=11 [b2]=12 [b3]=13 [router]=9 [far]=10)
readonly FAR_MTU=1400
# Directory of a host → where commands on that host see it.
declare -rA MOUNTS=([run]=/run/caplance [etc]=/etc/caplance [lib]=/var/lib/caplance [log]=/var/log/caplance)
readonly LOCK=/run/caplance-lab.lock

namespace_exists() { [[ -e /run/netns/caplance-$1 ]]; }

# within NAME COMMAND…: runs a command in a network namespace, and changes nothing else.
within() { ip netns exec "caplance-$1" "${@:2}"; }

has_ipv6() { [[ -d /proc/sys/net/ipv6 ]]; }

# --- Locking -------------------------------------------------------------------------------------

# Waits until no other "up" or "down" is running. The owner removes the file when it ends, so a
# process that waited for a removed file tries again.
take_lock() {
  while true; do
    exec 9>"$LOCK"
    flock --timeout 60 9 || die "another lab.sh has been running for a minute; see which process holds $LOCK"
    [[ $LOCK -ef /proc/$$/fd/9 ]] && return
  done
}

refuse_if_reserved() {
  local owner
  owner=$(lab_owner)
  [[ -z $owner || $owner == "${CAPLANCE_LAB_OWNER:-}" ]] ||
    die "the lab is in use by process $owner ($(tr '\0' ' ' <"/proc/$owner/cmdline" || true)); wait until it has ended, or end it"
}

reserve() {
  local owner=${CAPLANCE_LAB_OWNER:-}
  [[ -z $owner ]] || printf '%s %s\n' "$owner" "$(start_time "$owner")" >"$LAB_STATE/owner"
}

# Cleans up at exit: removes a lab that is only half built, and releases the lock.
finish() {
  local code=$?
  trap '' INT TERM HUP
  [[ -z ${building:-} ]] || { echo "lab.sh: the lab could not be built; removing the parts that exist" >&2; remove_lab; }
  rm -f "$LOCK"
  exit "$code"
}

begin_change() {
  [[ $(ip netns identify $$) != caplance-* ]] || die "this shell runs on a host of the lab; leave it first"
  take_lock
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  refuse_if_reserved
}

# --- up ------------------------------------------------------------------------------------------

lab_is_whole() {
  local host
  [[ -e $LAB_STATE/ready ]] || return
  for host in "$SWITCH" "${HOSTS[@]}"; do namespace_exists "$host" || return; done
}

require_tools() {
  local tool missing=()
  for tool in ip nginx curl flock unshare; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [[ ${#missing[@]} -eq 0 ]] ||
    die "not found: ${missing[*]}. On Debian: apt-get install iproute2 nginx-light curl util-linux"
}

# note_and_make DIRECTORY: creates a directory outside of the lab's own, which "down" removes again.
note_and_make() {
  [[ ! -d $1 ]] || return 0
  echo "$1" >>"$LAB_STATE/made"
  mkdir "$1"
}

make_switch() {
  local bridge_netfilter=/proc/sys/net/bridge
  ip netns add "caplance-$SWITCH"
  ip -n "caplance-$SWITCH" link set lo up
  # If the module br_netfilter is loaded, bridged packets would pass iptables and be reassembled.
  within "$SWITCH" bash -c "for f in $bridge_netfilter/bridge-nf-call-*; do [[ ! -e \$f ]] || echo 0 >\$f; done"
  ip -n "caplance-$SWITCH" link add br0 type bridge stp_state 0 mcast_snooping 0
  ip -n "caplance-$SWITCH" link set br0 up
}

# A new namespace may inherit the machine's sysctls. Sets those that matter to Debian's values.
set_sysctls() {
  within "$1" bash -eu <<'SYSCTLS'
cd /proc/sys/net/ipv4
echo 0 >ip_forward
for interface in all default lo; do
  echo 0 | tee conf/$interface/{arp_ignore,arp_announce,rp_filter} >/dev/null
done
echo 2 >conf/default/rp_filter
[[ -d ../ipv6 ]] || exit 0
cd ../ipv6
for interface in all default lo; do
  echo 0 | tee conf/$interface/{disable_ipv6,accept_dad,accept_ra} >/dev/null
done
SYSCTLS
}

make_namespace() {
  local directory
  ip netns add "caplance-$1"
  set_sysctls "$1"
  ip -n "caplance-$1" link set lo up
  for directory in "${!MOUNTS[@]}"; do mkdir -p "$LAB_STATE/$1/$directory"; done
}

# add_addresses HOST DEVICE NET NUMBER: adds addresses in 10.NET.0.0/24 and fdNET::/64.
add_addresses() {
  ip -n "caplance-$1" link set "$2" up
  ip -n "caplance-$1" address add "10.$3.0.$4/24" dev "$2"
  ! has_ipv6 || ip -n "caplance-$1" address add "fd$3::$4/64" dev "$2" nodad
}

# make_host HOST: creates a host on the bridge. Its replies to "far" go through the router.
make_host() {
  local host=$1
  make_namespace "$host"
  ip -n "caplance-$SWITCH" link add "$host" type veth peer name eth0 netns "caplance-$host"
  ip -n "caplance-$SWITCH" link set "$host" master br0 up
  add_addresses "$host" eth0 77 "${NUMBER[$host]}"
  [[ $host != router ]] || return 0
  ip -n "caplance-$host" route add 10.78.0.0/24 via "10.77.0.${NUMBER[router]}"
  ! has_ipv6 || ip -n "caplance-$host" route add fd78::/64 via "fd77::${NUMBER[router]}"
}

# Creates the client behind the router. Like a computer behind a modem with a narrower link, it
# announces Ethernet's segment size, so the other end learns the path MTU only from the router's ICMP.
make_far() {
  make_namespace far
  ip -n caplance-router link add eth1 mtu $FAR_MTU type veth peer name eth0 mtu $FAR_MTU netns caplance-far
  add_addresses router eth1 78 1
  add_addresses far eth0 78 "${NUMBER[far]}"
  within router bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  ip -n caplance-far route add default via 10.78.0.1 advmss 1460
  has_ipv6 || return 0
  within router bash -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
  ip -n caplance-far route add default via fd78::1 advmss 1440
}

set_mtu() {
  local host
  for host in "${BALANCERS[@]}" "${BACKENDS[@]}"; do
    ip -n "caplance-$SWITCH" link set "$host" mtu "$1"
    ip -n "caplance-$host" link set eth0 mtu "$1"
  done
}

# Names of the hosts, for commands that run in the lab.
write_hosts_file() {
  local host
  printf '127.0.0.1 localhost\n::1 localhost\n10.77.0.50 vip\nfd77::50 vip\n'
  for host in "${HOSTS[@]}"; do
    [[ $host != far ]] || continue
    printf '10.77.0.%s %s\nfd77::%s %s\n' "${NUMBER[$host]}" "$host" "${NUMBER[$host]}" "$host"
  done
  printf '10.78.0.%s far\nfd78::%s far\n' "${NUMBER[far]}" "${NUMBER[far]}"
}

write_lb_config() {
  cat <<'YAML'
services:
  - name: web
    vip: 10.77.0.50
# The same on all load balancers of a VIP, so that both send a flow to the same backend.
hashKey: 6361706c616e636520697320612d6c62
YAML
}

write_backend_config() {
  cat <<YAML
name: $1
address: 10.77.0.${NUMBER[$1]}
vips: [10.77.0.50]
loadBalancers:
  - {address: 10.77.0.2}
YAML
}

write_nginx_config() {
  local host=$1 directory=$2
  cat <<NGINX
user www-data;
worker_processes 1;
pid $directory/pid;
error_log $directory/error.log;
events {}
http {
  access_log $directory/access.log;
  client_body_temp_path $directory/body;
  proxy_temp_path $directory/proxy;
  fastcgi_temp_path $directory/fastcgi;
  uwsgi_temp_path $directory/uwsgi;
  scgi_temp_path $directory/scgi;
  client_max_body_size 0;
  default_type text/plain;
  server {
    # All addresses, because the VIP is added and removed while nginx runs.
    listen 80;
$(! has_ipv6 || echo '    listen [::]:80;')
    location / { return 200 "$host\n"; }
    # The client's address, as the application sees it.
    location = /client { return 200 "\$remote_addr\n"; }
    # curl -T FILE http://…/files/ writes to $directory/files.
    location /files/ { root $directory; dav_methods PUT DELETE; }
  }
}
NGINX
}

nginx_pids() {
  local pid
  for pid in $(ip netns pids "caplance-$1"); do
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != nginx ]] || echo "$pid"
  done
}

nginx_runs() {
  local master
  master=$(cat "$LAB_STATE/$1/nginx/pid" 2>/dev/null) &&
    [[ $(ip netns identify "$master" 2>/dev/null) == "caplance-$1" && $(cat "/proc/$master/comm") == nginx ]]
}

start_nginx() {
  local host=$1 directory=$LAB_STATE/$1/nginx orphan
  ! nginx_runs "$host" || return 0
  # Workers outlive a killed master and keep the port.
  for orphan in $(nginx_pids "$host"); do kill -KILL "$orphan" 2>/dev/null || true; done
  mkdir -p "$directory/files"
  chown www-data: "$directory/files"
  write_nginx_config "$host" "$directory" >"$directory/nginx.conf"
  within "$host" nginx -e "$directory/error.log" -c "$directory/nginx.conf" 9>&-
}

# The lab is up when the client gets the right reply from each backend.
check_backends() {
  local host answer
  for host in "${BACKENDS[@]}"; do
    answer=$(within client curl -sS --noproxy '*' --max-time 10 "http://10.77.0.${NUMBER[$host]}/") ||
      die "the client cannot reach nginx on $host; see $LAB_STATE/$host/nginx/error.log"
    [[ $answer == "$host" ]] || die "nginx on $host replied '$answer'"
  done
}

build_lab() {
  local host directory
  mkdir "$LAB_STATE"
  reserve
  # "ip netns add" creates this directory and mounts it on itself.
  [[ -d /run/netns ]] || echo /run/netns >>"$LAB_STATE/made"
  for directory in "${MOUNTS[@]}"; do note_and_make "$directory"; done
  write_hosts_file >"$LAB_STATE/hosts"
  make_switch
  for host in "${HOSTS[@]}"; do [[ $host == far ]] || make_host "$host"; done
  make_far
  for host in "${BALANCERS[@]}"; do write_lb_config >"$LAB_STATE/$host/etc/lb.yaml"; done
  for host in "${BACKENDS[@]}"; do
    write_backend_config "$host" >"$LAB_STATE/$host/etc/backend.yaml"
    start_nginx "$host"
  done
  check_backends
  touch "$LAB_STATE/ready"
}

do_up() {
  local host
  require_tools
  begin_change
  if lab_is_whole; then
    reserve
    for host in "${BACKENDS[@]}"; do start_nginx "$host"; done
    echo "The lab is up already."
    return
  fi
  remove_lab
  building=yes
  build_lab
  echo "The lab is up: ${HOSTS[*]}. Virtual IP: 10.77.0.50."
  building=
}

# --- down ----------------------------------------------------------------------------------------

lab_pids() {
  local host master
  for host in "$SWITCH" "${HOSTS[@]}"; do
    ! namespace_exists "$host" || ip netns pids "caplance-$host"
  done
  # An nginx whose namespace was removed by hand. If it kept running, it would remove the pid file of
  # a later lab when it ends.
  for host in "${BACKENDS[@]}"; do
    master=$(cat "$LAB_STATE/$host/nginx/pid" 2>/dev/null) || continue
    ! grep -qsF "$LAB_STATE/$host/nginx/" "/proc/$master/cmdline" || echo "$master"
  done
}

# Terminates all processes in the lab's namespaces, and kills those that are left after five seconds.
# It lists them again in each round, to find a process that was just being started.
end_processes() {
  local pids round
  for round in {1..100}; do
    pids=$(lab_pids)
    [[ -n $pids ]] || return 0
    if ((round == 1)); then
      # shellcheck disable=SC2086 # one word for each process
      kill -TERM $pids 2>/dev/null || true
      # shellcheck disable=SC2086 # a stopped process must run to terminate
      kill -CONT $pids 2>/dev/null || true
    elif ((round > 50)); then
      # shellcheck disable=SC2086
      kill -KILL $pids 2>/dev/null || true
    fi
    sleep 0.1
  done
  echo "lab.sh: still running: $(echo "$pids" | tr '\n' ' ')" >&2
}

remove_lab() {
  local host directory
  end_processes
  for host in "${HOSTS[@]}" "$SWITCH"; do
    ! namespace_exists "$host" || ip netns delete "caplance-$host"
  done
  while read -r directory; do
    [[ $directory != /run/netns || -n $(ls /run/netns) ]] || umount /run/netns
    rmdir "$directory" 2>/dev/null || true # not only ours if something is in it
  done < <(cat "$LAB_STATE/made" 2>/dev/null)
  rm -rf "$LAB_STATE"
}

do_down() {
  begin_change
  remove_lab
  echo "The lab is down."
}

# --- status --------------------------------------------------------------------------------------

# Prints the addresses of a host, without those that every host has; those on an interface other than
# eth0, such as the VIP on lo, with the name of the interface.
addresses() {
  ip -n "caplance-$1" -o address show |
    awk '$4 !~ /^(127\.|::1\/|fe80:)/ { printf "%s%s%s", sep, $4, $2 == "eth0" ? "" : " (" $2 ")"; sep = "  " }'
}

processes() {
  local pid name
  for pid in $(ip netns pids "caplance-$1"); do
    name=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || continue
    [[ $name == nginx:* ]] || printf '        %s%7s  %.100s%s\n' "$dim" "$pid" "$name" "$plain"
  done
}

do_status() {
  local host nginx owner
  if ! lab_is_whole; then
    if [[ -e $LAB_STATE ]]; then
      echo "The lab is only half built. Remove it with: $0 down"
    else
      echo "The lab is not up."
    fi
    return 1
  fi
  owner=$(lab_owner)
  echo "The lab is up${owner:+, in use by process $owner}."
  for host in "${HOSTS[@]}"; do
    nginx=''
    [[ $host != b* ]] || { nginx_runs "$host" && nginx="  nginx ${green}runs$plain" || nginx="  nginx ${red}does not run$plain"; }
    printf '%s%-6s%s  %s%s\n' "$bold" "$host" "$plain" "$(addresses "$host")" "$nginx"
    processes "$host"
  done
}

# --- mtu -----------------------------------------------------------------------------------------

do_mtu() {
  [[ ${1:-} =~ ^[0-9]{3,5}$ ]] || die "mtu: expected the size of the largest packet in bytes, such as 1500 or 9000"
  [[ -e $LAB_STATE/ready ]] || die "the lab is not up. Try: $0 up"
  set_mtu "$1"
}

# --- exec ----------------------------------------------------------------------------------------

do_exec() {
  local host=${1:-}
  [[ -n $host && -n ${NUMBER[$host]:-} ]] || die "exec: there is no host '$host'; the hosts are ${HOSTS[*]}"
  [[ $# -ge 2 ]] || die "exec: a command is missing"
  [[ -e $LAB_STATE/ready ]] || die "the lab is not up. Try: $0 up"
  # "ip netns exec" creates a new mount namespace, and "enter" continues in it.
  exec ip netns exec "caplance-$host" unshare --uts -- "$BASH" "$self" enter "$@"
}

# enter HOST COMMAND…: the second half of exec, inside the host's namespaces.
enter() {
  local host=$1 directory
  echo "$host" >/proc/sys/kernel/hostname
  for directory in "${!MOUNTS[@]}"; do
    mount --no-mtab --bind "$LAB_STATE/$host/$directory" "${MOUNTS[$directory]}"
  done
  mount --no-mtab --bind "$LAB_STATE/hosts" /etc/hosts
  shift
  exec "$@"
}

case ${1:-} in
  -h | --help | help) usage ;;
  up | down | status | exec | mtu)
    require_root "it uses network namespaces"
    "do_$1" "${@:2}"
    ;;
  enter) enter "${@:2}" ;;
  *)
    usage >&2
    exit 2
    ;;
esac
