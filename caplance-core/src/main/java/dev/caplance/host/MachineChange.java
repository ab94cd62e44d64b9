package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.Optional;

/** One change of the machine, with what is needed to undo it. */
sealed interface MachineChange {

  String ADDRESS = "address";
  String SYSCTL = "sysctl";

  /** An address was added to a device, with a prefix that holds nothing else. */
  record Address(InetAddress address, String device) implements MachineChange {

    /** The address and the length of its prefix, as {@code ip} takes it. */
    String cidr() {
      return IpAddresses.format(address) + "/" + address.getAddress().length * 8;
    }

    @Override
    public String toLine() {
      return String.join("\t", ADDRESS, cidr(), device);
    }

    private static Optional<MachineChange> parse(String cidr, String device) {
      try {
        InetAddress address = IpAddresses.parse(cidr.replaceFirst("/\\d+$", ""));
        return Optional.<MachineChange>of(new Address(address, device))
            .filter(change -> change.toLine().equals(String.join("\t", ADDRESS, cidr, device)));
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }

  /** A sysctl was set from one value to another, both with single spaces as the only blanks. */
  record Sysctl(String name, String from, String to) implements MachineChange {

    @Override
    public String toLine() {
      return String.join("\t", SYSCTL, name, from, to);
    }
  }

  /** The change as fields between tabs. */
  String toLine();

  /** Reads what {@link #toLine} wrote; empty when it is anything else. */
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
