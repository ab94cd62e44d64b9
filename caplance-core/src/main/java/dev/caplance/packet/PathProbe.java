package dev.caplance.packet;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The probe of the path from a load balancer to a registered backend: a whole UDP packet from the
 * load balancer's address to the backend's data port, which travels encapsulated like a client's
 * packet. The backend unwraps and delivers it, and so receives it on its own data port.
 *
 * <pre>
 * IP header   source: the load balancer     destination: the backend's data address
 * UDP header  source port: where a reply is expected     destination port: the data port
 * payload     PROBE &lt;token&gt;\n 0 0 0 …   as many zero bytes as the size needs
 * </pre>
 *
 * The reply is {@code SANE <token>} in a datagram to where the packet came from, and on the
 * session.
 */
public final class PathProbe {

  /** Bytes of the longest payload without padding. */
  private static final int MAX_TEXT = 6 + 128 + 1;

  private static final String PREFIX = "PROBE ";
  private static final String REPLY = "SANE ";
  private static final char END = '\n';
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{1,128}");
  private static final int HOPS = 64;
  private static final int UDP_LENGTH = 4;
  private static final int UDP_CHECKSUM = 6;

  private PathProbe() {}

  /**
   * Writes a probe.
   *
   * @param source the address that the backend takes packets from
   * @param sourcePort where the reply is expected
   * @param destination the backend's data address, of the same IP version
   * @param port the backend's data port
   * @param token {@code [A-Za-z0-9_-]{1,128}}
   * @param size bytes that the packet should have; it is longer if the token does not fit
   * @param packet written from its beginning, network byte order, with room for {@code size} and
   *     for the token
   * @return bytes of the packet
   */
  public static int write(
      InetAddress source,
      int sourcePort,
      InetAddress destination,
      int port,
      String token,
      int size,
      ByteBuffer packet) {
    boolean ipv4 = IpAddresses.isIpv4(source);
    int udp = ipv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER;
    byte[] text = (PREFIX + token + END).getBytes(StandardCharsets.US_ASCII);
    int length = Math.max(size, udp + Transport.UDP_HEADER + text.length);
    if (ipv4) {
      Ipv4.writeHeader(packet, 0, length, IpProtocol.UDP, HOPS);
      packet.put(Ipv4.SOURCE, source.getAddress());
      packet.put(Ipv4.DESTINATION, destination.getAddress());
      Ipv4.completeChecksum(packet, 0);
    } else {
      Ipv6.writeHeader(packet, 0, length - udp, IpProtocol.UDP, HOPS);
      packet.put(Ipv6.SOURCE, source.getAddress());
      packet.put(Ipv6.DESTINATION, destination.getAddress());
    }
    packet.putShort(udp + Transport.SOURCE_PORT, (short) sourcePort);
    packet.putShort(udp + Transport.DESTINATION_PORT, (short) port);
    packet.putShort(udp + UDP_LENGTH, (short) (length - udp));
    packet.putShort(udp + UDP_CHECKSUM, (short) 0);
    packet.put(udp + Transport.UDP_HEADER, text);
    for (int i = udp + Transport.UDP_HEADER + text.length; i < length; i++) {
      packet.put(i, (byte) 0);
    }
    packet.putShort(udp + UDP_CHECKSUM, checksum(packet, ipv4, udp, length - udp));
    return length;
  }

  /** A sum of zero is sent as all ones, because zero means that there is none (RFC 768). */
  private static short checksum(ByteBuffer packet, boolean ipv4, int udp, int length) {
    long sum = Transport.pseudoHeader(packet, ipv4, 0, IpProtocol.UDP, length);
    int checksum = Checksum.finish(sum + Checksum.sum(packet, udp, length));
    return (short) (checksum == 0 ? 0xffff : checksum);
  }

  /** The token of a probe that has been delivered; empty if the payload is anything else. */
  public static Optional<String> token(ByteBuffer bytes, int at, int length) {
    return text(PREFIX, bytes, at, Math.min(length, MAX_TEXT))
        .filter(text -> text.indexOf(END) > 0)
        .map(text -> text.substring(0, text.indexOf(END)))
        .filter(token -> TOKEN.matcher(token).matches());
  }

  /** The token in the datagram that replies to a probe; empty if the payload is anything else. */
  public static Optional<String> replyToken(ByteBuffer bytes, int at, int length) {
    return length > MAX_TEXT
        ? Optional.empty()
        : text(REPLY, bytes, at, length).filter(token -> TOKEN.matcher(token).matches());
  }

  /** The payload of the datagram that replies to a probe. */
  public static byte[] reply(String token) {
    return (REPLY + token).getBytes(StandardCharsets.US_ASCII);
  }

  private static Optional<String> text(String prefix, ByteBuffer bytes, int at, int length) {
    if (length <= prefix.length()) {
      return Optional.empty();
    }
    byte[] content = new byte[length];
    bytes.get(at, content);
    String text = new String(content, StandardCharsets.ISO_8859_1);
    return text.startsWith(prefix)
        ? Optional.of(text.substring(prefix.length()))
        : Optional.empty();
  }
}
