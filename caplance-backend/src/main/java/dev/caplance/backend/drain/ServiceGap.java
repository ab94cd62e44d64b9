package dev.caplance.backend.drain;

import dev.caplance.backend.session.BackendIntent;
import dev.caplance.host.StateFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When this backend was last out of service: paused, deregistered or stopped. The packets of the
 * connections that were open then went to other backends, which reset them, but the application's
 * ends stay open. A connection of which nothing has been heard since the gap counts as cut off.
 *
 * <p>The end of the last daemon is remembered in a file, by the machine's monotonic clock, which
 * begins anew when the machine does. Any thread may call.
 */
public final class ServiceGap {

  private static final Logger LOG = LoggerFactory.getLogger(ServiceGap.class);
  private static final int MAX_BYTES = 32;
  private static final Duration NEVER = ChronoUnit.FOREVER.getDuration();

  private final Optional<StateFile> file;
  private final LongSupplier nanoClock;
  private Optional<Long> last;

  private ServiceGap(Optional<StateFile> file, LongSupplier nanoClock, Optional<Long> last) {
    this.file = file;
    this.nanoClock = nanoClock;
    this.last = last;
  }

  /** Without a gap so far, and remembered by no file. */
  static ServiceGap none(LongSupplier nanoClock) {
    return new ServiceGap(Optional.empty(), nanoClock, Optional.empty());
  }

  /** The gap that the last daemon left in a file, which need not exist. */
  public static ServiceGap remembered(Path path) {
    return remembered(path, System::nanoTime);
  }

  static ServiceGap remembered(Path path, LongSupplier nanoClock) {
    StateFile file = new StateFile(path, MAX_BYTES);
    Optional<Long> last = Optional.empty();
    try {
      last = file.read().flatMap(text -> parse(text.strip()));
    } catch (IOException e) {
      LOG.warn("cannot tell when the last daemon stopped: {}", e.getMessage());
    }
    return new ServiceGap(
        Optional.of(file), nanoClock, last.filter(then -> then <= nanoClock.getAsLong()));
  }

  private static Optional<Long> parse(String nanos) {
    try {
      return Optional.of(Long.parseLong(nanos));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Takes note of what this backend wants to be now; to be called every few seconds. */
  public synchronized void observe(BackendIntent intent) {
    if (intent == BackendIntent.PAUSED || intent == BackendIntent.DEREGISTERED) {
      last = Optional.of(nanoClock.getAsLong());
    }
  }

  /** Takes note that the daemon has deregistered and stops, for the next one. */
  public synchronized void stopped() {
    try {
      if (file.isPresent()) {
        file.get().write(nanoClock.getAsLong() + "\n");
      }
    } catch (IOException e) {
      LOG.warn(
          "the next drain will wait for the connections that this stop cuts: {}", e.getMessage());
    }
  }

  /** How long ago this backend was last out of service; a very long time if it never was. */
  synchronized Duration age() {
    return last.map(then -> Duration.ofNanos(nanoClock.getAsLong() - then)).orElse(NEVER);
  }
}
