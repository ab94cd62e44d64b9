package dev.caplance.backend.drain;

import dev.caplance.backend.dataplane.UdpFlows;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.ForwardedConnections;
import dev.caplance.host.OpenConnections;
import dev.caplance.linux.LinuxException;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the TCP connections of this machine's sockets, those that it passes on to containers, and
 * the UDP flows whose packets were delivered lately.
 */
public final class ClientFlows implements FlowCounter {

  private static final Logger LOG = LoggerFactory.getLogger(ClientFlows.class);

  /**
   * The idle timeout that QUIC and others have, and twice the pauses that most keep NATs open by.
   */
  private static final int UDP_SECONDS = 30;

  private final OpenConnections open;
  private final ForwardedConnections forwarded;
  private final UdpFlows udpFlows;
  private boolean warned;

  /** A counter for clients of these VIPs. */
  public ClientFlows(List<InetAddress> vips, CommandRunner commands, UdpFlows udpFlows) {
    this.open = new OpenConnections(vips, commands);
    this.forwarded = new ForwardedConnections(vips);
    this.udpFlows = udpFlows;
  }

  @Override
  public OngoingFlows count(Duration heardWithin) throws IOException {
    return new OngoingFlows(
        open.count(heardWithin) + forwarded(heardWithin),
        udpFlows.count(UDP_SECONDS, System.nanoTime()));
  }

  /** A kernel may track connections without telling of them (CONFIG_NF_CT_NETLINK). */
  private int forwarded(Duration heardWithin) throws IOException {
    try {
      return forwarded.count(heardWithin);
    } catch (LinuxException e) {
      if (!warned) {
        warned = true;
        LOG.warn("a drain does not wait for connections of containers: {}", e.getMessage());
      }
      return 0;
    }
  }
}
