package dev.caplance.preflight.firewall;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import dev.caplance.preflight.firewall.Table.Chain;
import dev.caplance.preflight.firewall.Table.Rule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Reads what {@code nft -j list ruleset} prints, see libnftables-json(5). */
final class NftRuleset {

  private static final Set<String> FAMILIES = Set.of("ip", "ip6", "inet", "netdev");
  private static final Set<String> PASSING =
      Set.of("counter", "log", "mangle", "notrack", "ct helper", "meter", "set", "quota");

  private record Key(String family, String table) {}

  private final Map<Key, Map<String, Chain>> tables = new LinkedHashMap<>();

  private NftRuleset() {}

  /** Reads the tables of the families ip, ip6, inet and netdev. */
  static List<Table> parse(String json) throws IOException {
    NftRuleset reader = new NftRuleset();
    try {
      JsonParser.parseString(json)
          .getAsJsonObject()
          .getAsJsonArray("nftables")
          .forEach(element -> reader.read(element.getAsJsonObject()));
    } catch (JsonParseException
        | IllegalStateException
        | UnsupportedOperationException
        | NullPointerException e) {
      throw new IOException("'nft -j list ruleset' printed something unexpected: " + e, e);
    }
    List<Table> all = new ArrayList<>();
    reader.tables.forEach(
        (key, chains) -> all.add(new Table("nft", key.family(), key.table(), chains)));
    return all;
  }

  private void read(JsonObject item) {
    if (item.has("chain")) {
      JsonObject chain = item.getAsJsonObject("chain");
      chains(chain).put(text(chain, "name"), chain(chain, List.of()));
    } else if (item.has("rule")) {
      JsonObject rule = item.getAsJsonObject("rule");
      chains(rule).computeIfPresent(text(rule, "chain"), (name, chain) -> append(chain, rule));
    }
  }

  private Map<String, Chain> chains(JsonObject item) {
    Key key = new Key(text(item, "family"), text(item, "table"));
    return FAMILIES.contains(key.family())
        ? tables.computeIfAbsent(key, k -> new LinkedHashMap<>())
        : new LinkedHashMap<>();
  }

  private static Chain chain(JsonObject chain, List<Rule> rules) {
    boolean nat = text(chain, "type").equals("nat");
    return new Chain(
        text(chain, "name"),
        nat ? "" : text(chain, "hook"),
        chain.has("prio") ? chain.get("prio").getAsInt() : 0,
        devices(chain),
        text(chain, "policy").equals("drop"),
        rules);
  }

  private static Chain append(Chain chain, JsonObject rule) {
    List<Rule> rules = new ArrayList<>(chain.rules());
    rules.add(rule(rule));
    return new Chain(
        chain.name(), chain.hook(), chain.priority(), chain.devices(), chain.drops(), rules);
  }

  /** One, or a list of them. */
  private static Set<String> devices(JsonObject chain) {
    Set<String> devices = new HashSet<>();
    if (chain.has("dev")) {
      values(chain.get("dev")).forEach(device -> devices.add(device.getAsString()));
    }
    return devices;
  }

  private static String text(JsonObject object, String key) {
    return object.has(key) ? object.get(key).getAsString() : "";
  }

  private static Rule rule(JsonObject rule) {
    String text = "rule in " + text(rule, "chain") + ", handle " + text(rule, "handle");
    List<Condition> conditions = new ArrayList<>();
    for (JsonElement element : rule.getAsJsonArray("expr")) {
      String kind = element.getAsJsonObject().keySet().iterator().next();
      JsonElement value = element.getAsJsonObject().get(kind);
      switch (kind) {
        case "match" -> conditions.add(condition(value.getAsJsonObject()));
        case "limit" -> conditions.add(Condition.UNKNOWN);
        case "xt" -> {
          if (!text(value.getAsJsonObject(), "type").equals("match")) {
            return new Rule(text, Condition.all(conditions), new Action.Unclear());
          }
          conditions.add(Condition.UNKNOWN);
        }
        default -> {
          if (!PASSING.contains(kind)) {
            return new Rule(text, Condition.all(conditions), action(kind, value));
          }
        }
      }
    }
    return new Rule(text, Condition.all(conditions), new Action.Pass());
  }

  private static Action action(String kind, JsonElement value) {
    return switch (kind) {
      case "accept" -> new Action.Accept();
      case "drop", "reject" -> new Action.Drop();
      case "return" -> new Action.Return();
      case "dnat" -> translation(value.getAsJsonObject());
      case "jump" -> new Action.Visit(text(value.getAsJsonObject(), "target"), false);
      case "goto" -> new Action.Visit(text(value.getAsJsonObject(), "target"), true);
      default -> new Action.Unclear();
    };
  }

  private static Action translation(JsonObject to) {
    try {
      OptionalInt port =
          to.has("port") ? OptionalInt.of(to.get("port").getAsInt()) : OptionalInt.empty();
      return new Action.Translate(new Translation(IpAddresses.parse(text(to, "addr")), port));
    } catch (IllegalStateException | IllegalArgumentException | UnsupportedOperationException e) {
      return new Action.Unclear();
    }
  }

  private static Condition condition(JsonObject match) {
    try {
      List<Condition> options = new ArrayList<>();
      for (JsonElement value : values(match.get("right"))) {
        options.add(condition(match.getAsJsonObject("left"), value));
      }
      Condition condition = Condition.any(options);
      return switch (text(match, "op")) {
        case "==", "in" -> Condition.all(List.of(header(match), condition));
        case "!=" -> Condition.all(List.of(header(match), condition.negated()));
        default -> Condition.UNKNOWN;
      };
    } catch (IllegalStateException | IllegalArgumentException e) {
      return Condition.UNKNOWN;
    }
  }

  /** A match on a field implies the header that has it, whatever the operator. */
  private static Condition header(JsonObject match) {
    JsonObject payload = match.getAsJsonObject("left").getAsJsonObject("payload");
    String protocol = payload == null ? "" : text(payload, "protocol");
    return switch (protocol) {
      case "ip" -> sample -> Certainty.of(sample.ipv4());
      case "ip6" -> sample -> Certainty.of(!sample.ipv4());
      case "tcp", "udp" -> Condition.protocol(protocol);
      case "icmp", "icmpv6", "igmp", "sctp", "dccp", "arp" -> sample -> Certainty.NO;
      default -> sample -> Certainty.YES;
    };
  }

  /** A value, or the values of a list or an anonymous set. */
  private static JsonArray values(JsonElement right) {
    if (right.isJsonObject() && right.getAsJsonObject().has("set")) {
      return right.getAsJsonObject().getAsJsonArray("set");
    }
    if (right.isJsonArray()) {
      return right.getAsJsonArray();
    }
    JsonArray single = new JsonArray();
    single.add(right);
    return single;
  }

  private static Condition condition(JsonObject left, JsonElement value) {
    if (left.has("meta")) {
      return meta(text(left.getAsJsonObject("meta"), "key"), value.getAsString());
    }
    if (left.has("ct")) {
      return text(left.getAsJsonObject("ct"), "key").equals("state")
          ? Condition.states(List.of(value.getAsString()))
          : Condition.UNKNOWN;
    }
    return left.has("payload")
        ? payload(left.getAsJsonObject("payload"), value)
        : Condition.UNKNOWN;
  }

  private static Condition meta(String key, String value) {
    return switch (key) {
      case "iif", "iifname" -> Condition.device(PacketSample.Direction.INCOMING, value, '*');
      case "oif", "oifname" -> Condition.device(PacketSample.Direction.OUTGOING, value, '*');
      case "l4proto" -> Condition.protocol(value);
      case "nfproto" -> sample -> Certainty.of(sample.ipv4() == value.equals("ipv4"));
      case "protocol" -> sample -> Certainty.of(sample.ipv4() == value.equals("ip"));
      default -> Condition.UNKNOWN;
    };
  }

  private static Condition payload(JsonObject payload, JsonElement value) {
    return switch (text(payload, "protocol")) {
      case "ip", "ip6" -> ip(payload, value);
      case "tcp", "udp", "th" -> port(payload, value);
      default -> Condition.UNKNOWN;
    };
  }

  private static Condition ip(JsonObject payload, JsonElement value) {
    return switch (text(payload, "field")) {
      case "saddr" -> Condition.source(prefix(value));
      case "daddr" -> Condition.destination(prefix(value));
      case "protocol", "nexthdr" -> Condition.protocol(value.getAsString());
      default -> Condition.UNKNOWN;
    };
  }

  private static IpPrefix prefix(JsonElement value) {
    if (value.isJsonObject()) {
      JsonObject prefix = value.getAsJsonObject().getAsJsonObject("prefix");
      if (prefix == null) {
        throw new IllegalArgumentException("not a prefix: " + value);
      }
      return IpPrefix.parse(text(prefix, "addr") + "/" + text(prefix, "len"));
    }
    return IpPrefix.parse(value.getAsString());
  }

  private static Condition port(JsonObject payload, JsonElement value) {
    Condition.Range range = range(value);
    return switch (text(payload, "field")) {
      case "sport" -> Condition.sourcePort(List.of(range));
      case "dport" -> Condition.destinationPort(List.of(range));
      default -> Condition.UNKNOWN;
    };
  }

  private static Condition.Range range(JsonElement value) {
    if (value.isJsonObject() && value.getAsJsonObject().has("range")) {
      JsonArray ends = value.getAsJsonObject().getAsJsonArray("range");
      return new Condition.Range(ends.get(0).getAsInt(), ends.get(1).getAsInt());
    }
    return new Condition.Range(value.getAsInt(), value.getAsInt());
  }
}
