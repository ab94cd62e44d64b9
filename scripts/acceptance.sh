#!/usr/bin/env bash
# Repeats faults in the lab under load, and prints for each what it cost clients. Installs missing
# packages, builds, and at the end removes everything it started.
set -euo pipefail

calling_from=$PWD
cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source scripts/lib/common.sh
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source scripts/lib/packages.sh

usage() {
  cat <<'USAGE'
usage: sudo scripts/acceptance.sh [--quick] [--rounds N] [--only PART,…] [--hostile-seconds N]
                                  [--jar JAR] [--no-build]
  --quick              one round of everything, shortened, with a health interval of 2 s
  --rounds N           how often each fault is repeated (default: 20)
  --only PART,…        only these:
                         B1 (B1a, B1b)  session port blocked; load balancer stands still
                         B2             load balancer dead for 45 s
                         B3             iptables -F and nft flush ruleset
                         B4             load balancer stopped before another program moves the VIP
                         B9 (B9a, B9b)  a session cut; a backend's daemon killed and restarted
                         A2 (A2a, A2b)  a path that loses packets; the source address gone
                         B11            values for ARP changed on a backend
                         C1             forged packets, silence and changes of the pool
                         D              hostile packets, lines and requests at once
  --hostile-seconds N  how long D lasts (default: 300)
  --jar JAR            tests another build. caplance.classlist must lie beside it
  --no-build           tests what was built last

Prints lines "PASS|FAIL  what  figures", and exits with 1 if one of them failed. In each part the
load balancer's status is compared with what clients saw: no backend may be called healthy where
packets were lost for longer than three health intervals. 20 rounds take an hour and a half.
USAGE
}

build=yes
options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage; exit ;;
    --no-build) build= ;;
    --jar) [[ $# -ge 2 ]] || { usage >&2; exit 2; }
      options+=("$1" "$(cd "$calling_from" && realpath -m "$2")")
      shift ;;
    *) options+=("$1") ;;
  esac
  shift
done

require_root "it creates network namespaces"
install_missing openjdk-17-jdk-headless maven iptables libnetfilter-queue1 nginx-light nftables \
  iproute2 curl python3 procps

reserve_lab

if [[ -n $build ]]; then
  mvn -B -q -DskipTests package
fi
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=scripts/lib \
  python3 scripts/acceptance/acceptance.py "${options[@]}"
