package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sends a GET request and reads only the status line of the answer (RFC 9112). */
final class HttpChecker implements Checker {

  private static final int MAX_STATUS_LINE = 1024;
  private static final int HTTP_PORT = 80;
  private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.\\d ([1-5]\\d\\d)( .*)?");

  private final CheckTarget.Http target;
  private final Duration timeout;
  private final byte[] request;

  HttpChecker(CheckTarget.Http target, Duration timeout) {
    this.target = target;
    this.timeout = timeout;
    this.request =
        String.join(
                "\r\n",
                "GET " + target.path() + " HTTP/1.1",
                "Host: " + host(target.address()),
                "User-Agent: caplance",
                "Accept: */*",
                "Connection: close",
                "",
                "")
            .getBytes(ISO_8859_1);
  }

  /** Without the port if it is the default one (RFC 9110, 4.2.3). */
  private static String host(InetSocketAddress address) {
    String withPort = IpAddresses.format(address);
    String end = ":" + HTTP_PORT;
    return address.getPort() == HTTP_PORT
        ? withPort.substring(0, withPort.length() - end.length())
        : withPort;
  }

  @Override
  public Optional<String> attempt() throws InterruptedException {
    String name = "http " + target.name();
    try (CheckConnection connection = new CheckConnection(target.address(), timeout)) {
      connection.send(request);
      String line = readStatusLine(connection);
      Matcher status = STATUS_LINE.matcher(line);
      if (!status.matches()) {
        return Optional.of(name + " answered " + quote(line) + ", which is not HTTP/1.1");
      }
      int code = Integer.parseInt(status.group(1));
      return code == target.expectedStatus()
          ? Optional.empty()
          : Optional.of(name + " answered " + code + ", expected " + target.expectedStatus());
    } catch (IOException e) {
      return Optional.of(name + ": " + CheckConnection.describe(e, timeout));
    }
  }

  private static String readStatusLine(CheckConnection connection) throws IOException {
    byte[] bytes = new byte[MAX_STATUS_LINE];
    int length = 0;
    while (length < bytes.length) {
      int more = connection.read(bytes, length);
      if (more < 0) {
        throw new IOException("the connection was closed without an answer");
      }
      for (int i = length; i < length + more; i++) {
        if (bytes[i] == '\n') {
          return new String(bytes, 0, i, ISO_8859_1).stripTrailing();
        }
      }
      length += more;
    }
    return new String(bytes, 0, length, ISO_8859_1);
  }

  private static String quote(String line) {
    int quoted = 40;
    return "'" + (line.length() <= quoted ? line : line.substring(0, quoted) + "...") + "'";
  }
}
