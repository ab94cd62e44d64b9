package dev.caplance.host;

import dev.caplance.linux.NetlinkListener;
import dev.caplance.linux.NetlinkSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says when something on this machine changes that the daemon keeps in order: netfilter rules
 * ({@code NFNLGRP_NFTABLES}), and interfaces and addresses (rtnetlink(7)). What changed is for the
 * receiver to find out. Where the kernel does not tell, it says nothing. Any thread may call.
 */
public final class MachineEvents implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(MachineEvents.class);

  private static final int NFTABLES_GROUP = 7;

  /** Links, IPv4 and IPv6 addresses ({@code RTNLGRP_LINK} and so on). */
  private static final int[] ROUTE_GROUPS = {1, 5, 9};

  /** Those of this program, by their names. */
  private static final Set<String> TABLES = Set.of("raw", "mangle", GuardTable.NAME);

  private final List<NetlinkListener> listeners = new ArrayList<>();

  /**
   * Begins to listen.
   *
   * @param onChange called by threads of this object; returns soon
   */
  public MachineEvents(Runnable onChange) {
    listen(
        () ->
            NetlinkListener.start(
                "netfilter-events",
                NetlinkSocket.NETFILTER,
                new int[] {NFTABLES_GROUP},
                MachineEvents::isAboutOurTables,
                onChange));
    listen(
        () ->
            NetlinkListener.start(
                "interface-events", NetlinkSocket.ROUTE, ROUTE_GROUPS, any -> true, onChange));
  }

  private interface Start {
    NetlinkListener start() throws IOException;
  }

  private void listen(Start start) {
    try {
      listeners.add(start.start());
    } catch (IOException e) {
      LOG.warn("changes of this machine are noticed late: {}", e.getMessage());
    }
  }

  private static boolean isAboutOurTables(NetlinkSocket.Received message) {
    return message
        .attribute(NftBatch.HEADER, NftBatch.TABLE)
        .filter(name -> TABLES.contains(text(name)))
        .isPresent();
  }

  private static String text(ByteBuffer name) {
    return StandardCharsets.US_ASCII.decode(name).toString().replaceFirst("\0.*", "");
  }

  /** Returns at once. */
  @Override
  public void close() {
    listeners.forEach(NetlinkListener::close);
  }
}
