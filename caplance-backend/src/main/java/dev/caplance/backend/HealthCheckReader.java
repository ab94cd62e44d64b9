package dev.caplance.backend;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caplance.backend.health.AnswerMatch;
import dev.caplance.backend.health.CheckTarget;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.health.StatusCodes;
import dev.caplance.config.ConfigSection;
import dev.caplance.config.DurationFormat;
import dev.caplance.config.ValueParser;
import dev.caplance.config.Values;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** Reads the checks of the application from the configuration file. */
final class HealthCheckReader {

  private static final Duration SHORTEST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofMinutes(10);
  private static final Duration USUAL_TIMEOUT = Duration.ofSeconds(2);

  /** What can stand in a request line (RFC 9112, 3.2.1). */
  private static final Pattern PATH = Pattern.compile("/[!-~&&[^#]]*");

  private static final Pattern ARGUMENT = Pattern.compile("[^\\x00-\\x1f\\x7f]+");

  /** The authority of a URL (RFC 9110, 4.2.3), without user names and IP literals. */
  private static final Pattern HOST =
      Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?(?::[1-9]\\d{0,4})?");

  private static final Pattern HEX = Pattern.compile("(?:[0-9A-Fa-f]{2})+");

  private static final StatusCodes.Range OK = new StatusCodes.Range(200, 200);

  private static final Map<String, AnswerMatch.Kind> BODY_KEYS =
      keys(AnswerMatch.Kind.CONTAINS, AnswerMatch.Kind.MATCHES);

  private static final Map<String, AnswerMatch.Kind> ANSWER_KEYS = keys(AnswerMatch.Kind.values());

  private enum Type {
    TCP,
    HTTP,
    HTTPS,
    UDP,
    COMMAND
  }

  private final InetAddress address;
  private final List<InetAddress> vips;

  /**
   * A reader of checks on VIPs.
   *
   * @param address this machine's own; null if it is not known
   */
  HealthCheckReader(InetAddress address, List<InetAddress> vips) {
    this.address = address;
    this.vips = vips;
  }

  private static Map<String, AnswerMatch.Kind> keys(AnswerMatch.Kind... kinds) {
    Map<String, AnswerMatch.Kind> keys = new LinkedHashMap<>();
    for (AnswerMatch.Kind kind : kinds) {
      String key =
          switch (kind) {
            case CONTAINS -> "contains";
            case CONTAINS_HEX -> "containsHex";
            case MATCHES -> "matches";
          };
      keys.put(key, kind);
    }
    return keys;
  }

  List<HealthChecks.Settings> readAll(ConfigSection root) {
    return root
        .sections("checks", this::read, "{type: http, vip: 10.0.0.50, port: 80, path: /health}")
        .stream()
        .flatMap(Optional::stream)
        .toList();
  }

  /** Empty if a mistake was found that leaves no usable check. */
  private Optional<HealthChecks.Settings> read(ConfigSection section) {
    Type type = section.require("type", Values.oneOf(Type.class), "http");
    CheckTarget target = type == null ? readUnknown(section) : readTarget(type, section);
    Duration interval =
        section.get("interval", Values.duration(SHORTEST, LONGEST), Duration.ofSeconds(5));
    Duration timeout =
        section.get(
            "timeout",
            Values.duration(SHORTEST, LONGEST),
            interval.compareTo(USUAL_TIMEOUT) < 0 ? interval : USUAL_TIMEOUT);
    int rise = section.get("rise", Values.integer(1, 100), 2);
    int fall = section.get("fall", Values.integer(1, 100), 3);
    if (timeout.compareTo(interval) > 0) {
      section.reject(
          "timeout",
          DurationFormat.format(timeout)
              + " is longer than interval, "
              + DurationFormat.format(interval)
              + "; make it shorter, or the interval longer");
      return Optional.empty();
    }
    return Optional.ofNullable(target)
        .map(known -> new HealthChecks.Settings(known, interval, timeout, rise, fall));
  }

  /** Accepts the keys of all types, so that a wrong type is the only problem reported. */
  private CheckTarget readUnknown(ConfigSection section) {
    Stream.of("vip", "port", "path", "host", "verify", "ca", "send", "sendHex")
        .forEach(key -> section.find(key, text -> text));
    ANSWER_KEYS.keySet().forEach(key -> section.find(key, text -> text));
    section.oneOrMore("expect", text -> text, "200");
    section.values("command", text -> text, "/usr/local/bin/check-app");
    return null;
  }

  private CheckTarget readTarget(Type type, ConfigSection section) {
    return switch (type) {
      case TCP -> readTcp(section);
      case HTTP, HTTPS -> readHttp(section, type == Type.HTTPS);
      case UDP -> readUdp(section);
      case COMMAND -> readCommand(section);
    };
  }

  private static CheckTarget readCommand(ConfigSection section) {
    List<String> line =
        section.requireValues(
            "command",
            Values.matching(ARGUMENT, "an argument: text without control characters"),
            "/usr/local/bin/check-app");
    return line.isEmpty() ? null : new CheckTarget.Command(line);
  }

  private CheckTarget readTcp(ConfigSection section) {
    InetAddress vip = readVip(section);
    Integer port = section.require("port", Values.port(), "80");
    return vip == null || port == null
        ? null
        : new CheckTarget.Tcp(new InetSocketAddress(vip, port));
  }

  private CheckTarget readHttp(ConfigSection section, boolean tls) {
    InetAddress vip = readVip(section);
    int port = section.get("port", Values.port(), tls ? 443 : 80);
    String path =
        section.get(
            "path", Values.matching(PATH, "a path; begin it with / and write it as in a URL"), "/");
    Optional<String> host =
        section.find("host", Values.matching(HOST, "a host name, with or without a port"));
    List<StatusCodes.Range> expected = section.oneOrMore("expect", StatusCodes.Range::parse, "200");
    Optional<AnswerMatch> answer = readAnswer(section, BODY_KEYS);
    Optional<CheckTarget.Tls> trust = tls ? Optional.of(readTls(section, host)) : Optional.empty();
    return vip == null
        ? null
        : new CheckTarget.Http(
            new InetSocketAddress(vip, port),
            path,
            new StatusCodes(expected.isEmpty() ? List.of(OK) : expected),
            host,
            answer,
            trust);
  }

  private static CheckTarget.Tls readTls(ConfigSection section, Optional<String> host) {
    boolean verify = section.get("verify", Values.bool(), true);
    if (verify && host.isEmpty() && !section.has("host")) {
      section.reject(
          "type",
          "https needs host, the name that the server's certificate is for; or set verify: false");
    }
    return new CheckTarget.Tls(verify, section.find("ca", Values.absolutePath()));
  }

  private CheckTarget readUdp(ConfigSection section) {
    InetAddress vip = readVip(section);
    Integer port = section.require("port", Values.port(), "53");
    Optional<byte[]> text = section.find("send", value -> value.getBytes(UTF_8));
    Optional<byte[]> hex = section.find("sendHex", HealthCheckReader::bytes);
    if (section.has("send") == section.has("sendHex")) {
      section.reject(
          section.has("send") ? "sendHex" : "type",
          "udp needs either send, a text, or sendHex, bytes in hexadecimal digits");
    }
    Optional<AnswerMatch> answer = readAnswer(section, ANSWER_KEYS);
    Optional<byte[]> payload = text.or(() -> hex);
    return vip == null || port == null || payload.isEmpty()
        ? null
        : new CheckTarget.Udp(
            new InetSocketAddress(vip, port),
            sourceFor(vip),
            ByteBuffer.wrap(payload.get()),
            answer);
  }

  private InetAddress sourceFor(InetAddress vip) {
    boolean ipv4 = IpAddresses.isIpv4(vip);
    return address != null && IpAddresses.isIpv4(address) == ipv4
        ? address
        : IpAddresses.parse(ipv4 ? "127.0.0.1" : "::1");
  }

  private static byte[] bytes(String hex) {
    String digits = hex.replace(" ", "");
    if (HEX.matcher(digits).matches()) {
      return HexFormat.of().parseHex(digits);
    }
    throw new IllegalArgumentException(
        "'" + hex + "' is not pairs of hexadecimal digits; write for example 'c0 01'");
  }

  /** What an answer must have; one of these keys at most. */
  private static Optional<AnswerMatch> readAnswer(
      ConfigSection section, Map<String, AnswerMatch.Kind> keys) {
    List<AnswerMatch> found = new ArrayList<>();
    keys.forEach((key, kind) -> section.find(key, text -> match(kind, text)).ifPresent(found::add));
    List<String> given = keys.keySet().stream().filter(section::has).toList();
    if (given.size() > 1) {
      section.reject(given.get(1), "give either this or " + given.get(0));
    }
    return found.stream().findFirst();
  }

  private static AnswerMatch match(AnswerMatch.Kind kind, String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("is empty, which every answer contains; leave it out");
    }
    try {
      return new AnswerMatch(
          kind,
          kind == AnswerMatch.Kind.CONTAINS_HEX ? HexFormat.of().formatHex(bytes(text)) : text);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a regular expression: " + e.getDescription(), e);
    }
  }

  private InetAddress readVip(ConfigSection section) {
    ValueParser<InetAddress> parser =
        Values.address()
            .unless(
                vip -> !vips.contains(vip),
                vip ->
                    IpAddresses.format(vip)
                        + " is not one of the vips; clients do not reach the application there");
    return vips.size() == 1
        ? section.get("vip", parser, vips.get(0))
        : section.require("vip", parser, "10.0.0.50");
  }
}
