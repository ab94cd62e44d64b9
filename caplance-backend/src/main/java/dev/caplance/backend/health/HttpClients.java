package dev.caplance.backend.health;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * The clients of the HTTP checks: one for all checks without TLS, one for each HTTPS check, whose
 * name and trust are its own. None of their classes is loaded before the first check is made. They
 * speak HTTP/1.1, follow no redirection, use no proxy, and make each request once, on a new
 * connection. An answer's head is limited by the client itself (393,216 bytes, 8 interim answers).
 */
final class HttpClients {

  static {
    // Read once, when the client's classes are loaded (module java.net.http). Nothing else here
    // uses that client.
    System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host,connection");
    System.setProperty("jdk.httpclient.keepalive.timeout", "0");
    System.setProperty("jdk.httpclient.redirects.retrylimit", "1");
    System.setProperty("jdk.httpclient.disableRetryConnect", "true");
  }

  private static final ExecutorService THREADS =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "check-http");
            thread.setDaemon(true);
            return thread;
          });

  private static final HttpClient PLAIN = builder().build();

  private HttpClients() {}

  private static HttpClient.Builder builder() {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NEVER)
        .proxy(HttpClient.Builder.NO_PROXY)
        .executor(THREADS);
  }

  /**
   * The client for a target.
   *
   * @throws IOException if its certificates cannot be read; in words for the operator
   */
  static HttpClient of(CheckTarget.Http target) throws IOException {
    return target.tls().isPresent() ? ofTls(target.tls().get(), target.host()) : PLAIN;
  }

  private static HttpClient ofTls(CheckTarget.Tls tls, Optional<String> host) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust(tls), null);
      SSLParameters parameters = new SSLParameters();
      // The server's certificate is then checked for this name: the request's own is the VIP.
      host.map(name -> new SNIHostName(name.split(":", 2)[0]))
          .ifPresent(name -> parameters.setServerNames(List.of(name)));
      return builder().sslContext(context).sslParameters(parameters).build();
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException("TLS cannot be used: " + e.getMessage(), e);
    }
  }

  /** Null for the certificates that Java trusts. */
  private static TrustManager[] trust(CheckTarget.Tls tls)
      throws IOException, GeneralSecurityException {
    if (!tls.verify()) {
      return new TrustManager[] {new TrustAll()};
    }
    if (tls.ca().isEmpty()) {
      return null;
    }
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    for (Certificate one : read(tls.ca().get())) {
      trusted.setCertificateEntry("ca-" + trusted.size(), one);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    return factory.getTrustManagers();
  }

  private static Collection<? extends Certificate> read(Path pem) throws IOException {
    try (InputStream file = Files.newInputStream(pem)) {
      Collection<? extends Certificate> all =
          CertificateFactory.getInstance("X.509").generateCertificates(file);
      if (!all.isEmpty()) {
        return all;
      }
    } catch (CertificateException e) {
      throw new IOException(pem + " cannot be read: " + e.getMessage(), e);
    } catch (FileSystemException e) {
      throw new IOException(pem + " cannot be read", e);
    }
    throw new IOException(pem + " holds no certificate");
  }

  /** Also keeps the client from comparing names. */
  private static final class TrustAll extends X509ExtendedTrustManager {

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
