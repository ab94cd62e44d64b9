# Installs with apt what a script needs and the machine lacks. To be sourced after common.sh.
# shellcheck shell=bash

# The command that shows that a package is installed, where it differs from the name of the package.
declare -rA COMMAND_OF=(
  [iproute2]=ip
  [iputils-ping]=ping
  [maven]=mvn
  [nftables]=nft
  [nginx-light]=nginx
  [procps]=sysctl
  [systemd]=systemd-analyze
)

is_installed() {
  case $1 in
    openjdk-17-jdk-headless) # any JDK, 17 or newer
      [[ $(javac -version 2>&1 || true) =~ ^javac\ ([0-9]+) ]] && ((BASH_REMATCH[1] >= 17))
      ;;
    libc6-dev) [[ -e /usr/include/stdio.h ]] ;;
    libnetfilter-queue1) [[ $(ldconfig -p) == *libnetfilter_queue.so.1* ]] ;;
    *) command -v "${COMMAND_OF[$1]:-$1}" >/dev/null ;;
  esac
}

# apt would start and enable the services that it installs. The lab runs nginx itself, and nobody
# who runs a test expects a web server on port 80 afterwards.
apt_install_without_services() (
  policy=/usr/sbin/policy-rc.d # invoke-rc.d asks it; 101 is "forbidden"
  if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt_get() { apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" </dev/null; }
  apt_get update && apt_get install --no-install-recommends "$@" || return
  [[ " $* " != *" nginx-light "* ]] || update-rc.d nginx disable
)

# install_missing PACKAGE…: installs those that are missing, and prints their names. The output of
# apt is shown only if it fails.
install_missing() {
  local package log missing=()
  for package in "$@"; do is_installed "$package" || missing+=("$package"); done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null || die "not installed: ${missing[*]} (Debian's package names), and there is no apt-get here"
  echo "Installing with apt: ${missing[*]}"
  log=$(mktemp)
  if ! apt_install_without_services "${missing[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "apt could not install: ${missing[*]}"
  fi
  rm -f "$log"
}
