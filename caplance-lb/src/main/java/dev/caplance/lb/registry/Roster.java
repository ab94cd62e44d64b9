package dev.caplance.lb.registry;

import dev.caplance.host.StateFile;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.session.EventLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The names of the backends that took new flows when the load balancer last ran; those that were
 * returning are among them, those of 2019, which end with the load balancer, are not. After a
 * restart they tell which backends are still missing: a table without those would send their
 * connections to other backends, which would reset them. The roster is complete when all of them
 * have registered again and reported their state, whatever it is, or when {@link
 * ForwardingTable#GRACE} has passed. The load balancer also works without the file, but a restart
 * may then break connections; so errors with it are only logged. Owned by the registry's thread.
 */
final class Roster {

  private static final Logger LOG = LoggerFactory.getLogger(Roster.class);

  /** Collects changes, so that the file is not written once per backend when thousands register. */
  private static final Duration WRITE_DELAY = Duration.ofSeconds(1);

  /** 64,000 of the longest names. */
  private static final int MAX_BYTES = 4 << 20;

  private static final Duration LAST_WRITE = Duration.ofSeconds(2);

  private final StateFile file;
  private final ExecutorService disk = Executors.newSingleThreadExecutor(Roster::diskThread);
  private final EventLoop loop;
  private final Collection<Backend> backends;
  private final Set<String> missing;
  private Set<String> written;

  /** Timer of the next write; null if none is due. */
  private EventLoop.Timer pendingWrite;

  /**
   * Reads the roster that the previous process has left.
   *
   * @param file names of backends, one per line
   * @param backends the registered backends at any moment, as a live view
   * @param onTimeout called if some have not returned in time; the roster is complete then
   */
  Roster(Path file, EventLoop loop, Collection<Backend> backends, Runnable onTimeout) {
    this.file = new StateFile(file, MAX_BYTES);
    this.loop = loop;
    this.backends = backends;
    this.written = read();
    this.missing = new TreeSet<>(written);
    if (!missing.isEmpty()) {
      loop.schedule(ForwardingTable.GRACE, () -> timeOut(onTimeout));
    }
  }

  /** Whether no backend is missing any more. */
  boolean isComplete() {
    return missing.isEmpty();
  }

  /** Takes note of a change of the registered backends. */
  void update() {
    if (!isComplete()) {
      removeReturned();
    }
    if (isComplete() && pendingWrite == null) {
      pendingWrite = loop.schedule(WRITE_DELAY, this::write);
    }
  }

  private void removeReturned() {
    backends.stream()
        .map(Backend::view)
        .filter(BackendView::hasReported)
        .map(BackendView::name)
        .forEach(missing::remove);
    if (isComplete()) {
      LOG.info("all backends from before the restart have returned");
    }
  }

  /**
   * Writes a pending change now, because stopping the load balancer deregisters all backends.
   * Returns when it is on disk, or two seconds later.
   */
  void close() {
    if (pendingWrite != null) {
      pendingWrite.cancel();
      write();
    }
    disk.shutdown();
    try {
      if (!disk.awaitTermination(LAST_WRITE.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("the disk is slow: {} may not be up to date", file.path());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write() {
    pendingWrite = null;
    Set<String> present =
        backends.stream()
            .map(Backend::view)
            .filter(BackendView::mayTakeNewFlows)
            .filter(backend -> !backend.legacy())
            .map(BackendView::name)
            .collect(Collectors.toCollection(TreeSet::new));
    if (!present.equals(written)) {
      write(present);
      written = present;
    }
  }

  private void timeOut(Runnable onTimeout) {
    if (!isComplete()) {
      LOG.warn(
          "backends that have not returned within {} s of the start: {}; their connections go to"
              + " others",
          ForwardingTable.GRACE.toSeconds(),
          String.join(", ", missing));
      missing.clear();
      onTimeout.run();
    }
  }

  /** Reads the names; none if there is no file. */
  private Set<String> read() {
    try {
      return file.read().map(text -> text.lines().collect(Collectors.toSet())).orElse(Set.of());
    } catch (IOException e) {
      LOG.warn("this start does not wait for earlier backends: {}", e.getMessage());
      return Set.of();
    }
  }

  /** Replaces the names in the file. A disk may take its time, so another thread does. */
  private void write(Collection<String> names) {
    String text = names.stream().map(name -> name + "\n").collect(Collectors.joining());
    disk.execute(
        () -> {
          try {
            file.write(text);
          } catch (IOException e) {
            LOG.warn("a restart will not wait for the current backends: {}", e.getMessage());
          }
        });
  }

  private static Thread diskThread(Runnable work) {
    Thread thread = new Thread(work, "roster");
    thread.setDaemon(true);
    return thread;
  }
}
