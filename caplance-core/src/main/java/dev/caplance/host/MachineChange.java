package dev.caplance.host;

import java.util.Optional;

/** One change of the machine, with what is needed to undo it. */
sealed interface MachineChange {

  /**
   * An address was added to a device.
   *
   * @param cidr the address and the length of its prefix, as {@code ip} takes it
   */
  record Address(String cidr, String device) implements MachineChange {

    @Override
    public String toLine() {
      return String.join("\t", "address", cidr, device);
    }
  }

  /** A sysctl was set from one value to another, both with single spaces as the only blanks. */
  record Sysctl(String name, String from, String to) implements MachineChange {

    @Override
    public String toLine() {
      return String.join("\t", "sysctl", name, from, to);
    }
  }

  /** The change as fields between tabs. */
  String toLine();

  /** Reads what {@link #toLine} wrote; empty when it is anything else. */
  static Optional<MachineChange> parse(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length == 3 && fields[0].equals("address")) {
      return Optional.of(new Address(fields[1], fields[2]));
    }
    if (fields.length == 4 && fields[0].equals("sysctl")) {
      return Optional.of(new Sysctl(fields[1], fields[2], fields[3]));
    }
    return Optional.empty();
  }
}
