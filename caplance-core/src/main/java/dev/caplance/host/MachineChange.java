package dev.caplance.host;

import dev.caplance.packet.IpPrefix;
import java.net.InetAddress;
import java.util.Optional;

/** A change of this machine, with what is needed to undo it. */
sealed interface MachineChange {

  String ADDRESS = "address";
  String SYSCTL = "sysctl";

  /** An address was added to a device, with a prefix that holds no other. */
  record Address(InetAddress address, String device) implements MachineChange {

    IpPrefix prefix() {
      return IpPrefix.of(address);
    }

    @Override
    public String toLine() {
      return String.join("\t", ADDRESS, prefix().toString(), device);
    }

    private static Optional<MachineChange> parse(String cidr, String device) {
      try {
        IpPrefix prefix = IpPrefix.parse(cidr);
        return prefix.isSingleAddress()
            ? Optional.of(new Address(prefix.address(), device))
            : Optional.empty();
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }

  /** A sysctl was changed; both values have single spaces as their only white space. */
  record Sysctl(String name, String from, String to) implements MachineChange {

    @Override
    public String toLine() {
      return String.join("\t", SYSCTL, name, from, to);
    }
  }

  /** The change as fields separated by tabs. */
  String toLine();

  /** Reads what {@link #toLine} wrote; empty for any other text. */
  static Optional<MachineChange> parse(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length == 3 && fields[0].equals(ADDRESS)) {
      return Address.parse(fields[1], fields[2]);
    }
    if (fields.length == 4 && fields[0].equals(SYSCTL)) {
      return Optional.of(new Sysctl(fields[1], fields[2], fields[3]));
    }
    return Optional.empty();
  }
}
