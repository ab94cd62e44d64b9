#!/usr/bin/env bash
# Measures Caplance in the lab, in one run with kernel routing and a load balancer in C. Installs
# missing packages, builds, and at the end removes everything it started.
set -euo pipefail

calling_from=$PWD
cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source scripts/lib/common.sh
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source scripts/lib/packages.sh

usage() {
  cat <<'USAGE'
usage: sudo scripts/bench.sh [--quick] [--rounds N] [--only FIGURES] [--against JAR] [--json FILE]
                             [--no-build]
  --quick         one round of short measurements, for an impression (a minute)
  --rounds N      number of interleaved rounds (default: 5)
  --only FIGURES  only these, separated by commas: saturation, cpu, lossfree, latency, memory, tcp,
                  http, change, start, idle, services
  --against JAR   also compare with another build, whose load balancer and backend take turns with
                  this one's in every round. JAR is its caplance.jar; caplance.classlist must lie
                  beside it. Both builds run with this checkout's launcher and its JVM options
  --json FILE     write every sample to FILE
  --no-build      use what was built last

The sender runs on the first core, everything else on the second; for TCP and HTTP no process is
pinned. Traffic stays in network namespaces on this machine. Nothing else should run meanwhile.
USAGE
}

build=yes
options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage; exit ;;
    --no-build) build= ;;
    --json | --against) [[ $# -ge 2 ]] || { usage >&2; exit 2; }
      options+=("$1" "$(cd "$calling_from" && realpath -m "$2")")
      shift ;;
    *) options+=("$1") ;;
  esac
  shift
done

require_root "it creates network namespaces"
install_missing openjdk-17-jdk-headless maven iptables ipset libnetfilter-queue1 nginx-light iproute2 \
  curl gcc libc6-dev iperf3 wrk ethtool python3 procps
[[ $(nproc) -ge 2 ]] || die "needs two cores: one for the sender, one for what is measured"

reserve_lab

if [[ -n $build ]]; then
  mvn -B -q -DskipTests package
fi
programs=$PWD/caplance-dist/target/bench
mkdir -p "$programs"
for program in reference offer sink; do
  gcc -O2 -Wall -Wextra -Werror -o "$programs/$program" "scripts/bench/$program.c"
done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=scripts/lib \
  python3 scripts/bench/bench.py --programs "$programs" "${options[@]}"
