package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caplance.dist.LabConfigs.OuterIp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Big transfers between every family of clients and every family of the network behind the load
 * balancer, whose links hold little more than a packet of the client's, or much more.
 */
class TransferIT {

  private static final int BYTES = 20_000_000;
  private static final String[] NAMES = {"b1", "b2", "b3"};

  private final Lab lab = Lab.up();

  @AfterEach
  void restore() {
    lab.dataPathMtu(1500);
    setReversePathFilter(0);
  }

  @ParameterizedTest
  @CsvSource({"IPV4, 1500", "IPV6, 1500", "IPV4, 9000", "IPV6, 9000"})
  void twentyMegabytesArriveWholeAndNothingIsFragmented(OuterIp outerIp, int mtu) throws Exception {
    lab.dataPathMtu(mtu);
    byte[] content = new byte[BYTES];
    new SplittableRandom(mtu).nextBytes(content);
    serve(content);
    try (Cluster cluster = new Cluster(LabConfigs.all(outerIp), NAMES)) {
      long fragments = fragmentsCreated();
      for (String vip : new String[] {Lab.VIP, "[" + Lab.VIP6 + "]"}) {
        assertThat(download(vip)).as("download from %s", vip).isEqualTo(sha256(content));
        upload(vip);
        assertThat(takeUploads()).as("upload to %s", vip).containsExactly(sha256(content));
      }
      assertThat(
              cluster.balancer().status().getAsJsonObject("packets").get("forwarded").getAsLong())
          .isGreaterThan(2L * BYTES / mtu);
      assertThat(fragmentsCreated() - fragments).as("outer fragments").isZero();
      assertLargeDatagramIsCounted();
    }
  }

  /** Which fits no packet of any network here: the zero before means something. */
  private void assertLargeDatagramIsCounted() {
    long before = fragmentsCreated();
    lab.exec("client", Lab.java(LabPrograms.Flood.class, Lab.VIP, "9", "1", "30000")).succeeded();
    await("outer fragments").until(() -> fragmentsCreated() > before);
  }

  /** Strict, and switched to loose and off while the daemons run. */
  @Test
  void arrivesUnderEveryReversePathFilter() throws Exception {
    byte[] content = new byte[BYTES];
    new SplittableRandom(1).nextBytes(content);
    serve(content);
    setReversePathFilter(1);
    try (Cluster cluster = new Cluster(NAMES)) {
      for (int filter : new int[] {1, 2, 0, 1}) {
        setReversePathFilter(filter);
        upload(Lab.VIP);
        assertThat(takeUploads()).as("rp_filter %d", filter).containsExactly(sha256(content));
      }
      assertThat(cluster.forwarding()).isEqualTo(NAMES.length);
    }
  }

  private void setReversePathFilter(int value) {
    for (String name : NAMES) {
      lab.exec(name, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=" + value).succeeded();
    }
  }

  private static Path file(String host, String name) {
    return Lab.directory(host, "nginx").resolve("files").resolve(name);
  }

  private static void serve(byte[] content) throws IOException {
    for (String name : NAMES) {
      Path file = file(name, "blob");
      Files.write(file, content);
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }
  }

  private String download(String vip) {
    return onClient(
        "curl -sS -g --noproxy '*' --fail --max-time 100 " + blob(vip) + " | sha256sum");
  }

  /** What every backend serves, sent back by the client that got it from one of them. */
  private void upload(String vip) {
    onClient(
        "f=$(mktemp) && curl -sS -g --noproxy '*' --fail --max-time 100 -o $f "
            + blob(vip)
            + " && curl -sS -g --noproxy '*' --fail --max-time 100 -T $f http://"
            + vip
            + "/files/upload; code=$?; rm -f $f; exit $code");
  }

  private static String blob(String vip) {
    return "http://" + vip + "/files/blob";
  }

  private String onClient(String script) {
    String[] bash = {"bash", "-o", "pipefail", "-c", script};
    return lab.exec("client", bash).succeeded().out().replaceAll("[ -]*\n$", "");
  }

  private static List<String> takeUploads() throws IOException, NoSuchAlgorithmException {
    List<String> hashes = new ArrayList<>();
    for (String name : NAMES) {
      Path file = file(name, "upload");
      if (Files.exists(file)) {
        hashes.add(sha256(Files.readAllBytes(file)));
        Files.delete(file);
      }
    }
    return hashes;
  }

  private static String sha256(byte[] content) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }

  private long fragmentsCreated() {
    return lab.counters("lb1", "IpFragCreates", "Ip6FragCreates");
  }
}
