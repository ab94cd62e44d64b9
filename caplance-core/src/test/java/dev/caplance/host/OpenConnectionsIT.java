package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.packet.IpAddresses;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Counts what a program holds open, in a namespace where there is nothing else. */
class OpenConnectionsIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration EVER = ChronoUnit.FOREVER.getDuration();
  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress VIP6 = IpAddresses.parse("fd00::50");

  /**
   * Listens, and for each line "connect FROM TO" makes a connection between these addresses, for
   * "close" closes the accepted ends, for "finish" the others, and for "say" the clients send.
   */
  static final class Program {

    public static void main(String[] arguments) throws IOException {
      List<Socket> clients = new ArrayList<>();
      List<Socket> servers = new ArrayList<>();
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      try (ServerSocket listener = new ServerSocket(0)) {
        System.out.println("ready");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith("connect ")) {
            List<InetAddress> ends =
                Stream.of(line.split(" ")).skip(1).map(IpAddresses::parse).toList();
            clients.add(new Socket(ends.get(1), listener.getLocalPort(), ends.get(0), 0));
            servers.add(listener.accept());
          } else if (line.equals("say")) {
            for (Socket socket : clients) {
              socket.getOutputStream().write(1);
            }
          } else {
            for (Socket socket : line.equals("close") ? servers : clients) {
              socket.close();
            }
          }
          System.out.println("done");
        }
      }
    }
  }

  private TestNamespace here;
  private Process program;
  private BufferedReader answers;
  private OutputStream commands;

  @BeforeEach
  void start() throws IOException {
    here = TestNamespace.create();
    here.run("ip", "address", "add", "10.0.0.50/32", "dev", "lo");
    here.run("ip", "address", "add", "10.0.0.10/32", "dev", "lo");
    here.run("ip", "address", "add", "fd00::50/128", "dev", "lo", "nodad");
    here.run("ip", "address", "add", "fd00::10/128", "dev", "lo", "nodad");
    List<String> line = new ArrayList<>(here.prefix());
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
    program = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    answers =
        new BufferedReader(
            new InputStreamReader(program.getInputStream(), StandardCharsets.US_ASCII));
    commands = program.getOutputStream();
    assertThat(answers.readLine()).isEqualTo("ready");
  }

  @AfterEach
  void stop() throws IOException, InterruptedException {
    program.destroyForcibly().waitFor();
    here.close();
  }

  private void tell(String command) throws IOException {
    commands.write((command + "\n").getBytes(StandardCharsets.US_ASCII));
    commands.flush();
    assertThat(answers.readLine()).isEqualTo("done");
  }

  private int count(InetAddress... addresses) throws IOException {
    return new OpenConnections(List.of(addresses), here.commands()).count(EVER);
  }

  @Test
  void countsConnectionsUntilBothSidesHaveClosed() throws IOException {
    assertThat(count(VIP, VIP6)).isZero();

    tell("connect 10.0.0.10 10.0.0.10");
    assertThat(count(VIP, VIP6)).isZero();
    tell("connect 10.0.0.10 10.0.0.50");
    assertThat(count(VIP)).isEqualTo(1);
    assertThat(count(VIP6)).isZero();
    tell("connect fd00::10 fd00::50");
    tell("connect fd00::10 fd00::50");
    assertThat(count(VIP6)).isEqualTo(2);
    assertThat(count(VIP, VIP6)).isEqualTo(3);

    tell("close");
    assertThat(count(VIP, VIP6)).isEqualTo(3);
    tell("finish");
    await().atMost(PATIENCE).until(() -> count(VIP, VIP6) == 0);
  }

  @Test
  void checksOfTheApplicationOnThisMachineDoNotCount() throws IOException {
    tell("connect 10.0.0.50 10.0.0.50");
    tell("connect fd00::50 fd00::50");
    assertThat(count(VIP, VIP6)).isZero();
  }

  /** Such as those of clients whose packets went elsewhere for a time. */
  @Test
  void aConnectionOfWhichNothingIsHeardNeedNotCount() throws IOException {
    OpenConnections connections = new OpenConnections(List.of(VIP), here.commands());
    tell("connect 10.0.0.10 10.0.0.50");
    assertThat(connections.count(Duration.ofMinutes(1))).isEqualTo(1);
    await().atMost(PATIENCE).until(() -> connections.count(Duration.ofMillis(500)) == 0);
    assertThat(connections.count(Duration.ofMinutes(1))).isEqualTo(1);
    tell("say");
    assertThat(connections.count(Duration.ofSeconds(30))).isEqualTo(1);
  }
}
