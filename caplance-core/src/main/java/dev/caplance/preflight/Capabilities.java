package dev.caplance.preflight;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The capabilities of this process that the daemons need, see capabilities(7). */
public final class Capabilities implements Preflight.Check {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern EFFECTIVE = Pattern.compile("(?m)^CapEff:\\s*([0-9a-f]{1,16})$");
  private static final int NET_ADMIN = 12;
  private static final int NET_RAW = 13;

  private final String daemon;

  /**
   * A check for a daemon.
   *
   * @param daemon {@code lb} or {@code backend}
   */
  public Capabilities(String daemon) {
    this.daemon = daemon;
  }

  @Override
  public List<Finding> findings() throws IOException {
    List<String> missing = missing(Files.readString(STATUS));
    return missing.isEmpty()
        ? List.of()
        : List.of(
            Finding.stops(
                "missing capabilities: " + String.join(" and ", missing),
                "running as user " + System.getProperty("user.name"),
                "run sudo caplance "
                    + daemon
                    + ", or set AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in the systemd unit"));
  }

  /** Whether this process has all of them. */
  public static boolean complete() throws IOException {
    return missing(Files.readString(STATUS)).isEmpty();
  }

  /** Reads {@code /proc/PID/status}. */
  static List<String> missing(String status) throws IOException {
    Matcher matcher = EFFECTIVE.matcher(status);
    if (!matcher.find()) {
      throw new IOException(STATUS + " has no line 'CapEff'");
    }
    long effective = Long.parseUnsignedLong(matcher.group(1), 16);
    return List.of(NET_ADMIN, NET_RAW).stream()
        .filter(bit -> (effective >>> bit & 1) == 0)
        .map(bit -> bit == NET_ADMIN ? "CAP_NET_ADMIN" : "CAP_NET_RAW")
        .toList();
  }
}
