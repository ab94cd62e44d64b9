#!/usr/bin/env bash
# Measures individual steps of the load balancer with JMH: handling a packet, and building tables.
# Takes JMH's own options; "-h" lists them. Without options it runs all benchmarks. It always reports
# the bytes that each operation allocates.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
classpath=target/test-classpath
mvn -B -q -pl caplance-lb -am -Dspotless.skip test-compile dependency:build-classpath \
  -Dmdep.outputFile="$classpath"
exec java -cp "caplance-lb/target/test-classes:caplance-lb/target/classes:$(cat "caplance-lb/$classpath")" \
  org.openjdk.jmh.Main -prof gc "$@"
