package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.Checksum;
import dev.caplance.packet.IpProtocol;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** Programs that send packets on hosts of the lab as no kernel would. */
final class RawPrograms {

  private static final int UDP_HEADER = 8;
  private static final int TCP_HEADER = 20;
  private static final int IPV4_HEADER = 20;
  private static final int PATIENCE_MILLIS = 20_000;

  private RawPrograms() {}

  /** The pseudo-header that checksums of TCP and UDP cover (RFC 9293, RFC 8200), and a message. */
  private static int checksum(
      InetAddress source, InetAddress target, int protocol, ByteBuffer message) {
    int addresses = 2 * source.getAddress().length;
    ByteBuffer summed = ByteBuffer.allocate(addresses + 8 + message.capacity());
    summed.put(source.getAddress()).put(target.getAddress());
    summed.putInt(message.capacity()).putInt(protocol).put(message.duplicate().clear());
    return Checksum.of(summed, 0, summed.capacity());
  }

  private static byte[] datagram(
      InetAddress source, int fromPort, InetSocketAddress to, byte[] payload) {
    ByteBuffer datagram = ByteBuffer.allocate(UDP_HEADER + payload.length);
    datagram.putShort((short) fromPort).putShort((short) to.getPort());
    datagram.putShort((short) datagram.capacity()).putShort((short) 0).put(payload);
    int checksum = checksum(source, to.getAddress(), IpProtocol.UDP, datagram);
    return datagram.putShort(6, (short) (checksum == 0 ? 0xffff : checksum)).array();
  }

  private static InetAddress sourceFor(InetSocketAddress server) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(server);
      return socket.getLocalAddress();
    }
  }

  /** Prints the port of a question, and the name in the answer when it came as it was sent. */
  private static void print(DatagramSocket socket, byte[] question) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
    String name = "nobody";
    try {
      socket.receive(packet);
      int length = packet.getLength() - question.length - 1;
      byte[] echoed = Arrays.copyOfRange(packet.getData(), length + 1, packet.getLength());
      name =
          Arrays.equals(echoed, question)
              ? new String(packet.getData(), 0, length, US_ASCII)
              : "changed";
    } catch (SocketTimeoutException e) {
      // printed
    }
    System.out.println(socket.getLocalPort() + " " + name);
  }

  /**
   * {@code ADDRESS PORT FLOWS COUNT SIZE ORDER}: asks {@link LabPrograms.Echo} from so many ports,
   * first once with a small datagram, then so many times with datagrams of this size, whose
   * fragments it sends {@code in-order}, {@code reversed}, {@code shuffled} or {@code with-df}, in
   * order with DF set (IPv4); none is sent again. Prints for each datagram its port and the name in
   * the answer.
   */
  static final class FragmentedAsk {

    /** What fits into 1500 bytes with either header, a multiple of 8. */
    private static final int PAYLOAD = 1448;

    private final InetAddress target;
    private final InetAddress source;
    private final boolean ipv6;
    private final SocketAddress to;
    private final RawSender sender;
    private final NativeMemory memory = NativeMemory.allocate(128 * 1024);
    private final String order;
    private int identification = 1;

    private FragmentedAsk(InetAddress target, InetAddress source, String order) throws IOException {
      this.target = target;
      this.source = source;
      this.order = order;
      this.ipv6 = target.getAddress().length == 16;
      this.to = SocketAddress.of(target, 0);
      this.sender = new RawSender(ipv6, 64);
    }

    public static void main(String[] args) throws IOException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      int flows = Integer.parseInt(args[2]);
      byte[] question = new byte[Integer.parseInt(args[4])];
      FragmentedAsk asker = new FragmentedAsk(server.getAddress(), sourceFor(server), args[5]);
      SplittableRandom random = new SplittableRandom(9);
      for (int flow = 0; flow < flows; flow++) {
        try (DatagramSocket socket = new DatagramSocket()) {
          socket.setSoTimeout(PATIENCE_MILLIS);
          byte[] small = {1, 2, 3};
          socket.send(new DatagramPacket(small, small.length, server));
          print(socket, small);
          for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            random.nextBytes(question);
            asker.send(socket.getLocalPort(), server, question);
            print(socket, question);
          }
        }
      }
    }

    private void send(int fromPort, InetSocketAddress server, byte[] question) {
      byte[] datagram = datagram(source, fromPort, server, question);
      ByteBuffer bytes = memory.networkBytes().clear();
      for (int offset : offsets(datagram.length)) {
        int length = Math.min(PAYLOAD, datagram.length - offset);
        boolean more = offset + length < datagram.length;
        int at = bytes.position();
        putHeaders(bytes, offset, length, more);
        bytes.put(datagram, offset, length);
        sender.add(memory.address() + at, bytes.position() - at, to);
      }
      identification++;
      sender.flush();
    }

    private List<Integer> offsets(int length) {
      List<Integer> offsets = new ArrayList<>();
      for (int offset = 0; offset < length; offset += PAYLOAD) {
        offsets.add(offset);
      }
      switch (order) {
        case "in-order", "with-df" -> {}
        case "reversed" -> Collections.reverse(offsets);
        case "shuffled" -> Collections.shuffle(offsets, new Random(identification));
        default -> throw new IllegalArgumentException(order);
      }
      return offsets;
    }

    private void putHeaders(ByteBuffer bytes, int offset, int length, boolean more) {
      if (ipv6) {
        bytes.putInt(0x6000_0000).putShort((short) (8 + length)).put((byte) 44).put((byte) 64);
        bytes.put(source.getAddress()).put(target.getAddress());
        bytes.put((byte) IpProtocol.UDP).put((byte) 0);
        bytes.putShort((short) (offset | (more ? 1 : 0))).putInt(identification);
      } else {
        bytes.putShort((short) 0x4500).putShort((short) (IPV4_HEADER + length));
        bytes.putShort((short) identification);
        int dontFragment = order.equals("with-df") ? 0x4000 : 0;
        bytes.putShort((short) (dontFragment | (more ? 0x2000 : 0) | offset / 8));
        bytes.put((byte) 64).put((byte) IpProtocol.UDP).putShort((short) 0);
        bytes.put(source.getAddress()).put(target.getAddress());
      }
    }
  }

  /**
   * {@code ADDRESS PORT HEADER…}: asks {@link LabPrograms.Echo} from one port, first with a plain
   * datagram, then with one behind extension headers of these numbers, all of which hold padding
   * only. Prints for each its port and the name in the answer. IPv6.
   */
  static final class OptionsAsk {

    /** Eight bytes in all: the next header, no more than these eight, an option PadN. */
    private static final byte[] NO_OPTIONS = {0, 1, 4, 0, 0, 0, 0};

    private OptionsAsk() {}

    public static void main(String[] args) throws IOException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      byte[] question = {1, 2, 3};
      try (DatagramSocket socket = new DatagramSocket()) {
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.send(new DatagramPacket(question, question.length, server));
        print(socket, question);
        InetAddress source = sourceFor(server);
        send(
            server.getAddress(),
            source,
            Arrays.stream(args).skip(2).mapToInt(Integer::parseInt).toArray(),
            datagram(source, socket.getLocalPort(), server, question));
        print(socket, question);
      }
    }

    private static void send(InetAddress target, InetAddress source, int[] headers, byte[] datagram)
        throws IOException {
      try (RawSender sender = new RawSender(true, 1);
          NativeMemory memory = NativeMemory.allocate(128)) {
        ByteBuffer bytes = memory.networkBytes();
        int length = 8 * headers.length + datagram.length;
        bytes.putInt(0x6000_0000).putShort((short) length);
        bytes.put((byte) headers[0]).put((byte) 64);
        bytes.put(source.getAddress()).put(target.getAddress());
        for (int i = 1; i <= headers.length; i++) {
          bytes.put((byte) (i < headers.length ? headers[i] : IpProtocol.UDP)).put(NO_OPTIONS);
        }
        bytes.put(datagram);
        sender.add(memory.address(), bytes.position(), SocketAddress.of(target, 0));
        sender.flush();
      }
    }
  }

  /**
   * {@code ADDRESS PORT COUNT SEED}: sends so many SYNs, each from another address of {@link
   * #SOURCES}, which nobody has, and another port. IPv4.
   */
  static final class SynFlood {

    static final String SOURCES = "198.18.0.0/15";

    private static final int BATCH = 256;
    private static final int PACKET = IPV4_HEADER + TCP_HEADER;
    private static final int NETWORK = 198 << 24 | 18 << 16;

    private SynFlood() {}

    public static void main(String[] args) throws IOException {
      InetAddress target = InetAddress.getByName(args[0]);
      SocketAddress to = SocketAddress.of(target, 0);
      int port = Integer.parseInt(args[1]);
      SplittableRandom random = new SplittableRandom(Long.parseLong(args[3]));
      try (RawSender sender = new RawSender(false, BATCH);
          NativeMemory memory = NativeMemory.allocate(BATCH * PACKET)) {
        ByteBuffer bytes = memory.networkBytes();
        for (int left = Integer.parseInt(args[2]); left > 0; left -= BATCH) {
          for (int i = 0; i < BATCH; i++) {
            put(bytes, i * PACKET, target, port, random);
            sender.add(memory.address() + (long) i * PACKET, PACKET, to);
          }
          sender.flush();
        }
      }
    }

    private static void put(
        ByteBuffer b, int at, InetAddress target, int port, SplittableRandom random) {
      int tcp = at + IPV4_HEADER;
      b.putInt(at, 0x4500_0000 | PACKET);
      b.putInt(at + 4, 0x4000);
      b.putInt(at + 8, 64 << 24 | IpProtocol.TCP << 16);
      b.putInt(at + 12, NETWORK | random.nextInt(1 << 17));
      b.position(at + 16).put(target.getAddress());
      b.putShort(tcp, (short) (1024 + random.nextInt(60_000)));
      b.putShort(tcp + 2, (short) port);
      b.putInt(tcp + 4, random.nextInt());
      b.putInt(tcp + 8, 0);
      b.putInt(tcp + 12, 0x5002_ffff);
      // The pseudo-header without the addresses stands where the checksum and the pointer will be.
      b.putInt(tcp + 16, IpProtocol.TCP + TCP_HEADER);
      int checksum = Checksum.of(b, at + 12, 8 + TCP_HEADER);
      b.putShort(tcp + 16, (short) checksum).putShort(tcp + 18, (short) 0);
    }
  }
}
