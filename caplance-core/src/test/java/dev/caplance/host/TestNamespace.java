package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Function;
import dev.caplance.packet.IpPrefix;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** A network namespace of a test's own, removed with everything in it at the end. */
public final class TestNamespace implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final CommandRunner ROOT = new CommandRunner();

  private final String name;
  private final Thread removal = new Thread(this::removeQuietly);

  private TestNamespace(String name) {
    this.name = name;
    Runtime.getRuntime().addShutdownHook(removal);
  }

  /** A namespace with only {@code lo}, up. */
  public static TestNamespace create() throws IOException {
    assertThat(new CommandRunner().run("id", "-u").strip())
        .as("these tests need root, for network namespaces; run them with: sudo scripts/test.sh")
        .isEqualTo("0");
    int random = ThreadLocalRandom.current().nextInt();
    TestNamespace namespace = new TestNamespace("caplance-t-" + HexFormat.of().toHexDigits(random));
    ROOT.run("ip", "netns", "add", namespace.name);
    namespace.run("ip", "link", "set", "lo", "up");
    return namespace;
  }

  /** Adds one end of a cable here and the other there, both up and with an address. */
  public void connect(String device, String address, TestNamespace other, String otherAddress)
      throws IOException {
    run("ip", "link", "add", device, "type", "veth", "peer", "name", device, "netns", other.name);
    addAddress(address, device);
    other.addAddress(otherAddress, device);
  }

  private void addAddress(String cidr, String device) throws IOException {
    run("ip", "link", "set", device, "up");
    List<String> command = new ArrayList<>(List.of("ip", "address", "add", cidr, "dev", device));
    if (cidr.indexOf(':') >= 0) {
      command.add("nodad");
    }
    run(command.toArray(String[]::new));
  }

  /**
   * Brings this thread here, with the sockets that it opens from now on, until the returned object
   * is closed.
   */
  public Visit enter() throws IOException {
    int before = open("/proc/thread-self/ns/net");
    int there = open("/run/netns/" + name);
    try {
      setns(there);
    } finally {
      call("close", there);
    }
    return () -> {
      setns(before);
      call("close", before);
    };
  }

  /** A thread's stay in another namespace. */
  public interface Visit extends AutoCloseable {
    @Override
    void close();
  }

  private static int open(String path) throws IOException {
    int fd = call("open", path, 0);
    if (fd < 0) {
      throw new IOException("cannot open " + path);
    }
    return fd;
  }

  private static void setns(int namespace) {
    assertThat(call("setns", namespace, 0)).as("result of setns(2)").isZero();
  }

  private static int call(String name, Object... arguments) {
    return Function.getFunction("c", name).invokeInt(arguments);
  }

  /** Runs programs in this namespace as root. */
  CommandRunner commands() {
    return commands(List.of());
  }

  /** Runs programs in this namespace, with a prefix that comes after the one that leads there. */
  CommandRunner commands(List<String> prefix) {
    List<String> all = new ArrayList<>(prefix());
    all.addAll(prefix);
    return new CommandRunner(all, PATIENCE);
  }

  /** What leads a command line here. */
  List<String> prefix() {
    return List.of("ip", "netns", "exec", name);
  }

  public String run(String... command) throws IOException {
    return commands().run(command);
  }

  /** The addresses of a device, as {@code 10.0.0.2/24}, without link-local ones. */
  List<String> addresses(String device) throws IOException {
    return Interfaces.list(commands()).named(device).stream()
        .flatMap(found -> found.addresses().stream())
        .filter(prefix -> !prefix.address().isLinkLocalAddress())
        .map(IpPrefix::toString)
        .toList();
  }

  @Override
  public void close() throws IOException {
    Runtime.getRuntime().removeShutdownHook(removal);
    ROOT.run("ip", "netns", "delete", name);
  }

  private void removeQuietly() {
    try {
      ROOT.run("ip", "netns", "delete", name);
    } catch (IOException e) {
      System.err.println("cannot remove the namespace " + name + ": " + e.getMessage());
    }
  }
}
