package dev.caplance.host;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.NetlinkMessages;
import dev.caplance.linux.NetlinkSocket;
import java.util.OptionalInt;

/**
 * Reads the state of nftables, which {@code iptables-nft} uses too, without starting a program: in
 * microseconds where that takes milliseconds. Any thread may call.
 */
final class NftState {

  static final int IPV4 = 2;
  static final int IPV6 = 10;

  private static final int GET_CHAIN = 4;
  private static final int CHAIN_NAME = 3;
  private static final int CHAIN_USE = 6;
  private static final int GET_GENERATION = 16;
  private static final int GENERATION_ID = 1;

  private NftState() {}

  /** A number that the kernel changes with every change of any table. */
  static int generation() throws LinuxException {
    try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
      return ask(socket, 0, GET_GENERATION, request -> {}, GENERATION_ID);
    }
  }

  /** How many rules a chain has, and how many jump to it, in all; empty if there is none. */
  static OptionalInt use(int family, String table, String chain) throws LinuxException {
    try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
      return OptionalInt.of(
          ask(
              socket,
              family,
              GET_CHAIN,
              request -> {
                request.attribute(NftBatch.TABLE, table);
                request.attribute(CHAIN_NAME, chain);
              },
              CHAIN_USE));
    } catch (LinuxException e) {
      if (e.errno() == Errno.ENOENT) {
        return OptionalInt.empty();
      }
      throw e;
    }
  }

  private interface Attributes {
    void addTo(NetlinkMessages request);
  }

  /** The 32-bit attribute of the answer to a question. */
  private static int ask(
      NetlinkSocket socket, int family, int question, Attributes attributes, int answer)
      throws LinuxException {
    NetlinkMessages request = new NetlinkMessages();
    request.message(
        NftBatch.SUBSYSTEM << Byte.SIZE | question,
        NetlinkMessages.REQUEST,
        1,
        NftBatch.header(family, 0),
        () -> attributes.addTo(request));
    return socket
        .request(request, 1, "reading nftables")
        .attribute(NftBatch.HEADER, answer)
        .map(value -> value.getInt(0))
        .orElse(0);
  }
}
