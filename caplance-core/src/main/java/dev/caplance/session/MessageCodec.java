package dev.caplance.session;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Converts session lines to {@link Message}s and back, for both directions. Lines have no line end
 * here. A message's tokens are separated by single spaces; REGISTER and REGISTERED take any number
 * of further options, and free text takes the rest of its line. Any thread may call.
 */
public final class MessageCodec {

  /** The longest line, in bytes, without its line end. */
  public static final int MAX_LINE = 512;

  private static final String COMMANDS =
      "REGISTER, SANE, SERVES, HEALTH, PAUSE, RESUME, DRAIN and DEREGISTER";

  private static final String VIPS = "vips=";

  private MessageCodec() {}

  /**
   * Reads one line.
   *
   * @throws InvalidLineException when it is not a message; says what is wrong and would be right
   */
  public static Message parse(String line) throws InvalidLineException {
    if (line.length() > MAX_LINE || !line.chars().allMatch(Syntax::isPrintable)) {
      throw new InvalidLineException(
          "a line is printable ASCII of at most " + MAX_LINE + " characters");
    }
    int space = line.indexOf(' ');
    String verb = space < 0 ? line : line.substring(0, space);
    String rest = space < 0 ? null : line.substring(space + 1);
    try {
      return parse(verb, rest);
    } catch (IllegalArgumentException e) {
      throw new InvalidLineException(e.getMessage());
    }
  }

  private static Message parse(String verb, String rest) {
    return switch (verb) {
      case "REGISTER" -> register(rest);
      case "SANE" -> new Message.Sane(single(verb, "token", rest));
      case "REGISTERED" -> registered(rest);
      case "SERVES" -> serves(rest);
      case "SERVING" -> serving(rest);
      case "HEALTH" -> health(rest);
      case "HEALTHACK" -> healthAck(rest);
      case "PAUSE" -> named(verb, rest, Message.Pause::new);
      case "PAUSED" -> named(verb, rest, Message.Paused::new);
      case "RESUME" -> named(verb, rest, Message.Resume::new);
      case "RESUMED" -> named(verb, rest, Message.Resumed::new);
      case "DRAIN" -> named(verb, rest, Message.Drain::new);
      case "DRAINING" -> named(verb, rest, Message.Draining::new);
      case "DEREGISTER" -> named(verb, rest, Message.Deregister::new);
      case "DEREGISTERED" -> deregistered(rest);
      case "INVALID" -> new Message.Invalid(rest == null ? "" : rest);
      case "" ->
          throw new IllegalArgumentException(
              "a line starts with a command, not empty or with a space; known are " + COMMANDS);
      default ->
          throw new IllegalArgumentException(
              "'" + Syntax.abbreviate(verb) + "' is no command; known are " + COMMANDS);
    };
  }

  /** The line for a message, without its line end; at most {@link #MAX_LINE} characters. */
  public static String format(Message message) {
    String line = formatUnchecked(message);
    if (line.length() > MAX_LINE) {
      throw new IllegalArgumentException(
          "a line of " + line.length() + " characters; at most " + MAX_LINE + " are allowed");
    }
    return line;
  }

  private static String formatUnchecked(Message message) {
    if (message instanceof Message.Register m) {
      return "REGISTER " + identity(m.name(), m.dataAddress(), m.options());
    } else if (message instanceof Message.Sane m) {
      return "SANE " + m.token();
    } else if (message instanceof Message.Registered m) {
      return "REGISTERED " + identity(m.name(), m.dataAddress(), m.options());
    } else if (message instanceof Message.Serves m) {
      return "SERVES " + m.name() + " vips=" + addresses(m.vips());
    } else if (message instanceof Message.Serving m) {
      return "SERVING " + m.name() + formatOptions(m.options());
    } else if (message instanceof Message.Health m) {
      return withText("HEALTH " + m.code(), m.reason());
    } else if (message instanceof Message.HealthAck) {
      return "HEALTHACK 200";
    } else if (message instanceof Message.Pause m) {
      return "PAUSE " + m.name();
    } else if (message instanceof Message.Paused m) {
      return "PAUSED " + m.name();
    } else if (message instanceof Message.Resume m) {
      return "RESUME " + m.name();
    } else if (message instanceof Message.Resumed m) {
      return "RESUMED " + m.name();
    } else if (message instanceof Message.Drain m) {
      return "DRAIN " + m.name();
    } else if (message instanceof Message.Draining m) {
      return "DRAINING " + m.name();
    } else if (message instanceof Message.Deregister m) {
      return "DEREGISTER " + m.name();
    } else if (message instanceof Message.Deregistered m) {
      return withText("DEREGISTERED " + m.name(), m.reason());
    } else if (message instanceof Message.Invalid m) {
      return withText("INVALID", m.reason());
    }
    throw new AssertionError(message);
  }

  static String formatOption(String key, String value) {
    return value.isEmpty() ? key : key + "=" + value;
  }

  private static String identity(
      String name, InetAddress dataAddress, Map<String, String> options) {
    return name + ' ' + IpAddresses.format(dataAddress) + formatOptions(options);
  }

  private static String formatOptions(Map<String, String> options) {
    StringBuilder text = new StringBuilder();
    options.forEach((key, value) -> text.append(' ').append(formatOption(key, value)));
    return text.toString();
  }

  private static String addresses(List<InetAddress> addresses) {
    return addresses.stream().map(IpAddresses::format).collect(Collectors.joining(","));
  }

  private static String withText(String start, String text) {
    return text.isEmpty() ? start : start + " " + text;
  }

  private static Message register(String rest) {
    String[] tokens = tokens("REGISTER", rest);
    if (tokens.length < 2) {
      throw new IllegalArgumentException(
          "REGISTER takes a name and a data address, like REGISTER web-1 10.0.0.11");
    }
    return new Message.Register(tokens[0], IpAddresses.parse(tokens[1]), options(tokens, 2));
  }

  private static Message registered(String rest) {
    String[] tokens = tokens("REGISTERED", rest);
    if (tokens.length < 2) {
      throw new IllegalArgumentException(
          "REGISTERED takes a name and a data address, like REGISTERED web-1 10.0.0.11");
    }
    return new Message.Registered(tokens[0], IpAddresses.parse(tokens[1]), options(tokens, 2));
  }

  private static Message serves(String rest) {
    String[] tokens = tokens("SERVES", rest);
    if (tokens.length != 2 || !tokens[1].startsWith(VIPS)) {
      throw new IllegalArgumentException(
          "SERVES takes a name and VIPs, like SERVES web-1 vips=192.0.2.80,2001:db8::80");
    }
    return new Message.Serves(
        tokens[0],
        Arrays.stream(tokens[1].substring(VIPS.length()).split(",", -1))
            .map(IpAddresses::parse)
            .toList());
  }

  private static Message serving(String rest) {
    String[] tokens = tokens("SERVING", rest);
    if (tokens.length == 0) {
      throw new IllegalArgumentException(
          "SERVING takes a name and options, like SERVING web-1 services=2");
    }
    return new Message.Serving(tokens[0], options(tokens, 1));
  }

  private static Map<String, String> options(String[] tokens, int first) {
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = first; i < tokens.length; i++) {
      int equals = tokens[i].indexOf('=');
      String key = equals < 0 ? tokens[i] : tokens[i].substring(0, equals);
      String value = equals < 0 ? "" : tokens[i].substring(equals + 1);
      if (options.put(key, value) != null) {
        throw new IllegalArgumentException(
            "'" + Syntax.abbreviate(key) + "' is in the line twice; write it once");
      }
    }
    return options;
  }

  private static Message health(String rest) {
    int space = rest == null ? -1 : rest.indexOf(' ');
    String code = space < 0 ? rest : rest.substring(0, space);
    if (code == null || !code.matches("[0-9]{3}")) {
      throw new IllegalArgumentException(
          "HEALTH takes a code of three digits and perhaps a reason, like HEALTH 200");
    }
    return new Message.Health(Integer.parseInt(code), space < 0 ? "" : rest.substring(space + 1));
  }

  private static Message healthAck(String rest) {
    if (!"200".equals(rest)) {
      throw new IllegalArgumentException("HEALTHACK takes 200 and nothing else: HEALTHACK 200");
    }
    return new Message.HealthAck();
  }

  private static Message deregistered(String rest) {
    int space = rest == null ? -1 : rest.indexOf(' ');
    String name = space < 0 ? single("DEREGISTERED", "name", rest) : rest.substring(0, space);
    return new Message.Deregistered(name, space < 0 ? "" : rest.substring(space + 1));
  }

  private static Message named(String verb, String rest, Function<String, Message> message) {
    return message.apply(single(verb, "name", rest));
  }

  private static String single(String verb, String what, String rest) {
    String[] tokens = tokens(verb, rest);
    if (tokens.length != 1) {
      throw new IllegalArgumentException(
          verb + " takes one " + what + " and nothing else: " + verb + " <" + what + ">");
    }
    return tokens[0];
  }

  private static String[] tokens(String verb, String rest) {
    if (rest == null) {
      return new String[0];
    }
    String[] tokens = rest.split(" ", -1);
    for (String token : tokens) {
      if (token.isEmpty()) {
        throw new IllegalArgumentException(
            "the tokens after " + verb + " are separated by single spaces, with none at the end");
      }
    }
    return tokens;
  }
}
