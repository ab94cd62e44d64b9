package dev.caplance.backend;

import dev.caplance.backend.health.CheckTarget;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.config.ConfigSection;
import dev.caplance.config.DurationFormat;
import dev.caplance.config.ValueParser;
import dev.caplance.config.Values;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads the checks of the application from the configuration file. */
final class HealthCheckReader {

  private static final Duration SHORTEST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofMinutes(10);
  private static final Duration USUAL_TIMEOUT = Duration.ofSeconds(2);

  /** What can stand in a request line (RFC 9112, 3.2.1). */
  private static final Pattern PATH = Pattern.compile("/[!-~&&[^#]]*");

  private static final Pattern ARGUMENT = Pattern.compile("[^\\x00-\\x1f\\x7f]+");

  private enum Type {
    TCP,
    HTTP,
    COMMAND
  }

  private final List<InetAddress> vips;

  /** A reader of checks on these addresses. */
  HealthCheckReader(List<InetAddress> vips) {
    this.vips = vips;
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
    List.of("vip", "port", "path", "expect").forEach(key -> section.find(key, text -> text));
    section.values("command", text -> text, "/usr/local/bin/check-app");
    return null;
  }

  private CheckTarget readTarget(Type type, ConfigSection section) {
    if (type == Type.COMMAND) {
      List<String> line =
          section.requireValues(
              "command",
              Values.matching(ARGUMENT, "an argument: text without control characters"),
              "/usr/local/bin/check-app");
      return line.isEmpty() ? null : new CheckTarget.Command(line);
    }
    InetAddress vip = readVip(section);
    if (type == Type.TCP) {
      Integer port = section.require("port", Values.port(), "80");
      return vip == null || port == null
          ? null
          : new CheckTarget.Tcp(new InetSocketAddress(vip, port));
    }
    int port = section.get("port", Values.port(), 80);
    String path =
        section.get(
            "path", Values.matching(PATH, "a path; begin it with / and write it as in a URL"), "/");
    int expected = section.get("expect", Values.integer(100, 599), 200);
    return vip == null
        ? null
        : new CheckTarget.Http(new InetSocketAddress(vip, port), path, expected);
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
