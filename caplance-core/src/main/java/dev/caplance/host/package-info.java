/**
 * What the daemons change on a machine: addresses, netfilter rules, sysctls; and what they tell
 * systemd. Everything changed here can be undone, also by the next start after a crash: addresses
 * and sysctls are written to a {@link dev.caplance.host.Journal} before they are changed, and the
 * rules live in chains of our own that are found by their names. Knows nothing of load balancing.
 */
package dev.caplance.host;
