package dev.caplance.backend;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Over a directory that looks like /proc/sys/net/ipv4/conf. */
class ArpWatchTest {

  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  @TempDir private Path conf;
  private ArpWatch watch;

  @BeforeEach
  void begin() throws IOException {
    logged.start();
    log().addAppender(logged);
    log().setLevel(Level.INFO);
    for (String name : List.of("all", "default", "lo", "eth0", "eth1")) {
      write(name, "arp_ignore", 0);
      write(name, "arp_announce", 0);
    }
    watch = new ArpWatch(conf);
  }

  @AfterEach
  void end() {
    log().detachAppender(logged);
    log().setLevel(null);
  }

  private static Logger log() {
    return (Logger) LoggerFactory.getLogger(ArpWatch.class);
  }

  private void write(String name, String key, int value) throws IOException {
    Files.writeString(Files.createDirectories(conf.resolve(name)).resolve(key), value + "\n");
  }

  private List<String> check() throws IOException {
    watch.check();
    List<String> lines = logged.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    logged.list.clear();
    return lines;
  }

  @Test
  void saysWhenAnInterfaceIsNoLongerRestrainedAndWhenItIsAgain() throws IOException {
    assertThat(check()).as("preflight says what was so from the start").isEmpty();
    write("all", "arp_ignore", 1);
    write("eth1", "arp_announce", 2);
    assertThat(check())
        .containsExactlyInAnyOrder(
            "arp_ignore of eth0 is 1 again",
            "arp_ignore of eth1 is 1 again",
            "arp_announce of eth1 is 2 again");
    write("eth0", "arp_ignore", 2);
    write("all", "arp_ignore", 0);
    assertThat(check())
        .containsExactly(
            "arp_ignore of eth1 is now 0, so this machine may take the VIPs over from the load"
                + " balancer: set net.ipv4.conf.all.arp_ignore=1, or setSysctls: true");
    assertThat(check()).isEmpty();
    write("eth1", "arp_announce", 1);
    assertThat(check()).singleElement().asString().startsWith("arp_announce of eth1 is now 1");
  }
}
