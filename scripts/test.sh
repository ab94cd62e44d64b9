#!/usr/bin/env bash
# Runs all unit and end-to-end tests and ends with a summary. Installs what is missing with apt.
# Arguments are passed to Maven, for example: scripts/test.sh -pl caplance-core
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source scripts/lib/common.sh
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source scripts/lib/packages.sh

require_root "the end-to-end tests need network namespaces and NFQUEUE"

clean_up() {
  [[ $(lab_owner) != "$$" ]] || scripts/lab.sh down
  give_back_target
}

# Prints each failed test, then the total over all modules as the last line. Surefire and failsafe
# write one XML report for each test class.
summarize() {
  local reports=(*/target/{surefire,failsafe}-reports/TEST-*.xml)
  [[ ${#reports[@]} -gt 0 ]] || reports=(/dev/null)
  awk '
    function attribute(name) {
      return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
    }
    /^ *<testsuite / {
      run += attribute("tests"); failures += attribute("failures")
      errors += attribute("errors"); skipped += attribute("skipped")
    }
    /^ *<testcase / { test = attribute("classname") "." attribute("name") }
    /^ *<(failure|error)[ >]/ && test != told { print "Failed: " test; told = test }
    END {
      printf "Tests run: %d, Failures: %d, Errors: %d, Skipped: %d\n", run, failures, errors, skipped
      exit run == 0 || failures + errors > 0
    }' "${reports[@]}"
}

install_missing openjdk-17-jdk-headless maven iptables ipset libnetfilter-queue1 nginx-light iproute2 \
  curl iputils-ping nftables procps systemd gcc libc6-dev iperf3 wrk ethtool python3

shopt -s nullglob
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export CAPLANCE_LAB_OWNER=$$
# A lab from an earlier run may not be what the tests expect.
scripts/lab.sh down
rm -rf ./*/target/{surefire,failsafe}-reports

result=0
mvn --batch-mode --no-transfer-progress --fail-at-end clean verify "$@" </dev/null || result=1

echo
((result == 0)) || echo "The build failed: see the lines with [ERROR] above. Some tests may not have run."
summarize || result=1
((result == 0))
