/**
 * Decides which backend a packet goes to: Maglev tables, and the immutable snapshot of all services
 * in which workers look up flows. Where the set of backends comes from is unknown here.
 */
package dev.caplance.lb.forwarding;
