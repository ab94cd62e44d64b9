package dev.caplance.daemon;

import dev.caplance.linux.LinuxException;
import dev.caplance.linux.ReceiveLoop;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers for the loops that carry packets: a loop that ends, ends the daemon; calls that keep
 * failing are logged. Any thread may call.
 */
public final class LoopReports implements ReceiveLoop.Owner {

  private static final Logger LOG = LoggerFactory.getLogger(LoopReports.class);

  private final DaemonRunner runner;
  private final String end;

  /**
   * Answers for the loops of a daemon.
   *
   * @param end what it means that one of them ends: {@code a worker ended}
   */
  public LoopReports(DaemonRunner runner, String end) {
    this.runner = runner;
    this.end = end;
  }

  @Override
  public void ended(Throwable cause) {
    runner.fail(end, cause);
  }

  @Override
  public void failing(LinuxException cause) {
    LOG.error(
        "{}: {}, every time for a second now; trying again",
        Thread.currentThread().getName(),
        cause.getMessage());
  }

  @Override
  public void recovered(String call, long failures) {
    LOG.info(
        "{}: {} works again, after {} failures", Thread.currentThread().getName(), call, failures);
  }
}
