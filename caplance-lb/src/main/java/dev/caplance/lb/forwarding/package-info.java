/**
 * Which backend a packet goes to: the Maglev table of a set of backends, and the immutable snapshot
 * of all services that workers look into. How backends come into the set is unknown here.
 */
package dev.caplance.lb.forwarding;
