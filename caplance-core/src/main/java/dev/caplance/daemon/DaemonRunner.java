package dev.caplance.daemon;

import dev.caplance.host.Failures;
import dev.caplance.host.SystemdNotifier;
import dev.caplance.linux.NativeCode;
import dev.caplance.linux.Signals;
import dev.caplance.logging.Logging;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a {@link Daemon} until SIGTERM, SIGINT or its own failure, tells systemd about it, and ends
 * the process: with status 0 after a signal, 1 after a failure. A second signal hurries the end.
 * SIGHUP and SIGUSR1 are logged and ignored.
 */
public final class DaemonRunner {

  private static final Logger LOG = LoggerFactory.getLogger(DaemonRunner.class);
  private static final int EXIT_FAILURE = 1;

  /** By default, the first ends the process without a failure, the second at once. */
  private static final String[] IGNORED = {"HUP", "USR1"};

  private static final String IGNORING =
      "got SIG{}, which means nothing to this daemon; a changed configuration takes a restart";

  private final CountDownLatch ending = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicInteger status = new AtomicInteger();
  private final SystemdNotifier systemd = new SystemdNotifier();
  private volatile boolean serving;

  /** Stops the daemon because of a failure after which it cannot continue. Any thread may call. */
  public void fail(String what, Throwable cause) {
    try {
      LOG.error("{}", what, cause);
    } finally {
      status.set(EXIT_FAILURE);
      ending.countDown();
    }
  }

  /** Tells systemd how a daemon is that was serving already. Any thread may call. */
  public void report(Daemon daemon) {
    if (serving && ending.getCount() > 0) {
      systemd.status(daemon.describe());
    }
  }

  /**
   * Runs the daemon until it has stopped.
   *
   * @param onceServing called when the daemon is serving; must return at once
   * @return the exit status
   */
  public int run(Daemon daemon, Runnable onceServing) {
    for (String signal : IGNORED) {
      Signals.handle(signal, () -> LOG.info(IGNORING, signal));
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> endAndWait(daemon), "shutdown"));
    try {
      daemon.start();
      systemd.ready(daemon.describe());
      serving = true;
      onceServing.run();
      ending.await();
    } catch (IOException e) {
      LOG.error("{}", Failures.describe(e));
      LOG.debug("cannot start", e);
      status.set(EXIT_FAILURE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (LinkageError e) {
      failToLink(e);
    } catch (RuntimeException | Error e) {
      fail("unexpected failure", e);
    } finally {
      systemd.stopping("stopping");
      daemon.stop();
      ended.countDown();
    }
    return status.get();
  }

  private void failToLink(LinkageError e) {
    Optional<NativeCode.Problem> words = NativeCode.describe(e);
    if (words.isPresent()) {
      LOG.error("{}", words.get().toString());
      LOG.debug("cannot start", e);
      status.set(EXIT_FAILURE);
    } else {
      fail("unexpected failure", e);
    }
  }

  /**
   * On a signal, the virtual machine would exit with 128 plus the signal's number, which a service
   * manager takes for a failure.
   */
  private void endAndWait(Daemon daemon) {
    ending.countDown();
    for (String signal : new String[] {"TERM", "INT"}) {
      Signals.handle(
          signal,
          () -> {
            LOG.info("got a second signal: stopping without waiting");
            daemon.hurry();
          });
    }
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Logging.close();
    Runtime.getRuntime().halt(status.get());
  }
}
