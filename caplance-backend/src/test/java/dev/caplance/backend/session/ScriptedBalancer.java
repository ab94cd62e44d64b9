package dev.caplance.backend.session;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A load balancer on the loopback interface that says and expects what a test tells it. */
final class ScriptedBalancer implements AutoCloseable {

  private static final int PATIENCE_MILLIS = 60_000;

  private final InetAddress address;
  private final int port;
  private ServerSocket server;
  private Socket session;
  private BufferedReader reader;

  ScriptedBalancer(String address) throws IOException {
    this.address = InetAddress.getByName(address);
    listen(0);
    port = server.getLocalPort();
  }

  LoadBalancerAddress asPeer(boolean legacy) {
    return new LoadBalancerAddress(address, port, legacy);
  }

  InetAddress address() {
    return address;
  }

  /** Ends the session and refuses connections. */
  void stop() throws IOException {
    hangUp();
    server.close();
  }

  /** Takes connections again, on the same port. */
  void startAgain() throws IOException {
    listen(port);
  }

  private void listen(int onPort) throws IOException {
    server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(address, onPort));
    server.setSoTimeout(PATIENCE_MILLIS);
  }

  /** Waits for the next connection, which becomes the session. */
  void accept() throws IOException {
    session = server.accept();
    session.setSoTimeout(PATIENCE_MILLIS);
    session.setTcpNoDelay(true);
    reader = new BufferedReader(new InputStreamReader(session.getInputStream(), ISO_8859_1));
  }

  /** Waits for these lines, and no other ones before them. */
  void expect(String... lines) throws IOException {
    for (String line : lines) {
      assertThat(reader.readLine()).isEqualTo(line);
    }
  }

  /** Waits for the backend to end the session. */
  void expectEnd() throws IOException {
    assertThat(reader.readLine()).isNull();
    hangUp();
  }

  void say(String... lines) throws IOException {
    for (String line : lines) {
      sayBytes(line + "\n");
    }
  }

  void sayBytes(String bytes) throws IOException {
    session.getOutputStream().write(bytes.getBytes(ISO_8859_1));
  }

  void hangUp() throws IOException {
    if (session != null) {
      session.close();
    }
  }

  @Override
  public void close() throws IOException {
    stop();
  }
}
