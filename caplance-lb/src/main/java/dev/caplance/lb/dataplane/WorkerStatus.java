package dev.caplance.lb.dataplane;

import dev.caplance.packet.TrafficCounters;

/**
 * What one worker has done since it started.
 *
 * @param queue the number of its NFQUEUE
 * @param traffic its packets and what became of them
 * @param verdictMessages in which it settled them with the kernel
 * @param flows that it keeps now
 * @param flowsNotKept flows that found no room, so that they go where the table of the moment says
 * @param allocatedBytes that its thread has ever taken from the heap
 */
public record WorkerStatus(
    int queue,
    TrafficCounters.Snapshot traffic,
    long verdictMessages,
    int flows,
    long flowsNotKept,
    long allocatedBytes) {}
