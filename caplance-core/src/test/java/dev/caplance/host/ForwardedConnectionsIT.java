package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Connections of a client through a machine with the VIP to a container that it is passed on to.
 */
@SuppressWarnings("try") // A visit ends with its block; a connection may end within.
class ForwardedConnectionsIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration EVER = ChronoUnit.FOREVER.getDuration();
  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress VIP6 = IpAddresses.parse("fd00::50");

  private TestNamespace client;
  private TestNamespace here;
  private TestNamespace container;

  @BeforeEach
  void make() throws IOException {
    client = TestNamespace.create();
    here = TestNamespace.create();
    container = TestNamespace.create();
    here.connect("c0", "10.1.0.1/24", client, "10.1.0.2/24");
    here.connect("d0", "10.2.0.1/24", container, "10.2.0.2/24");
    here.run("ip", "address", "add", "fd01::1/64", "dev", "c0", "nodad");
    client.run("ip", "address", "add", "fd01::2/64", "dev", "c0", "nodad");
    here.run("ip", "address", "add", "fd02::1/64", "dev", "d0", "nodad");
    container.run("ip", "address", "add", "fd02::2/64", "dev", "d0", "nodad");
    for (TestNamespace end : List.of(client, container)) {
      String number = end == client ? "1" : "2";
      end.run("ip", "route", "add", "default", "via", "10." + number + ".0.1");
      end.run("ip", "route", "add", "default", "via", "fd0" + number + "::1");
    }
    here.run("ip", "address", "add", "10.0.0.50/32", "dev", "lo");
    here.run("ip", "address", "add", "fd00::50/128", "dev", "lo", "nodad");
    here.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
  }

  @AfterEach
  void remove() throws IOException {
    client.close();
    here.close();
    container.close();
  }

  private void passOn(String tool, String vip, String to) throws IOException {
    here.run(
        tool,
        "-t",
        "nat",
        "-A",
        "PREROUTING",
        "-p",
        "tcp",
        "-d",
        vip,
        "-j",
        "DNAT",
        "--to-destination",
        to);
  }

  private int count(Duration heardWithin, InetAddress... vips) throws IOException {
    try (TestNamespace.Visit visit = here.enter()) {
      return new ForwardedConnections(List.of(vips)).count(heardWithin);
    }
  }

  private static ServerSocket listen(TestNamespace where) throws IOException {
    try (TestNamespace.Visit visit = where.enter()) {
      return new ServerSocket(0);
    }
  }

  private Socket connect(InetAddress to, ServerSocket server) throws IOException {
    try (TestNamespace.Visit visit = client.enter()) {
      return new Socket(to, server.getLocalPort());
    }
  }

  @Test
  void countsWhatIsPassedOnUntilBothSidesHaveClosed() throws IOException {
    assertThat(count(EVER, VIP, VIP6)).isZero();
    passOn("iptables-nft", "10.0.0.50", "10.2.0.2");
    passOn("ip6tables-nft", "fd00::50", "fd02::2");
    try (ServerSocket inside = listen(container);
        Socket one = connect(VIP, inside);
        Socket two = connect(VIP6, inside);
        Socket three = connect(VIP6, inside)) {
      assertThat(count(EVER, VIP)).isEqualTo(1);
      assertThat(count(EVER, VIP, VIP6)).isEqualTo(3);
      assertThat(count(EVER, IpAddresses.parse("10.0.0.51"))).isZero();
      // Its own sockets are not passed on, though connection tracking knows them.
      try (ServerSocket own = listen(here);
          Socket four = connect(IpAddresses.parse("10.1.0.1"), own)) {
        assertThat(count(EVER, VIP, IpAddresses.parse("10.1.0.1"))).isEqualTo(1);
      }

      inside.accept().close();
      inside.accept().close();
      inside.accept().close();
      one.close();
      two.close();
      three.close();
      await().atMost(PATIENCE).until(() -> count(EVER, VIP, VIP6) == 0);
    }
  }

  /** Such as that of a client whose packets went elsewhere for a time. */
  @Test
  void aConnectionOfWhichNothingIsHeardNeedNotCount() throws IOException {
    passOn("iptables-nft", "10.0.0.50", "10.2.0.2");
    try (ServerSocket inside = listen(container);
        Socket one = connect(VIP, inside)) {
      assertThat(count(Duration.ofMinutes(1), VIP)).isEqualTo(1);
      await().atMost(PATIENCE).until(() -> count(Duration.ofSeconds(1), VIP) == 0);
      one.getOutputStream().write(1);
      assertThat(count(Duration.ofSeconds(1), VIP)).isEqualTo(1);
    }
  }
}
