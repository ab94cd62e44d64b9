package dev.caplance.session;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The messages of a session between a backend (B) and a load balancer (L): one line each, written
 * and read by {@link MessageCodec}. All are immutable, and every message can be sent: constructors
 * throw {@link IllegalArgumentException} for names, tokens and options that the protocol does not
 * allow, which they find by reading each option once. Free text is never refused; what a line
 * cannot carry is replaced or cut off.
 */
public sealed interface Message {

  /** Names of backends and of services. */
  Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  /** The version that this program speaks and announces. */
  int VERSION = 2;

  /** Stands for the version of a peer that announces none: a program from 2019. */
  int VERSION_2019 = 2019;

  /**
   * B→L {@code REGISTER <name> <data-ip> [key=value …]}.
   *
   * @param dataAddress where encapsulated packets are to be sent
   * @param options in the order of the line, unknown ones included; a token without {@code =} is a
   *     key with an empty value
   */
  record Register(String name, InetAddress dataAddress, Map<String, String> options)
      implements Message {

    public static final Duration MIN_HEALTH_INTERVAL = Duration.ofMillis(100);
    public static final Duration MAX_HEALTH_INTERVAL = Duration.ofMinutes(10);

    public static final int MAX_WEIGHT = 256;

    /** Every IPv4 host takes packets of this size (RFC 791). */
    public static final int MIN_MTU = 576;

    public static final int MAX_MTU = 65_535;

    private static final List<String> KNOWN =
        List.of("version", "health", "intent", "services", "weight", "mtu", "probe");

    public Register(String name, InetAddress dataAddress, Map<String, String> options) {
      this.name = Syntax.name(name);
      this.dataAddress = dataAddress;
      this.options = Syntax.options(options);
      version();
      healthInterval();
      intent();
      services();
      weight();
      mtu();
    }

    /** What a backend of this version sends. */
    public static Register of(
        String name, InetAddress dataAddress, Duration healthInterval, Intent intent) {
      Map<String, String> options = new LinkedHashMap<>();
      options.put("version", Integer.toString(VERSION));
      options.put("health", Syntax.format(healthInterval));
      options.put("intent", intent.word());
      return new Register(name, dataAddress, options);
    }

    /**
     * The same for these services only.
     *
     * @param services their names at the load balancer; empty: all
     */
    public Register withServices(Set<String> services) {
      return services.isEmpty() ? this : with("services", String.join(",", services));
    }

    /** The same with this weight, to which the share of new flows is proportional, 1 to 256. */
    public Register withWeight(int weight) {
      return with("weight", Integer.toString(weight));
    }

    /** The same with the size in bytes of the largest encapsulated packet that arrives there. */
    public Register withMtu(int mtu) {
      return with("mtu", Integer.toString(mtu));
    }

    /** The same, offering to answer path probes for as long as the session lasts and beyond. */
    public Register withProbe() {
      return with("probe", "1");
    }

    private Register with(String key, String value) {
      Map<String, String> more = new LinkedHashMap<>(options);
      more.put(key, value);
      return new Register(name, dataAddress, more);
    }

    /** What the backend announced, at least 2, or {@link #VERSION_2019} when it announced none. */
    public int version() {
      return Syntax.version(options);
    }

    /** How often the backend will send HEALTH; empty if not stated. */
    public Optional<Duration> healthInterval() {
      return Optional.ofNullable(options.get("health"))
          .map(value -> Syntax.duration("health", value, MIN_HEALTH_INTERVAL, MAX_HEALTH_INTERVAL));
    }

    /** What the backend wants to be from the start; {@link Intent#ACTIVE} if not stated. */
    public Intent intent() {
      String value = options.get("intent");
      return value == null ? Intent.ACTIVE : Intent.of(value);
    }

    /** The names of the services that the backend serves, in its order; empty: all. */
    public Set<String> services() {
      String value = options.get("services");
      return value == null ? Set.of() : Syntax.names("services", value);
    }

    /** The weight to which the share of new flows is proportional, 1 to 256; 1 if not stated. */
    public int weight() {
      String value = options.get("weight");
      return value == null ? 1 : Syntax.integer("weight", value, 1, MAX_WEIGHT);
    }

    /**
     * The size in bytes of the largest encapsulated packet that reaches the backend, 576 to 65535;
     * empty if not stated.
     */
    public OptionalInt mtu() {
      String value = options.get("mtu");
      return value == null
          ? OptionalInt.empty()
          : OptionalInt.of(Syntax.integer("mtu", value, MIN_MTU, MAX_MTU));
    }

    /** Whether the backend can answer path probes after its registration. */
    public boolean probe() {
      return "1".equals(options.get("probe"));
    }

    /** The options that this version does not know, as they were in the line. */
    public List<String> unknownOptions() {
      return options.entrySet().stream()
          .filter(option -> !KNOWN.contains(option.getKey()))
          .map(option -> MessageCodec.formatOption(option.getKey(), option.getValue()))
          .toList();
    }
  }

  /** B→L {@code SANE <token>}: the token of a {@link SanityDatagram} that arrived. */
  record Sane(String token) implements Message {
    public Sane {
      Syntax.token(token);
    }
  }

  /**
   * L→B {@code REGISTERED <name> <data-ip> [version=2 from=<ip> [probe=<interval>]]}.
   *
   * @param options in the order of the line, unknown ones included; a load balancer of 2019 has
   *     none
   */
  record Registered(String name, InetAddress dataAddress, Map<String, String> options)
      implements Message {

    public Registered(String name, InetAddress dataAddress, Map<String, String> options) {
      this.name = Syntax.name(name);
      this.dataAddress = dataAddress;
      this.options = Syntax.options(options);
      version();
      from();
      probeInterval();
    }

    /** What a load balancer of this version sends. */
    public static Registered of(String name, InetAddress dataAddress, InetAddress from) {
      Map<String, String> options = new LinkedHashMap<>();
      options.put("version", Integer.toString(VERSION));
      options.put("from", IpAddresses.format(from));
      return new Registered(name, dataAddress, options);
    }

    /** What the load balancer announced, at least 2, or {@link #VERSION_2019} when none. */
    public int version() {
      return Syntax.version(options);
    }

    /** Where encapsulated packets will come from; empty if not stated. */
    public Optional<InetAddress> from() {
      return Optional.ofNullable(options.get("from")).map(IpAddresses::parse);
    }

    /**
     * The same, announcing path probes.
     *
     * @param interval between two probes, 100 ms to 10 min; only for a backend that offered {@link
     *     Register#probe}
     */
    public Registered withProbeInterval(Duration interval) {
      Map<String, String> more = new LinkedHashMap<>(options);
      more.put("probe", Syntax.format(interval));
      return new Registered(name, dataAddress, more);
    }

    /** How often the load balancer will probe the path; empty if it will not. */
    public Optional<Duration> probeInterval() {
      return Optional.ofNullable(options.get("probe"))
          .map(
              value ->
                  Syntax.duration(
                      "probe", value, Register.MIN_HEALTH_INTERVAL, Register.MAX_HEALTH_INTERVAL));
    }
  }

  /**
   * B→L {@code SERVES <name> vips=<ip>[,<ip> …]}: some of the VIPs that the backend has, after
   * REGISTERED and before the first HEALTH; only if probes were negotiated.
   *
   * @param vips at least one, none twice; see {@link #split}
   */
  record Serves(String name, List<InetAddress> vips) implements Message {

    public Serves {
      Syntax.name(name);
      vips = List.copyOf(vips);
      if (vips.isEmpty() || Set.copyOf(vips).size() != vips.size()) {
        throw new IllegalArgumentException(
            "SERVES takes VIPs, none of them twice, like SERVES web-1 vips=192.0.2.80");
      }
    }

    /** As few messages for these VIPs as lines allow; none for no VIPs. */
    public static List<Serves> split(String name, Collection<InetAddress> vips) {
      List<Serves> messages = new ArrayList<>();
      List<InetAddress> line = new ArrayList<>();
      int start = "SERVES  vips=".length() + name.length();
      int length = start;
      for (InetAddress vip : vips) {
        int more = IpAddresses.format(vip).length() + 1;
        if (length + more > MessageCodec.MAX_LINE) {
          messages.add(new Serves(name, line));
          line.clear();
          length = start;
        }
        line.add(vip);
        length += more;
      }
      if (!line.isEmpty()) {
        messages.add(new Serves(name, line));
      }
      return messages;
    }
  }

  /**
   * L→B {@code SERVING <name> services=<n> [unknown=<name>[,<name> …]]}: the reply to {@link
   * Serves}.
   *
   * @param options in the order of the line, unknown ones included
   */
  record Serving(String name, Map<String, String> options) implements Message {

    private static final int MAX_SERVICES = 999_999;

    public Serving(String name, Map<String, String> options) {
      this.name = Syntax.name(name);
      this.options = Syntax.options(options);
      services();
      unknown();
    }

    /**
     * What a load balancer of this version sends.
     *
     * @param services how many services of the load balancer the backend serves so far
     * @param unknown names in the registration that no service of the load balancer has; as many as
     *     fit are sent
     */
    public static Serving of(String name, int services, Collection<String> unknown) {
      Map<String, String> options = new LinkedHashMap<>();
      options.put("services", Integer.toString(services));
      StringBuilder names = new StringBuilder();
      for (String each : unknown) {
        if (names.length() + each.length() < Syntax.MAX_TEXT) {
          names.append(names.isEmpty() ? "" : ",").append(each);
        }
      }
      if (!names.isEmpty()) {
        options.put("unknown", names.toString());
      }
      return new Serving(name, options);
    }

    /** How many services of the load balancer the backend serves, by its names and VIPs so far. */
    public int services() {
      return Syntax.integer("services", options.getOrDefault("services", "0"), 0, MAX_SERVICES);
    }

    /** Names of the registration that no service of the load balancer has. */
    public Set<String> unknown() {
      String value = options.get("unknown");
      return value == null ? Set.of() : Syntax.names("unknown", value);
    }
  }

  /**
   * B→L {@code HEALTH <code> [reason …]}.
   *
   * @param code 100 to 999; {@link #HEALTHY} or, if anything else, unhealthy
   * @param reason for the operator; may be empty
   */
  record Health(int code, String reason) implements Message {

    public static final int HEALTHY = 200;

    /** The reason, with code 200, of a backend that checks nothing. */
    public static final String NO_CHECKS = "no checks";

    public Health {
      if (code < 100 || code > 999) {
        throw new IllegalArgumentException(
            code + " is not a health code; write 200 for healthy, or another one from 100 to 999");
      }
      reason = Syntax.text(reason);
    }

    /** Whether the backend may get new flows. */
    public boolean healthy() {
      return code == HEALTHY;
    }
  }

  /** L→B {@code HEALTHACK 200}: a HEALTH arrived, whatever its code. */
  record HealthAck() implements Message {}

  /** B→L {@code PAUSE <name>}: stay registered, get no packets. */
  record Pause(String name) implements Message {
    public Pause {
      Syntax.name(name);
    }
  }

  /** L→B {@code PAUSED <name>}. */
  record Paused(String name) implements Message {
    public Paused {
      Syntax.name(name);
    }
  }

  /** B→L {@code RESUME <name>}: back to active. */
  record Resume(String name) implements Message {
    public Resume {
      Syntax.name(name);
    }
  }

  /** L→B {@code RESUMED <name>}. */
  record Resumed(String name) implements Message {
    public Resumed {
      Syntax.name(name);
    }
  }

  /** B→L {@code DRAIN <name>}: keep the flows, get no new ones. */
  record Drain(String name) implements Message {
    public Drain {
      Syntax.name(name);
    }
  }

  /** L→B {@code DRAINING <name>}. */
  record Draining(String name) implements Message {
    public Draining {
      Syntax.name(name);
    }
  }

  /** B→L {@code DEREGISTER <name>}. */
  record Deregister(String name) implements Message {
    public Deregister {
      Syntax.name(name);
    }
  }

  /**
   * L→B {@code DEREGISTERED <name> <reason …>}: the last line of a session.
   *
   * @param reason for the operator; may be empty
   */
  record Deregistered(String name, String reason) implements Message {
    public Deregistered {
      Syntax.name(name);
      reason = Syntax.text(reason);
    }
  }

  /**
   * L→B {@code INVALID <reason …>}: the last line changed nothing.
   *
   * @param reason for the operator; may be empty
   */
  record Invalid(String reason) implements Message {
    public Invalid {
      reason = Syntax.text(reason);
    }
  }
}
