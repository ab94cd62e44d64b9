package dev.caplance.backend;

import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.IntentMemory;
import dev.caplance.host.StateFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what an operator wants of this backend in {@code <stateDirectory>/backend.intent}, so that
 * a restart does not put a server under maintenance back. The file holds the word for the intent.
 * Writes on a thread of its own: a slow disk must not keep the sessions waiting. Any thread may
 * call.
 */
final class IntentStore implements IntentMemory, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(IntentStore.class);
  private static final int MAX_BYTES = 64;

  /** After which a stop goes on while a disk does not answer. */
  private static final long PATIENCE_SECONDS = 2;

  private final StateFile file;
  private final ExecutorService writer;

  IntentStore(Path stateDirectory) {
    file = new StateFile(stateDirectory.resolve("backend.intent"), MAX_BYTES);
    writer =
        new ThreadPoolExecutor(
            0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), IntentStore::daemonThread);
  }

  private static Thread daemonThread(Runnable work) {
    Thread thread = new Thread(work, "intent");
    thread.setDaemon(true);
    return thread;
  }

  /** What was remembered last, logged unless it is what every backend begins with. */
  BackendIntent recall() {
    BackendIntent intent = read().orElse(BackendIntent.ACTIVE);
    if (intent != BackendIntent.ACTIVE) {
      LOG.warn(
          "{}, as an operator said before this start; `caplancectl backend resume` ends that",
          intent.word());
    }
    return intent;
  }

  private Optional<BackendIntent> read() {
    try {
      Optional<String> text = file.read();
      Optional<BackendIntent> intent = text.map(String::strip).flatMap(BackendIntent::of);
      if (text.isPresent() && intent.isEmpty()) {
        file.setAside("it holds no intent");
      }
      return intent;
    } catch (IOException e) {
      LOG.warn("cannot tell what an operator said before this start: {}", e.getMessage());
      return Optional.empty();
    }
  }

  @Override
  public CompletableFuture<Void> remember(BackendIntent intent) {
    return CompletableFuture.runAsync(() -> write(intent), writer);
  }

  private void write(BackendIntent intent) {
    try {
      file.write(intent.word() + "\n");
    } catch (IOException e) {
      LOG.warn(
          "the next start will not know that this backend is {}: {}",
          intent.word(),
          e.getMessage());
    }
  }

  @Override
  public void close() {
    writer.shutdown();
    try {
      if (!writer.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("stopping although {} is not written yet", file.path());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
