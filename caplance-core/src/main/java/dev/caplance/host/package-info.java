/**
 * What the daemons change on a machine (addresses, netfilter rules, sysctls), what they read from
 * it, and what they report to systemd. Every change can be undone, even by the next start after a
 * crash: addresses and sysctls are recorded in a {@link dev.caplance.host.Journal} before they are
 * changed, and the rules live in chains of our own that are found by their names. Knows nothing
 * about load balancing.
 */
package dev.caplance.host;
