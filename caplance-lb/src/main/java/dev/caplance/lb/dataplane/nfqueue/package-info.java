/**
 * The data plane on NFQUEUE: one worker thread for each pair of queues receives packets in batches,
 * finds the backend of each, and sends them on, encapsulated.
 */
package dev.caplance.lb.dataplane.nfqueue;
