package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.SocketAddress;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Programs that send and answer on hosts of the lab. */
final class LabPrograms {

  private LabPrograms() {}

  /** {@code NAME ADDRESS PORT}: answers every datagram with its name, a space and the datagram. */
  static final class Echo {
    private Echo() {}

    public static void main(String[] args) throws IOException {
      byte[] name = (args[0] + " ").getBytes(US_ASCII);
      try (DatagramSocket socket = socket(args[1], Integer.parseInt(args[2]))) {
        System.out.println("serving");
        DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
        while (true) {
          packet.setLength(65_535);
          socket.receive(packet);
          byte[] answer = Arrays.copyOf(name, name.length + packet.getLength());
          System.arraycopy(packet.getData(), 0, answer, name.length, packet.getLength());
          socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        }
      }
    }

    private static DatagramSocket socket(String address, int port) throws IOException {
      DatagramSocket socket = new DatagramSocket(null);
      socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
      return socket;
    }
  }

  /**
   * {@code ADDRESS PORT COUNT SIZE}: asks from so many ports with datagrams of this size, each
   * again every second until it is answered, and prints the name of each answer.
   */
  static final class Ask {
    private Ask() {}

    public static void main(String[] args) throws IOException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      byte[] question = new byte[Integer.parseInt(args[3])];
      for (int i = 0; i < Integer.parseInt(args[2]); i++) {
        new SplittableRandom(i).nextBytes(question);
        System.out.println(ask(server, question));
      }
    }

    private static String ask(InetSocketAddress server, byte[] question) throws IOException {
      try (DatagramSocket socket = new DatagramSocket()) {
        socket.connect(server);
        socket.setSoTimeout(1000);
        for (int attempt = 0; attempt < 10; attempt++) {
          socket.send(new DatagramPacket(question, question.length));
          DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
          try {
            socket.receive(packet);
          } catch (SocketTimeoutException | SocketException e) {
            continue; // also when somebody on the way said that it was too big
          }
          int name = packet.getLength() - question.length - 1;
          byte[] echoed = Arrays.copyOfRange(packet.getData(), name + 1, packet.getLength());
          if (Arrays.equals(echoed, question)) {
            return new String(packet.getData(), 0, name, US_ASCII);
          }
        }
        return "nobody";
      }
    }
  }

  /** {@code ADDRESS PORT COUNT SIZE}: sends so many datagrams, from 64 ports in turn. */
  static final class Flood {
    private Flood() {}

    public static void main(String[] args) throws IOException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      List<DatagramChannel> channels = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        channels.add(DatagramChannel.open().bind(new InetSocketAddress(0)));
      }
      ByteBuffer payload = ByteBuffer.allocateDirect(Integer.parseInt(args[3]));
      int count = Integer.parseInt(args[2]);
      for (int i = 0; i < count; i++) {
        channels.get(i % channels.size()).send(payload.rewind(), server);
        if (i % 512 == 0) {
          LockSupport.parkNanos(1_000_000);
        }
      }
      for (DatagramChannel channel : channels) {
        channel.close();
      }
    }
  }

  /** {@code ADDRESS PORT HEX…}: sends each as a datagram. */
  static final class Send {
    private Send() {}

    public static void main(String[] args) throws IOException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      try (DatagramSocket socket = new DatagramSocket()) {
        for (String hex : Arrays.asList(args).subList(2, args.length)) {
          byte[] bytes = HexFormat.of().parseHex(hex);
          socket.send(new DatagramPacket(bytes, bytes.length, server));
        }
      }
    }
  }

  /** {@code ADDRESS HEX…}: sends each as a whole IPv4 packet, whatever source it claims. */
  static final class SendRaw {
    private SendRaw() {}

    public static void main(String[] args) throws IOException {
      SocketAddress to = SocketAddress.of(InetAddress.getByName(args[0]), 0);
      try (RawSender sender = new RawSender(false, 1)) {
        for (String hex : Arrays.asList(args).subList(1, args.length)) {
          byte[] packet = HexFormat.of().parseHex(hex);
          try (NativeMemory memory = NativeMemory.allocate(packet.length)) {
            memory.networkBytes().put(packet);
            sender.add(memory.address(), packet.length, to);
            sender.flush();
          }
        }
      }
    }
  }

  /** {@code ADDRESS PORT COUNT}: opens so many TCP connections and holds them until it is ended. */
  static final class HalfOpen {
    private HalfOpen() {}

    public static void main(String[] args) throws IOException, InterruptedException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      List<SocketChannel> channels = new ArrayList<>();
      for (int i = 0; i < Integer.parseInt(args[2]); i++) {
        channels.add(SocketChannel.open(server));
      }
      System.out.println(channels.size());
      new CountDownLatch(1).await();
    }
  }
}
