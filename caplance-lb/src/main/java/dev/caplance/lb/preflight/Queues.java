package dev.caplance.lb.preflight;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.NativeCode;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.preflight.Capabilities;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Preflight;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks that the queues are free, by binding each for a moment. Not to be used while the daemon
 * runs.
 */
public record Queues(int first, int last) implements Preflight.Check {

  private static final int NUMBERS = 1 << 16;

  @Override
  public List<Finding> findings() throws IOException {
    List<Finding> findings = new ArrayList<>();
    if (NativeCode.problem().isPresent()) {
      return findings;
    }
    for (int number = first; number <= last && findings.isEmpty(); number++) {
      try {
        NfQueue.probe(number);
      } catch (IOException e) {
        findings.addAll(explain(number, e));
      }
    }
    return findings;
  }

  private List<Finding> explain(int number, IOException failure) throws IOException {
    if (failure.getCause() instanceof UnsatisfiedLinkError
        || failure.getCause() instanceof NoClassDefFoundError) {
      return List.of(
          Finding.stops(
              "libnetfilter_queue is missing",
              "libnetfilter_queue.so.1",
              "apt install libnetfilter-queue1"));
    }
    LinuxException cause =
        failure instanceof LinuxException same
            ? same
            : failure.getCause() instanceof LinuxException inner ? inner : null;
    return switch (cause == null ? 0 : cause.errno()) {
      case Errno.EBUSY -> List.of(taken(number));
      // The kernel refuses another program's queue with the same error as a missing permission
      // (nfnetlink_queue.c, nfqnl_recv_config). Missing permissions are a finding of Capabilities.
      case Errno.EPERM, Errno.EACCES ->
          Capabilities.complete() ? List.of(taken(number)) : List.of();
      default ->
          List.of(
              Finding.stops(
                  "NFQUEUE " + number + " cannot be bound",
                  failure.getMessage(),
                  "modprobe nfnetlink_queue"));
    };
  }

  /** Proposes the next numbers, or 0 and up after the last ones. */
  private Finding taken(int number) {
    int next = number + 1 + last - first < NUMBERS ? number + 1 : 0;
    return Finding.stops(
        "NFQUEUE " + number + " is already in use",
        "/proc/net/netfilter/nfnetlink_queue",
        "stop the program that reads it, or set queues: {first: " + next + "} in lb.yaml");
  }
}
