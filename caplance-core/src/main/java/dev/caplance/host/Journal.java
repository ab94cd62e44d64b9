package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The changes that a daemon has made on this machine and not undone yet, in {@code
 * <runDirectory>/<daemon>.journal}. Each is on disk before it is made: however the daemon dies, the
 * next start finds what is left. The file is also the daemon's lock: two daemons of a kind cannot
 * share a run directory.
 *
 * <p>The first line names this boot and network namespace; in another one, none of the changes
 * exist. The other lines are a mark, a tab and the rest: {@code +} a change is about to be made,
 * {@code -} it is undone, {@code p} the process that writes the following lines. A last line
 * without a line end was cut off by a crash; its change was not made.
 *
 * <p>Used by one thread at a time.
 */
public final class Journal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

  /** No journal is longer. */
  private static final int MAX_BYTES = 1 << 20;

  /** Undoes a change on the machine. */
  interface Undo<C extends MachineChange> {
    void accept(C change) throws IOException;
  }

  private final Path file;
  private final FileChannel channel;
  private final List<MachineChange> changes = new ArrayList<>();

  private Journal(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Opens a daemon's journal with the changes that an earlier run left behind.
   *
   * @param daemon {@code lb} or {@code backend}
   * @throws IOException when the directory cannot be used, or another daemon of the kind is using
   *     it
   */
  public static Journal open(Path runDirectory, String daemon) throws IOException {
    return open(runDirectory, daemon, bootAndNamespace());
  }

  static Journal open(Path runDirectory, String daemon, String bootAndNamespace)
      throws IOException {
    Path file = runDirectory.resolve(daemon + ".journal");
    FileChannel channel = openChannel(file);
    try {
      if (tryLock(channel) == null) {
        throw new IOException(
            "another 'caplance "
                + daemon
                + "'"
                + ownerIn(readWholeLines(channel))
                + " is using "
                + runDirectory
                + "; stop it, or give this one another runDirectory");
      }
      Journal journal = new Journal(file, channel);
      journal.readLeftovers(bootAndNamespace);
      journal.append("p\t" + ProcessHandle.current().pid());
      return journal;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** The changes of this type that were not undone, oldest first. */
  <C extends MachineChange> List<C> changes(Class<C> type) {
    return changes.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** Records a change; it may be made when this returns. */
  void add(MachineChange change) throws IOException {
    append("+\t" + change.toLine());
    changes.add(change);
  }

  /** Records that a change is undone, or was not made after all. */
  void remove(MachineChange change) throws IOException {
    append("-\t" + change.toLine());
    changes.remove(change);
  }

  /**
   * Undoes these changes, the last one first. Those that fail stay in the journal, so that the next
   * start tries again.
   *
   * @throws IOException the first failure, the others suppressed in it
   */
  <C extends MachineChange> void undo(List<C> unwanted, Undo<C> undo) throws IOException {
    Failures failures = new Failures();
    for (int i = unwanted.size() - 1; i >= 0; i--) {
      C change = unwanted.get(i);
      failures.attempt(
          () -> {
            undo.accept(change);
            remove(change);
          });
    }
    failures.throwIfAny();
  }

  /**
   * Releases the lock. What was not undone stays in the file for the next start; if everything was,
   * the file is left empty.
   */
  @Override
  public void close() throws IOException {
    try (channel) {
      if (changes.isEmpty()) {
        channel.truncate(0);
      }
    }
  }

  private static FileChannel openChannel(Path file) throws IOException {
    try {
      return StateFile.openToUpdate(file, MAX_BYTES);
    } catch (AccessDeniedException e) {
      throw new IOException(
          "no permission to write "
              + file
              + "; run as root or as the owner of that directory, or set runDirectory",
          e);
    } catch (IOException e) {
      throw new IOException("cannot write " + file + ": " + e, e);
    }
  }

  private static FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  private static String ownerIn(byte[] text) {
    return new String(text, UTF_8)
        .lines()
        .filter(line -> line.startsWith("p\t"))
        .reduce((first, second) -> second)
        .map(line -> " (process " + line.substring(2) + ")")
        .orElse("");
  }

  private void readLeftovers(String bootAndNamespace) throws IOException {
    byte[] bytes = readWholeLines(channel);
    List<String> lines = new String(bytes, UTF_8).lines().toList();
    if (lines.isEmpty() || !lines.get(0).equals(bootAndNamespace)) {
      channel.truncate(0);
      append(bootAndNamespace);
      return;
    }
    channel.truncate(bytes.length);
    channel.position(bytes.length);
    lines.subList(1, lines.size()).forEach(this::replay);
  }

  /**
   * Reads through the channel that holds the lock: opening and closing the file a second time would
   * release the lock (fcntl(2), advisory record locking).
   */
  private static byte[] readWholeLines(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(channel.size(), MAX_BYTES));
    int read = 0;
    while (bytes.hasRemaining() && read >= 0) {
      read = channel.read(bytes, bytes.position());
    }
    int end = bytes.position();
    while (end > 0 && bytes.get(end - 1) != '\n') {
      end--;
    }
    return Arrays.copyOf(bytes.array(), end);
  }

  private void replay(String line) {
    if (line.startsWith("p\t")) {
      return;
    }
    Optional<MachineChange> change =
        line.length() < 2 ? Optional.empty() : MachineChange.parse(line.substring(2));
    if (change.isPresent() && line.startsWith("+\t")) {
      changes.add(change.get());
    } else if (change.isPresent() && line.startsWith("-\t")) {
      changes.remove(change.get());
    } else {
      LOG.warn("{}: skipping a line that is not understood: {}", file, line);
    }
  }

  private void append(String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    channel.force(false);
  }

  /** Changes exist as long as the boot and the network namespace in which they were made. */
  private static String bootAndNamespace() throws IOException {
    return "boot "
        + Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
        + " "
        + Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
  }
}
