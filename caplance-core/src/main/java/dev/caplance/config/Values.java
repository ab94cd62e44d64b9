package dev.caplance.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kinds of values in configuration files. */
public final class Values {

  private static final int QUOTED_AT_MOST = 60;

  /** sun_path of unix(7) holds 107 bytes and the final zero; "/backend.sock" takes 13. */
  private static final int RUN_DIRECTORY_BYTES = 107 - 13;

  private static final Pattern INTEGER = Pattern.compile("-?(?:0|[1-9]\\d{0,9})");
  private static final Pattern PREFIX = Pattern.compile("([0-9a-fA-F.:]+[.:][0-9a-fA-F:.]*)/\\d+");
  private static final Pattern HOST_NAME =
      Pattern.compile("(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\\.?");
  private static final Pattern SIZE = Pattern.compile("(\\d{1,9})(B|KB|MB|GB)");

  private Values() {}

  /** {@code true} or {@code false}. */
  public static ValueParser<Boolean> bool() {
    return text -> {
      if (text.equals("true") || text.equals("false")) {
        return text.equals("true");
      }
      throw new IllegalArgumentException(
          quote(text) + " is neither true nor false; write one of them");
    };
  }

  /** A decimal integer of this range, both ends included. */
  public static ValueParser<Integer> integer(int min, int max) {
    return text -> {
      if (INTEGER.matcher(text).matches()) {
        long value = Long.parseLong(text);
        if (min <= value && value <= max) {
          return (int) value;
        }
      }
      throw new IllegalArgumentException(
          quote(text) + " is not a whole number from " + min + " to " + max);
    };
  }

  /** A TCP or UDP port, 1 to 65535. */
  public static ValueParser<Integer> port() {
    return integer(1, 65535);
  }

  /** A duration of this range, both ends included, as {@link DurationFormat} reads it. */
  public static ValueParser<Duration> duration(Duration min, Duration max) {
    return text -> {
      Duration value = DurationFormat.parse(text);
      if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
        throw new IllegalArgumentException(
            quote(text)
                + " is out of range; write "
                + DurationFormat.format(min)
                + " to "
                + DurationFormat.format(max));
      }
      return value;
    };
  }

  /** A number of bytes such as {@code 10MB}; KB, MB and GB are powers of 1024. */
  public static ValueParser<Long> size(long min, long max) {
    return text -> {
      Matcher parts = SIZE.matcher(text);
      if (!parts.matches()) {
        throw new IllegalArgumentException(
            quote(text) + " is not a size; write a number and its unit: 512KB, 10MB, 1GB");
      }
      int shift =
          switch (parts.group(2)) {
            case "B" -> 0;
            case "KB" -> 10;
            case "MB" -> 20;
            default -> 30;
          };
      long value = Long.parseLong(parts.group(1)) << shift;
      if (value < min || value > max) {
        throw new IllegalArgumentException(
            quote(text) + " is out of range; write " + formatSize(min) + " to " + formatSize(max));
      }
      return value;
    };
  }

  private static String formatSize(long bytes) {
    for (int shift = 30; shift > 0; shift -= 10) {
      if (bytes >> shift << shift == bytes) {
        return (bytes >> shift) + List.of("B", "KB", "MB", "GB").get(shift / 10);
      }
    }
    return bytes + "B";
  }

  /** An absolute path. */
  public static ValueParser<Path> absolutePath() {
    return text -> {
      try {
        Path path = Path.of(text);
        if (path.isAbsolute()) {
          return path.normalize();
        }
      } catch (InvalidPathException e) {
        throw new IllegalArgumentException(notAbsolute(text), e);
      }
      throw new IllegalArgumentException(notAbsolute(text));
    };
  }

  private static String notAbsolute(String text) {
    return quote(text) + " is not an absolute path; start it with /";
  }

  /** The directory of the control socket, whose path must fit into a socket's address. */
  public static ValueParser<Path> runDirectory() {
    return absolutePath()
        .unless(
            path -> path.toString().getBytes(UTF_8).length > RUN_DIRECTORY_BYTES,
            path ->
                quote(path.toString())
                    + " is too long for a socket in it; use at most "
                    + RUN_DIRECTORY_BYTES
                    + " bytes");
  }

  /** The name of a backend or of a service. */
  public static ValueParser<String> name() {
    return matching(Message.NAME, "a name: 1 to 64 of the characters A-Z a-z 0-9 . _ -");
  }

  /** One of an enum's names, in lower case. */
  public static <E extends Enum<E>> ValueParser<E> oneOf(Class<E> type) {
    return text -> {
      for (E constant : type.getEnumConstants()) {
        if (constant.name().toLowerCase(Locale.ROOT).equals(text)) {
          return constant;
        }
      }
      String names =
          Arrays.stream(type.getEnumConstants())
              .map(constant -> constant.name().toLowerCase(Locale.ROOT))
              .collect(joining(", "));
      throw new IllegalArgumentException(quote(text) + " is not one of " + names);
    };
  }

  /**
   * Text that matches a pattern.
   *
   * @param form what the text must be, completing "'…' is not …"
   */
  public static ValueParser<String> matching(Pattern pattern, String form) {
    return text -> {
      if (pattern.matcher(text).matches()) {
        return text;
      }
      throw new IllegalArgumentException(quote(text) + " is not " + form);
    };
  }

  /** An IP address literal to which a socket can be bound, such as the unspecified address. */
  public static ValueParser<InetAddress> address() {
    return text -> {
      try {
        return IpAddresses.parse(text);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(hint(text).orElse(e.getMessage()), e);
      }
    };
  }

  /** What to do about something else that people write where an address belongs. */
  private static Optional<String> hint(String text) {
    Matcher prefix = PREFIX.matcher(text);
    if (prefix.matches()) {
      return Optional.of(quote(text) + " has a prefix length; write " + prefix.group(1));
    }
    return HOST_NAME.matcher(text).matches()
        ? Optional.of(
            quote(text)
                + " is a host name; write its address, like 10.0.0.50 or 2001:db8::50, because"
                + " names are not looked up")
        : Optional.empty();
  }

  /** An address that a single machine can have and be reached at. */
  public static ValueParser<InetAddress> unicastAddress() {
    return address()
        .unless(
            InetAddress::isAnyLocalAddress,
            a -> IpAddresses.format(a) + " stands for all addresses; name a single one")
        .unless(
            InetAddress::isMulticastAddress,
            a ->
                IpAddresses.format(a)
                    + " is a multicast address; use the address of a single machine")
        .unless(
            a -> isIpv4Reserved(a.getAddress()),
            a -> IpAddresses.format(a) + " is reserved and cannot be sent to; use another address")
        .unless(
            a -> !IpAddresses.isIpv4(a) && a.isLinkLocalAddress(),
            a -> IpAddresses.format(a) + " is link-local; use an address that can be routed");
  }

  /** A {@link #unicastAddress} that is reachable from outside the machine. */
  public static ValueParser<InetAddress> reachableAddress() {
    return unicastAddress()
        .unless(
            InetAddress::isLoopbackAddress,
            a -> IpAddresses.format(a) + " is a loopback address; other machines cannot reach it");
  }

  /** 0.0.0.0/8 and 240.0.0.0/4, which holds the broadcast address (RFC 1122, 3.2.1.3). */
  private static boolean isIpv4Reserved(byte[] bytes) {
    return bytes.length == 4 && (bytes[0] == 0 || (bytes[0] & 0xf0) == 0xf0);
  }

  /** The text in quotes, shortened if it is long. */
  static String quote(String text) {
    return "'"
        + (text.length() <= QUOTED_AT_MOST ? text : text.substring(0, QUOTED_AT_MOST) + "…")
        + "'";
  }
}
