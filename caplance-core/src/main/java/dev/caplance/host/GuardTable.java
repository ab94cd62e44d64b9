package dev.caplance.host;

import dev.caplance.host.NetfilterRules.Vip;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.NetlinkSocket;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A second line behind the rules that direct packets to the queues: the nftables table {@code inet
 * caplance-guard} drops what reaches this machine's own TCP and UDP although it is for a service.
 * While a firewall's reload has removed the rules, clients get silence instead of resets.
 *
 * <p>The table belongs to a netlink socket of this process (Linux 5.12, {@code flags owner}): the
 * {@code nft flush ruleset} of others spares it. It ends with this process, unless the kernel can
 * make it {@code persist} (6.9), too; the next start then replaces it. An older kernel gets a table
 * without an owner, which survives only the flush of others.
 *
 * <p>A machine without nftables gets no guard and a warning. Used by one thread at a time.
 */
final class GuardTable implements AutoCloseable {

  static final String NAME = "caplance-guard";

  private static final Logger LOG = LoggerFactory.getLogger(GuardTable.class);

  private static final String CHAIN = "input";
  private static final int PRIORITY = -300;

  private static final int OWNER = 2;
  private static final int OWNER_AND_PERSIST = 6;
  private static final int[] FLAGS = {OWNER_AND_PERSIST, OWNER, 0};

  private static final int META_FAMILY = 15;
  private static final int META_PROTOCOL = 16;
  private static final int NETWORK_HEADER = 1;
  private static final int TRANSPORT_HEADER = 2;
  private static final int DESTINATION_PORT = 2;
  private static final int PORT_LENGTH = 2;

  /** The first register; its four words are also registers 8 to 11. */
  private static final int REGISTER = 1;

  private static final int FIRST_WORD = 8;
  private static final int WORD = 4;

  /**
   * The kernel's view of an IP version.
   *
   * @param number of the family
   * @param destination where the header has the address
   * @param length of an address
   * @param keyType address, protocol and port in the numbers of nft(8), six bits each
   */
  private record Family(String set, int number, int destination, int length, int keyType) {

    private static final List<Family> ALL =
        List.of(
            new Family("services", 2, 16, 4, 7 << 12 | 12 << 6 | 13),
            new Family("services6", 10, 24, 16, 8 << 12 | 12 << 6 | 13));

    private boolean has(InetAddress address) {
      return address.getAddress().length == length;
    }
  }

  private NetlinkSocket socket;
  private int flags;
  private boolean installed;
  private boolean claimed;
  private List<Vip> guarded = List.of();

  /**
   * Makes the table this process's own, and so the rules of this network namespace. Before anything
   * is changed, a second load balancer finds out that there is one, whatever its directories are.
   *
   * @throws IOException when another process has the table
   */
  void claim() throws IOException {
    try {
      open();
      claimed = true;
      install();
    } catch (LinuxException e) {
      if (e.errno() == Errno.EPERM && isPermitted()) {
        throw new IOException(
            "another 'caplance lb' is running in this network namespace: the nftables table 'inet "
                + NAME
                + "' belongs to it; stop it first",
            e);
      }
      warn(e);
    }
  }

  /** Without the capability, reading is refused, too. */
  private static boolean isPermitted() {
    try {
      NftState.generation();
      return true;
    } catch (LinuxException e) {
      return false;
    }
  }

  private void open() throws LinuxException {
    if (socket == null) {
      socket = NetlinkSocket.open(NetlinkSocket.NETFILTER);
      removeTable();
    }
  }

  /** Guards these VIPs in place of others; never fails. */
  void apply(List<Vip> vips) {
    guarded = List.copyOf(vips);
    try {
      open();
      if (guarded.isEmpty() && !claimed) {
        delete();
      } else if (installed) {
        fill(new NftBatch(NAME).deleteTable(), flags).commit(socket);
      } else {
        install();
      }
    } catch (LinuxException e) {
      warn(e);
    }
  }

  private static void warn(LinuxException cause) {
    LOG.warn(
        "no guard for the services: while another program removes the netfilter rules, this machine"
            + " resets clients ({})",
        cause.getMessage());
  }

  private void removeTable() throws LinuxException {
    try {
      new NftBatch(NAME).deleteTable().commit(socket);
    } catch (LinuxException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  private void install() throws LinuxException {
    LinuxException refused = null;
    for (int candidate : FLAGS) {
      try {
        fill(new NftBatch(NAME), candidate).commit(socket);
        flags = candidate;
        installed = true;
        return;
      } catch (LinuxException e) {
        refused = e;
      }
    }
    throw refused;
  }

  private NftBatch fill(NftBatch batch, int tableFlags) {
    batch.addTable(tableFlags).addInputChain(CHAIN, PRIORITY);
    for (Family family : Family.ALL) {
      List<NftBatch.Range> ranges =
          guarded.stream()
              .filter(vip -> family.has(vip.address()))
              .flatMap(vip -> ranges(vip).stream())
              .toList();
      if (!ranges.isEmpty()) {
        int[] fields = {family.length(), 1, PORT_LENGTH};
        batch.addSet(family.set(), family.keyType(), fields, ranges);
        addRule(batch, family);
      }
    }
    return batch;
  }

  private static void addRule(NftBatch batch, Family family) {
    int protocol = FIRST_WORD + family.length() / WORD;
    batch.addRule(
        CHAIN,
        List.of(
            batch.meta(META_FAMILY, REGISTER),
            batch.equal(REGISTER, (byte) family.number()),
            batch.payload(NETWORK_HEADER, family.destination(), family.length(), FIRST_WORD),
            batch.meta(META_PROTOCOL, protocol),
            batch.payload(TRANSPORT_HEADER, DESTINATION_PORT, PORT_LENGTH, protocol + 1),
            batch.lookup(family.set(), REGISTER),
            batch.count(),
            batch.drop()));
  }

  private static List<NftBatch.Range> ranges(Vip vip) {
    return Stream.of(IpProtocol.TCP, IpProtocol.UDP)
        .flatMap(
            protocol ->
                ports(vip.ports(), protocol).stream()
                    .map(
                        ports ->
                            new NftBatch.Range(
                                key(vip.address(), protocol, ports.first()),
                                key(vip.address(), protocol, ports.last()))))
        .toList();
  }

  private static List<Ports.Range> ports(Ports ports, int protocol) {
    return ports.hasAll(protocol) ? List.of(new Ports.Range(0, 65_535)) : ports.ranges(protocol);
  }

  private static byte[] key(InetAddress address, int protocol, int port) {
    byte[] ip = address.getAddress();
    return ByteBuffer.allocate(ip.length + 2 * WORD)
        .put(ip)
        .put(ip.length, (byte) protocol)
        .putShort(ip.length + WORD, (short) port)
        .array();
  }

  private void delete() throws LinuxException {
    if (installed) {
      removeTable();
      installed = false;
    }
  }

  /** Puts the guard back if it has gone. Returns a sentence on what was wrong, or nothing. */
  List<String> check() {
    if (!installed || isWhole()) {
      return List.of();
    }
    installed = false;
    apply(guarded);
    return installed ? List.of("the guard of the services had been removed; put back") : List.of();
  }

  private boolean isWhole() {
    long families =
        Family.ALL.stream().filter(f -> guarded.stream().anyMatch(v -> f.has(v.address()))).count();
    try {
      return NftState.use(NftBatch.FAMILY_INET, NAME, CHAIN).orElse(0) == families;
    } catch (LinuxException e) {
      LOG.debug("cannot read the guard of the services", e);
      return false;
    }
  }

  /** Removes the guard. */
  @Override
  public void close() {
    claimed = false;
    apply(List.of());
    if (socket != null) {
      socket.close();
      socket = null;
    }
  }
}
