package dev.caplance.backend.health;

import dev.caplance.packet.IpAddresses;
import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * Sends a GET request and looks at the final answer's status, and if asked to at its body; interim
 * answers (1xx) are passed over (RFC 9110, 15.2). One timeout holds for all of it.
 */
final class HttpChecker implements Checker {

  /** How the client begins its complaint about a status line. */
  private static final String NOT_HTTP = "Invalid status line: \"";

  private final CheckTarget.Http target;
  private final Duration timeout;
  private HttpClient client;

  HttpChecker(CheckTarget.Http target, Duration timeout) {
    this.target = target;
    this.timeout = timeout;
  }

  @Override
  public Optional<String> attempt() throws InterruptedException {
    return problem().map(problem -> target.type() + " " + target.name() + problem);
  }

  private Optional<String> problem() throws InterruptedException {
    try {
      if (client == null) {
        client = HttpClients.of(target);
      }
      return judge(send());
    } catch (TimeoutException e) {
      return Optional.of(": " + Checker.late(timeout));
    } catch (ExecutionException e) {
      return Optional.of(describe(e.getCause()));
    } catch (IOException e) {
      return Optional.of(": " + e.getMessage());
    }
  }

  private HttpResponse<byte[]> send()
      throws InterruptedException, ExecutionException, TimeoutException {
    int bodyBytes = target.answer().isPresent() ? CheckTarget.Http.MAX_BODY : 0;
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request(), head -> new BodyStart(bodyBytes));
    try {
      return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } finally {
      // Closes the connection if it is not done, such as when this thread is interrupted.
      answer.cancel(true);
    }
  }

  private HttpRequest request() {
    String scheme = target.tls().isPresent() ? "https://" : "http://";
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create(scheme + IpAddresses.format(target.address()) + target.path()))
            .header("User-Agent", "caplance")
            .header("Accept", "*/*")
            .header("Connection", "close");
    target.host().ifPresent(host -> request.header("Host", host));
    return request.build();
  }

  private Optional<String> judge(HttpResponse<byte[]> answer) {
    if (!target.expected().contains(answer.statusCode())) {
      return Optional.of(" answered " + answer.statusCode() + ", expected " + target.expected());
    }
    return target
        .answer()
        .filter(match -> !match.test(answer.body()))
        .map(match -> " answered " + answer.statusCode() + " with " + match.missing() + " in it");
  }

  private String describe(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    String text = root.getMessage() == null ? failure.toString() : root.getMessage();
    if (text.startsWith(NOT_HTTP)) {
      String line = text.substring(NOT_HTTP.length(), text.length() - 1);
      return " answered " + quote(line) + ", which is not HTTP/1.1";
    }
    if (root instanceof EOFException) {
      return ": the connection was closed without an answer";
    }
    return ": "
        + (failure instanceof SSLException ? describeTls(root, text) : Checker.lowerFirst(text));
  }

  private String describeTls(Throwable root, String text) {
    if (root instanceof CertPathBuilderException) {
      return "its certificate is not trusted; set ca to a file with the one that signed it, or"
          + " verify: false";
    }
    if (root instanceof CertificateExpiredException
        || root instanceof CertificateNotYetValidException) {
      return "its certificate is not valid now, " + text;
    }
    // Of what is checked afterwards, the name is all that fails with the general exception.
    if (root.getClass() == CertificateException.class) {
      return "its certificate is not for " + target.host().orElse("the VIP");
    }
    return "TLS failed: " + Checker.lowerFirst(text);
  }

  private static String quote(String line) {
    int quoted = 40;
    return "'" + (line.length() <= quoted ? line : line.substring(0, quoted) + "...") + "'";
  }
}
