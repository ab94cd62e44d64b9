package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTPS checks against servers whose certificates are right and wrong. */
class HttpsCheckTest {

  private static final String PASSWORD = "secret";

  @TempDir private static Path directory;
  private static int stores;

  private ServerSocket server;

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private static void keytool(Path store, String... arguments) throws Exception {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    line.addAll(List.of(arguments));
    line.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
    assertThat(process.waitFor()).as(output).isZero();
  }

  /**
   * Serves HTTPS with a certificate signed by an authority of its own; gives the file with that.
   *
   * @param options of {@code keytool -gencert}
   */
  private Path serve(String... options) throws Exception {
    Path file = directory.resolve("file-" + ++stores);
    Path authority = Path.of(file + ".authority");
    Path store = Path.of(file + ".server");
    Path certificate = Path.of(file + ".pem");
    keytool(
        authority, "-genkeypair", "-keyalg", "EC", "-dname", "CN=authority", "-ext", "bc=ca:true");
    keytool(authority, "-exportcert", "-rfc", "-file", certificate.toString());
    keytool(store, "-genkeypair", "-keyalg", "EC", "-dname", "CN=server");
    keytool(store, "-certreq", "-file", file + ".request");
    List<String> line = new ArrayList<>(List.of("-gencert", "-rfc"));
    line.addAll(List.of("-infile", file + ".request", "-outfile", file + ".signed"));
    line.addAll(List.of(options));
    keytool(authority, line.toArray(String[]::new));
    Path chain = Path.of(file + ".chain");
    Files.writeString(
        chain, Files.readString(Path.of(file + ".signed")) + Files.readString(certificate));
    keytool(store, "-importcert", "-noprompt", "-file", chain.toString());
    listen(socket(store));
    return certificate;
  }

  private static ServerSocket socket(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context
        .getServerSocketFactory()
        .createServerSocket(0, 5, IpAddresses.parse("127.0.0.1"));
  }

  private void listen(ServerSocket socket) {
    server = socket;
    Thread thread = new Thread(this::answerAll);
    thread.setDaemon(true);
    thread.start();
  }

  private void answerAll() {
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        if (socket.getInputStream().read(new byte[4096]) > 0) {
          socket
              .getOutputStream()
              .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(US_ASCII));
        }
      } catch (IOException e) {
        // The client has refused the certificate.
      }
    }
  }

  private String attempt(String host, CheckTarget.Tls tls) throws InterruptedException {
    InetSocketAddress address =
        new InetSocketAddress(IpAddresses.parse("127.0.0.1"), server.getLocalPort());
    CheckTarget target =
        new CheckTarget.Http(
            address,
            "/",
            StatusCodes.of(200),
            Optional.ofNullable(host),
            Optional.of(new AnswerMatch(AnswerMatch.Kind.CONTAINS, "ok")),
            Optional.of(tls));
    return Checker.of(target, Duration.ofSeconds(60))
        .attempt()
        .map(problem -> problem.replace("https " + IpAddresses.format(address) + "/", ""))
        .orElse("healthy");
  }

  private static CheckTarget.Tls trusting(Path ca) {
    return new CheckTarget.Tls(true, Optional.of(ca));
  }

  @Test
  void theCertificateMustBeTrustedAndForTheHost() throws Exception {
    Path ca = serve("-ext", "san=dns:www.example.com,ip:127.0.0.1");

    assertThat(attempt("www.example.com", trusting(ca))).isEqualTo("healthy");
    assertThat(attempt("www.example.com:8443", trusting(ca))).isEqualTo("healthy");
    assertThat(attempt("www.example.com", new CheckTarget.Tls(true, Optional.empty())))
        .isEqualTo(
            ": its certificate is not trusted; set ca to a file with the one that signed it, or"
                + " verify: false");
  }

  @Test
  void theCertificateMustBeForTheHost() throws Exception {
    Path ca = serve("-ext", "san=dns:www.example.com");

    assertThat(attempt("www.example.com", trusting(ca))).isEqualTo("healthy");
    assertThat(attempt("other.example.com", trusting(ca)))
        .isEqualTo(": its certificate is not for other.example.com");
  }

  @Test
  void theCertificateMustBeInDate() throws Exception {
    Path ca = serve("-ext", "san=dns:www.example.com", "-startdate", "-10d", "-validity", "5");
    assertThat(attempt("www.example.com", trusting(ca)))
        .startsWith(": its certificate is not valid now, NotAfter: ");
  }

  @Test
  void anyCertificateWillDoIfItIsNotVerified() throws Exception {
    serve("-startdate", "-10d", "-validity", "5");
    CheckTarget.Tls any = new CheckTarget.Tls(false, Optional.empty());
    assertThat(attempt(null, any)).isEqualTo("healthy");
    assertThat(attempt("www.example.com", any)).isEqualTo("healthy");
  }

  @Test
  void saysThatAFileHoldsNoCertificate() throws Exception {
    serve();
    Path empty = Files.createFile(directory.resolve("empty"));
    assertThat(attempt("a", trusting(empty))).isEqualTo(": " + empty + " holds no certificate");
    Path missing = directory.resolve("missing");
    assertThat(attempt("a", trusting(missing))).isEqualTo(": " + missing + " cannot be read");
  }

  @Test
  void saysThatTheServerDoesNotSpeakTls() throws Exception {
    listen(new ServerSocket(0, 5, IpAddresses.parse("127.0.0.1")));
    assertThat(attempt("a", new CheckTarget.Tls(false, Optional.empty())))
        .startsWith(": TLS failed: ")
        .contains("plaintext");
  }
}
