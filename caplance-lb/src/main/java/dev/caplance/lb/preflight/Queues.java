package dev.caplance.lb.preflight;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.nfqueue.NfQueue;
import dev.caplance.preflight.Capabilities;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.PreflightCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether the queues can be had: binds each for a moment. Not to be looked at while the daemon has
 * them.
 */
public record Queues(int first, int last) implements PreflightCheck {

  private static final int NUMBERS = 1 << 16;

  @Override
  public List<Finding> look() throws IOException {
    List<Finding> findings = new ArrayList<>();
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
      // The kernel refuses the queue of another program in the same words as one without permission
      // (nfnetlink_queue.c, nfqnl_recv_config). That permission is missing is said elsewhere.
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

  /** Offers the numbers behind ours, and on from 0 when these are the last. */
  private Finding taken(int number) {
    int next = number + 1 + last - first < NUMBERS ? number + 1 : 0;
    return Finding.stops(
        "NFQUEUE " + number + " is taken",
        "/proc/net/netfilter/nfnetlink_queue",
        "stop the program that reads it, or set queues: {first: " + next + "} in lb.yaml");
  }
}
