/**
 * Packets in, encapsulated packets out. A data plane gets immutable snapshots and does not know
 * where they come from.
 */
package dev.caplance.lb.dataplane;
