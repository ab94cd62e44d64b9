package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is sent to the daemons, they and the backends that are there go on. */
class BadInputIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** A UDP packet to the VIP, made with Scapy: source 198.51.100.7, ports 40000 and 9. */
  private static final String PACKET =
      "45000021123400004011342cc63364070a4d00329c400009000deafe68656c6c6f";

  private static Cluster cluster;

  @BeforeAll
  static void start() {
    cluster = new Cluster("b1");
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static void assertAllIsWell() {
    assertThat(cluster.balancer().isAlive()).isTrue();
    assertThat(cluster.backend("b1").isAlive()).isTrue();
    assertThat(cluster.forwarding()).isEqualTo(1);
    assertThat(cluster.request(20)).isEqualTo(Map.of("b1", 20));
  }

  /** What the load balancer answers until it closes the session. */
  private static String say(String printf) {
    String dialogue =
        "exec 3<>/dev/tcp/10.77.0.2/1338; printf '" + printf + "' >&3; timeout 20 cat <&3";
    return cluster.lab().exec("client", "bash", "-c", dialogue).out();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HELLO\\n",
        "\\n",
        "REGISTER\\n",
        "REGISTER x\\n",
        "REGISTER x ::1\\n",
        "REGISTER x 127.0.0.1\\n",
        "REGISTER x 0.0.0.0\\n",
        "REGISTER x 224.0.0.1\\n",
        "REGISTER x 255.255.255.255\\n",
        "REGISTER x 10.77.0.50\\n",
        "REGISTER x 10.77.0.2\\n",
        "REGISTER x b1\\n",
        "REGISTER x 10.77.0.300\\n",
        "REGISTER b1 10.77.0.12 version=2\\n",
        "REGISTER b/1 10.77.0.12 version=2\\n",
        "REGISTER x 10.77.0.10 version=2 health=never\\n",
        "PAUSE b1\\n",
        "DEREGISTER b1\\n",
        "\\000\\001\\377\\n",
        "%0600d\\n"
      })
  void aBadLineIsAnsweredAndTheSessionClosed(String line) {
    assertThat(say(line)).startsWith("INVALID ").endsWith("\n").hasLineCount(1);
    assertAllIsWell();
  }

  @Test
  void thousandsOfSilentSessionsKeepNoBackendOut() throws IOException {
    String[] halfOpen = Lab.java(LabPrograms.HalfOpen.class, "10.77.0.2", "1338", "3000");
    Process strangers = new ProcessBuilder(Lab.on("client", halfOpen)).start();
    try {
      assertThat(strangers.inputReader().readLine()).isEqualTo("open");
      cluster.startBackend("b2");
      cluster.awaitForwarding(2);
      assertThat(cluster.backend("b2").stop()).isZero();
    } finally {
      strangers.destroy();
    }
    assertAllIsWell();
  }

  private static void sendEncapsulated(String from, String... packets) {
    String[] arguments = new String[packets.length + 2];
    arguments[0] = "10.77.0.11";
    arguments[1] = "1337";
    System.arraycopy(packets, 0, arguments, 2, packets.length);
    cluster.lab().exec(from, Lab.java(LabPrograms.Send.class, arguments)).succeeded();
  }

  @Test
  void encapsulatedPacketsFromStrangersAreNotDelivered() {
    long before = cluster.refused("b1", "not from a load balancer");
    sendEncapsulated("client", PACKET, "", "00", "5341");
    await("refusals")
        .atMost(PATIENCE)
        .until(() -> cluster.refused("b1", "not from a load balancer") == before + 4);
    assertAllIsWell();
  }

  /** Byte by byte what a broken load balancer, or somebody with its address, might send. */
  @ParameterizedTest
  @CsvSource({
    "'', malformed",
    "45, malformed",
    "e5000021123400004011342cc63364070a4d00329c400009000deafe68656c6c6f, malformed",
    "45000021123400004011342cc63364070a4d0032, wrong length",
    "45000020123400004011342cc63364070a4d00329c400009000deafe68656c6c6f, wrong length",
    "45000021123400004011342dc63364070a4d00329c400009000deafe68656c6c6f, wrong checksum",
    // from 127.0.0.1, from the VIP, from the backend itself, to another address
    "4500002112340000401195e77f0000010a4d00329c4000090000000068656c6c6f, martian source",
    "450000211234000040110a9b0a4d00320a4d00329c4000090000000068656c6c6f, own address as source",
    "450000211234000040110ac20a4d000b0a4d00329c4000090000000068656c6c6f, own address as source",
    "45000021123400004011342bc63364070a4d00339c4000090000000068656c6c6f, not for a VIP"
  })
  void wrongPacketsAreNotDelivered(String packet, String reason) {
    long before = cluster.refused("b1", reason);
    sendEncapsulated("lb1", packet);
    await(reason).atMost(PATIENCE).until(() -> cluster.refused("b1", reason) == before + 1);
    assertAllIsWell();
  }

  /** The kernel would forward them; a load balancer must not. */
  @ParameterizedTest
  @CsvSource({
    "7f000001, martian source",
    "e0000001, martian source",
    "f0000001, martian source",
    "0a4d0032, own address as source",
    "0a4d0002, own address as source"
  })
  void packetsFromImpossibleSourcesAreDropped(String source, String reason) {
    long before = cluster.dropped(reason);
    String packet = PACKET.substring(0, 24) + source + PACKET.substring(32);
    cluster.lab().exec("client", Lab.java(LabPrograms.SendRaw.class, Lab.VIP, packet)).succeeded();
    await(reason).atMost(PATIENCE).until(() -> cluster.dropped(reason) == before + 1);
    assertAllIsWell();
  }

  /** It is larger than what a datagram can carry; a hundred of them must not fill the queue. */
  @Test
  void theLargestDatagramsStopNothing() {
    long before = cluster.dropped("too large");
    String[] flood = Lab.java(LabPrograms.Flood.class, Lab.VIP, "9", "200", "65507");
    cluster.lab().exec("client", flood).succeeded();
    await("drops").atMost(PATIENCE).until(() -> cluster.dropped("too large") >= before + 100);
    assertAllIsWell();
  }
}
