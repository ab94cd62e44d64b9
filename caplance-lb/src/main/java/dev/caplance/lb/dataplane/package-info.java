/**
 * Packets in, encapsulated packets out. A data plane is given immutable snapshots and knows nothing
 * of how they come about.
 */
package dev.caplance.lb.dataplane;
