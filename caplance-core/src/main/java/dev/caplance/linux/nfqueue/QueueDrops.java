package dev.caplance.linux.nfqueue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The packets that the kernel has dropped at a queue since it was bound, which its reader never saw
 * ({@code nfnetlink_queue.c}).
 *
 * @param full because as many as the queue holds were waiting already
 * @param unread because the reader's socket had no room for them
 */
public record QueueDrops(long full, long unread) {

  /** No packets. */
  public static final QueueDrops NONE = new QueueDrops(0, 0);

  private static final Path FILE = Path.of("/proc/net/netfilter/nfnetlink_queue");

  /** Columns: queue, port id, waiting, copy mode, copy range, full, unread, last packet id, 1. */
  private static final int QUEUE = 0;

  private static final int FULL = 5;
  private static final int UNREAD = 6;

  /** The packets that either has dropped. */
  public QueueDrops and(QueueDrops other) {
    return new QueueDrops(full + other.full, unread + other.unread);
  }

  /**
   * Reads the drops of all queues of this network namespace, by their numbers. Any thread may call.
   *
   * @throws IOException if the kernel does not tell them
   */
  public static Map<Integer, QueueDrops> read() throws IOException {
    return parse(Files.readString(FILE, StandardCharsets.US_ASCII));
  }

  static Map<Integer, QueueDrops> parse(String table) throws IOException {
    Map<Integer, QueueDrops> drops = new HashMap<>();
    for (String line : table.lines().toList()) {
      String[] columns = line.trim().split(" +");
      try {
        drops.put(
            Integer.parseInt(columns[QUEUE]),
            new QueueDrops(Long.parseLong(columns[FULL]), Long.parseLong(columns[UNREAD])));
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw new IOException(FILE + " has a line of another form: '" + line + "'", e);
      }
    }
    return drops;
  }
}
