package dev.caplance.lb.dataplane;

import dev.caplance.packet.TrafficCounters;

/**
 * What one worker has done since it started.
 *
 * @param queue the number of its NFQUEUE
 * @param traffic its packets and what became of them
 * @param verdictMessages in which it settled them with the kernel
 * @param flows that it keeps now
 * @param flowsNotKept how often a flow found no room, once for each of its packets, so that it went
 *     where the table of the moment says
 * @param allocatedBytes that its thread has ever taken from the heap
 */
public record WorkerStatus(
    int queue,
    TrafficCounters.Snapshot traffic,
    long verdictMessages,
    int flows,
    long flowsNotKept,
    long allocatedBytes) {}
