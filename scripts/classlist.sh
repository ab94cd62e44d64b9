#!/usr/bin/env bash
# Writes caplance-dist/src/main/cds/caplance.classlist: the classes that the daemons load before they
# serve traffic, as "caplance archive" needs them. Run it from a built checkout when ClassArchiveIT
# reports that too many classes are missing from the list.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source scripts/lib/common.sh
require_root "it creates network namespaces"

list=caplance-dist/src/main/cds/caplance.classlist
lists=$(mktemp -d)
daemons=()

clean_up() {
  kill "${daemons[@]}" 2>/dev/null || true
  wait
  CAPLANCE_LAB_OWNER=$$ scripts/lab.sh down >/dev/null
  rm -rf "$lists"
}
trap clean_up EXIT
CAPLANCE_LAB_OWNER=$$ scripts/lab.sh up >/dev/null

# daemon HOST KIND CONFIG: starts a daemon that records the names of its classes.
daemon() {
  printf '%s\n' "$3" >"$LAB_STATE/$1/etc/$2.yaml"
  CAPLANCE_JAVA_OPTS="-Xshare:off -XX:DumpLoadedClassList=$lists/$2" \
    scripts/lab.sh exec "$1" scripts/caplance "$2" &
  daemons+=($!)
}

daemon lb1 lb 'services: [{name: web, vip: 10.77.0.50}]'
daemon b1 backend '{name: b1, address: 10.77.0.11, vips: [10.77.0.50], loadBalancers: [{address: 10.77.0.2}]}'
seconds=60
until scripts/lab.sh exec b1 scripts/caplancectl health >/dev/null 2>&1; do
  ((seconds-- > 0)) || die "the backend did not answer within a minute; see the messages above"
  sleep 1
done
kill "${daemons[@]}"
wait
daemons=()
# Sorted, so that diffs are easy to read.
grep -hv '^#' "$lists"/* | LC_ALL=C sort -u >"$lists/all"
mv "$lists/all" "$list"
echo "$list: $(wc -l <"$list") classes and lambdas"
