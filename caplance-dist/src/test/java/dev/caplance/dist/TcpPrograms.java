package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Programs that keep TCP connections on hosts of the lab. Each ends with its standard input. */
final class TcpPrograms {

  private TcpPrograms() {}

  private static Thread daemon(Runnable body) {
    Thread thread = new Thread(body);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static BufferedReader commands() {
    return new BufferedReader(new InputStreamReader(System.in, US_ASCII));
  }

  /** {@code NAME PORT}: says its name to whoever connects, and then what it is told. */
  static final class Echo {
    private Echo() {}

    public static void main(String[] args) throws IOException {
      ServerSocket server = new ServerSocket(Integer.parseInt(args[1]), 1024);
      daemon(() -> accept(server, args[0]));
      System.out.println("serving");
      commands().readLine();
    }

    private static void accept(ServerSocket server, String name) {
      while (true) {
        try {
          Socket socket = server.accept();
          daemon(() -> echo(socket, name));
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
      }
    }

    private static void echo(Socket socket, String name) {
      try (socket) {
        socket.setTcpNoDelay(true);
        new DataOutputStream(socket.getOutputStream()).writeUTF(name);
        socket.getInputStream().transferTo(socket.getOutputStream());
      } catch (IOException e) {
        // the client is gone
      }
    }
  }

  /**
   * {@code ADDRESS PORT}: keeps connections to {@link Echo} and lets each exchange numbers, about
   * twenty in a second. {@code open N} opens so many more, {@code close NUMBER} closes one, {@code
   * report} prints a line for each that was ever opened, {@code NUMBER NAME PORT EXCHANGES STATE},
   * the state being {@code open} or what ended it. An empty line ends each answer.
   */
  static final class Talk {

    private static final long PAUSE_NANOS = 50_000_000;

    private final Socket socket = new Socket();
    private final AtomicLong exchanges = new AtomicLong();
    private final String name;
    private final int port;
    private volatile String state = "open";

    private Talk(InetSocketAddress server) throws IOException {
      socket.setTcpNoDelay(true);
      socket.connect(server);
      port = socket.getLocalPort();
      DataInputStream in = new DataInputStream(socket.getInputStream());
      name = in.readUTF();
      daemon(() -> talk(in));
    }

    private void talk(DataInputStream in) {
      try (socket) {
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        for (long number = 1; ; number++) {
          out.writeLong(number);
          long answer = in.readLong();
          if (answer != number) {
            state = "was told " + answer + " for " + number;
            return;
          }
          exchanges.lazySet(number);
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      } catch (IOException e) {
        state = e.toString();
      }
    }

    private String report() {
      return name + " " + port + " " + exchanges + " " + state;
    }

    public static void main(String[] args) throws IOException {
      InetSocketAddress server = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
      List<Talk> all = new ArrayList<>();
      System.out.println("ready");
      BufferedReader commands = commands();
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        if (line.startsWith("open ")) {
          for (int i = Integer.parseInt(line.substring(5)); i > 0; i--) {
            all.add(new Talk(server));
          }
        } else if (line.startsWith("close ")) {
          all.get(Integer.parseInt(line.substring(6))).socket.close();
        } else {
          for (int i = 0; i < all.size(); i++) {
            System.out.println(i + " " + all.get(i).report());
          }
        }
        System.out.println();
      }
    }
  }

  /**
   * {@code ADDRESS PORT THREADS}: HTTP requests without an end, each on a connection of its own. A
   * line of input makes it print how many of them have been answered, and what went wrong with the
   * others; an empty line ends the answer. {@code stop} first ends the requests, and waits for
   * those that have no answer yet until they have one or have failed.
   */
  static final class Requests {

    private static final byte[] GET = "GET / HTTP/1.0\r\n\r\n".getBytes(US_ASCII);
    private static final long PAUSE_NANOS = 2_000_000;
    private static final int PATIENCE_MILLIS = 20_000;

    private final InetSocketAddress server;
    private final AtomicInteger answered = new AtomicInteger();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean stopped;

    private Requests(InetSocketAddress server) {
      this.server = server;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
      Requests requests = new Requests(new InetSocketAddress(args[0], Integer.parseInt(args[1])));
      List<Thread> threads = new ArrayList<>();
      for (int i = Integer.parseInt(args[2]); i > 0; i--) {
        threads.add(daemon(requests::run));
      }
      System.out.println("ready");
      BufferedReader commands = commands();
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        if (line.equals("stop")) {
          requests.stopped = true;
          for (Thread thread : threads) {
            thread.join();
          }
        }
        System.out.println(requests.answered);
        requests.failures.forEach(System.out::println);
        System.out.println();
      }
    }

    private void run() {
      while (!stopped) {
        try {
          request();
          answered.incrementAndGet();
        } catch (IOException e) {
          failures.add(e.toString());
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }

    private void request() throws IOException {
      try (Socket socket = new Socket()) {
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(server, PATIENCE_MILLIS);
        socket.getOutputStream().write(GET);
        String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
        if (!answer.startsWith("HTTP/1.1 200 ")) {
          throw new IOException("answer '" + answer + "'");
        }
      }
    }
  }

  /**
   * {@code ADDRESS PATH SOURCE…}: connects from each source, and at a line of input fetches the
   * path over each connection. Prints a line for each: the hash of what came, or what went wrong.
   */
  static final class Fetch {

    private static final int PATIENCE_MILLIS = 60_000;

    private Fetch() {}

    public static void main(String[] args) throws IOException {
      List<Socket> sockets = new ArrayList<>();
      for (int i = 2; i < args.length; i++) {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.getByName(args[i]), 0));
        socket.connect(new InetSocketAddress(args[0], 80), PATIENCE_MILLIS);
        socket.setSoTimeout(PATIENCE_MILLIS);
        sockets.add(socket);
      }
      System.out.println("connected");
      commands().readLine();
      for (Socket socket : sockets) {
        String get = "GET " + args[1] + " HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(get.getBytes(US_ASCII));
      }
      sockets.parallelStream().map(Fetch::hash).forEachOrdered(System.out::println);
    }

    private static String hash(Socket socket) {
      try (socket) {
        InputStream in = socket.getInputStream();
        byte[] end = "\r\n\r\n".getBytes(US_ASCII);
        for (int matched = 0; matched < end.length; ) {
          int next = in.read();
          if (next < 0) {
            return "no answer";
          }
          matched = next == end[matched] ? matched + 1 : 0;
        }
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        return HexFormat.of().formatHex(digest.digest(in.readAllBytes()));
      } catch (IOException | NoSuchAlgorithmException e) {
        return e.toString();
      }
    }
  }
}
