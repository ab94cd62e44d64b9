package dev.caplance.host;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MssClampIT {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress VIP6 = IpAddresses.parse("fd00::50");
  private static final String RULE =
      "-A CAPLANCE-MSS -s 10.0.0.50/32 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss"
          + " 1432";
  private static final String RULE6 =
      "-A CAPLANCE-MSS -s fd00::50/128 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss"
          + " 1412";
  private static final Pattern MSS = Pattern.compile("\\bmss:(\\d+)");
  private static final String JUMP = "-A POSTROUTING -j CAPLANCE-MSS";

  private TestNamespace here;
  private final List<TestNamespace> others = new ArrayList<>();

  @BeforeEach
  void makeNamespace() throws IOException {
    here = TestNamespace.create();
  }

  @AfterEach
  void removeNamespaces() throws IOException {
    here.close();
    for (TestNamespace other : others) {
      other.close();
    }
  }

  /** A clamp as a new run of the daemon makes it. */
  private MssClamp clamp(int mtu, InetAddress... vips) throws IOException {
    MssClamp clamp = new MssClamp(here.commands());
    clamp.apply(List.of(vips), mtu, true);
    return clamp;
  }

  /** What the mangle tables hold, without the built-in chains and comments. */
  private List<String> saved() throws IOException {
    return (here.run("iptables-save", "-t", "mangle") + here.run("ip6tables-save", "-t", "mangle"))
        .lines()
        .filter(line -> line.startsWith("-A ") || line.startsWith(":CAPLANCE"))
        .toList();
  }

  @Test
  void installsAndRemoves() throws IOException {
    MssClamp clamp = clamp(1500, VIP, VIP6);
    assertThat(saved())
        .containsExactly(":CAPLANCE-MSS - [0:0]", JUMP, RULE, ":CAPLANCE-MSS - [0:0]", JUMP, RULE6);
    assertThat(clamp.check()).isEmpty();
    clamp.remove();
    assertThat(saved()).isEmpty();
    clamp.remove();
  }

  @Test
  void replacesWhatACrashedRunLeft() throws IOException {
    clamp(9000, VIP, VIP6);
    clamp(1500, VIP);
    assertThat(saved()).containsExactly(":CAPLANCE-MSS - [0:0]", JUMP, RULE);
    clamp(1500);
    assertThat(saved()).isEmpty();
  }

  @Test
  void laterCallsReplaceTheRules() throws IOException {
    MssClamp clamp = clamp(9000, VIP, VIP6);
    clamp.apply(List.of(VIP), 1500, true);
    assertThat(saved()).containsExactly(":CAPLANCE-MSS - [0:0]", JUMP, RULE);
    assertThat(clamp.check()).isEmpty();
    clamp.apply(List.of(), 1500, true);
    assertThat(saved()).isEmpty();
  }

  @Test
  void putsBackWhatAFirewallRemoved() throws IOException {
    MssClamp clamp = clamp(1500, VIP);
    here.run("iptables-nft", "-t", "mangle", "-F");
    here.run("iptables-nft", "-t", "mangle", "-X");
    assertThat(clamp.check()).containsExactly("the IPv4 MSS rules had been removed; put back");
    assertThat(clamp.check()).isEmpty();
    assertThat(saved()).containsExactly(":CAPLANCE-MSS - [0:0]", JUMP, RULE);
  }

  @Test
  void leavesTheRulesOfOthersAlone() throws IOException {
    String other = "-A POSTROUTING -s 10.9.0.0/16 -j ACCEPT";
    here.run(
        "iptables-nft", "-t", "mangle", "-A", "POSTROUTING", "-s", "10.9.0.0/16", "-j", "ACCEPT");
    MssClamp clamp = clamp(1500, VIP);
    assertThat(saved()).containsExactly(":CAPLANCE-MSS - [0:0]", JUMP, other, RULE);
    clamp.remove();
    assertThat(saved()).containsExactly(other);
  }

  @Test
  void clientsSendSmallerSegmentsToTheVipsOnly() throws Exception {
    TestNamespace client = TestNamespace.create();
    others.add(client);
    here.connect("eth0", "10.0.0.11/24", client, "10.0.0.10/24");
    here.connect("eth1", "fd00::11/64", client, "fd00::10/64");
    here.run("ip", "address", "add", "10.0.0.50/32", "dev", "lo");
    here.run("ip", "address", "add", "fd00::50/128", "dev", "lo", "nodad");
    client.run("ip", "route", "add", "fd00::50/128", "via", "fd00::11");
    // Their option would be counted as data.
    client.run("sysctl", "-qw", "net.ipv4.tcp_timestamps=0");
    Process server = start(here);
    try {
      assertThat(mssTo(client, "10.0.0.50")).isEqualTo(1460);
      clamp(1500, VIP, VIP6);
      assertThat(mssTo(client, "10.0.0.50")).isEqualTo(1432);
      assertThat(mssTo(client, "fd00::50")).isEqualTo(1412);
      assertThat(mssTo(client, "10.0.0.11")).isEqualTo(1460);

      // Jumbo frames to the load balancers leave room enough.
      clamp(9000, VIP, VIP6);
      assertThat(mssTo(client, "10.0.0.50")).isEqualTo(1460);
      assertThat(mssTo(client, "fd00::50")).isEqualTo(1440);
    } finally {
      server.destroyForcibly().waitFor();
    }
  }

  /** Listens on its port, or connects to an address; then waits until it is killed. */
  static final class Program {

    private static final int PORT = 8080;

    public static void main(String[] arguments) throws IOException {
      try (Closeable socket =
          arguments.length == 0
              ? new ServerSocket(PORT)
              : new Socket(IpAddresses.parse(arguments[0]), PORT)) {
        System.out.println("ready " + socket);
        while (System.in.read() >= 0) {}
      }
    }
  }

  private static Process start(TestNamespace namespace, String... arguments) throws IOException {
    List<String> line = new ArrayList<>(namespace.prefix());
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
    line.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    assertThat(new String(process.getInputStream().readNBytes(5), US_ASCII)).isEqualTo("ready");
    return process;
  }

  /** Connects to an address, and asks the client's kernel for the size of its segments. */
  private static int mssTo(TestNamespace client, String address)
      throws IOException, InterruptedException {
    Process connection = start(client, address);
    try {
      Matcher mss = MSS.matcher(client.run("ss", "-H", "-t", "-i", "-n"));
      assertThat(mss.find()).isTrue();
      return Integer.parseInt(mss.group(1));
    } finally {
      connection.destroyForcibly().waitFor();
    }
  }
}
