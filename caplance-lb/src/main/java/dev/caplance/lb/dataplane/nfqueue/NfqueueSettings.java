package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.FlowTimeouts;

/**
 * What the data plane on NFQUEUE is told by the configuration and the host.
 *
 * @param firstQueue number of the first queue; the others follow it, then as many for TCP
 * @param queueCount pairs of queues, and hence workers, at least 1
 * @param queueLength packets that the kernel keeps in each queue before it drops
 * @param widestMtu bytes of the largest packet that can reach this host in one piece
 * @param flowsPerWorker how many flows each worker keeps at most
 * @param timeouts after which flows are forgotten
 * @param dataPort the UDP port of backends, 1 to 65535
 */
public record NfqueueSettings(
    int firstQueue,
    int queueCount,
    int queueLength,
    int widestMtu,
    int flowsPerWorker,
    FlowTimeouts timeouts,
    int dataPort) {}
