package dev.caplance.preflight;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What this process may do besides what everybody may, see capabilities(7). */
public final class Capabilities implements PreflightCheck {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern EFFECTIVE = Pattern.compile("(?m)^CapEff:\\s*([0-9a-f]{1,16})$");
  private static final int NET_ADMIN = 12;
  private static final int NET_RAW = 13;

  private final String daemon;

  /**
   * The capabilities that a daemon needs.
   *
   * @param daemon {@code lb} or {@code backend}
   */
  public Capabilities(String daemon) {
    this.daemon = daemon;
  }

  @Override
  public List<Finding> look() throws IOException {
    List<String> missing = missing(Files.readString(STATUS));
    return missing.isEmpty()
        ? List.of()
        : List.of(
            Finding.stops(
                "no permission: " + String.join(" and ", missing) + " missing",
                "user " + System.getProperty("user.name"),
                "sudo caplance "
                    + daemon
                    + ", or a systemd unit with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW"));
  }

  /** Whether this process may look at and change the network. */
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
