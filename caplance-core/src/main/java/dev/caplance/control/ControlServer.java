package dev.caplance.control;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves control methods on a Unix stream socket, one thread per client. The socket's file decides
 * who may connect: mode 0660, group {@code caplance} if it exists. Clients cannot harm each other
 * or the daemon: their number, the length of their requests, and their idle time are bounded, and
 * calls that need much memory take turns.
 *
 * <p>A failure never ends the accepting thread: it is logged, once for each reason, and the thread
 * goes on.
 *
 * <p>Owns the socket's file from {@link #start} to {@link #close}. Any thread may call.
 */
public final class ControlServer implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

  /** Bounds on what clients can use. */
  record Limits(int clients, int lineBytes, Duration idleTimeout, Duration turnTimeout) {
    static final Limits DEFAULT =
        new Limits(32, 16 * 1024, Duration.ofSeconds(30), Duration.ofSeconds(10));
  }

  private static final String GROUP = "caplance";
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(2);
  private static final Duration ACCEPT_RETRY = Duration.ofSeconds(1);

  private final Path path;
  private final RequestHandler handler;
  private final Limits limits;
  private final String group;
  private final Set<ControlConnection> connections = ConcurrentHashMap.newKeySet();
  private final ThreadPoolExecutor clients;

  private UnixServerSocketChannel channel;
  private SocketFile file;
  private volatile boolean closed;

  /**
   * A server that has not been started.
   *
   * @param path where the socket's file is created, at most 103 bytes long
   * @param methods what can be called, by name
   */
  public ControlServer(Path path, Map<String, ControlMethod> methods) {
    this(path, methods, Limits.DEFAULT, GROUP);
  }

  ControlServer(Path path, Map<String, ControlMethod> methods, Limits limits, String group) {
    this.path = path;
    this.handler = new RequestHandler(methods, limits.turnTimeout());
    this.limits = limits;
    this.group = group;
    this.clients =
        new ThreadPoolExecutor(
            0, limits.clients(), 10, TimeUnit.SECONDS, new SynchronousQueue<>(), threads());
  }

  /**
   * Makes sure that a server will find its place free, and creates the directory. A daemon calls
   * this before it changes anything on the machine; to create the socket itself that early would
   * delay the start, because of the native library.
   *
   * @throws IOException when another daemon serves the path, something other than a socket is
   *     there, or the directory cannot be used; the message is for the operator
   */
  public static void requireFree(Path path) throws IOException {
    SocketFile.requireFree(path);
  }

  private static ThreadFactory threads() {
    AtomicInteger count = new AtomicInteger();
    return work -> daemonThread(work, "control-" + count.incrementAndGet());
  }

  private static Thread daemonThread(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Creates the socket and begins to serve. The first use of the native library takes some 300 ms.
   * After {@link #close} it does nothing.
   *
   * @throws IOException when another daemon serves the path, or the socket cannot be created
   */
  public synchronized void start() throws IOException {
    if (closed) {
      return;
    }
    if (channel != null) {
      throw new IllegalStateException("started already");
    }
    UnixServerSocketChannel opened = UnixServerSocketChannel.open();
    try {
      file = SocketFile.bind(opened, path, group);
    } catch (IOException e) {
      opened.close();
      throw e;
    }
    channel = opened;
    daemonThread(() -> accept(opened), "control").start();
    LOG.info("control: serving {}", path);
  }

  /**
   * Removes the socket's file and ends the connections. Requests in progress have two seconds to
   * finish, then their threads are interrupted.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (channel != null) {
      file.remove();
      try {
        channel.close();
      } catch (IOException e) {
        LOG.debug("control: cannot close {}: {}", path, e.getMessage());
      }
    }
    clients.shutdown();
    connections.forEach(ControlConnection::finish);
    try {
      clients.awaitTermination(LAST_ANSWERS.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    clients.shutdownNow();
  }

  private void accept(UnixServerSocketChannel server) {
    String lastFailure = "";
    while (!closed) {
      try {
        serve(server.accept());
        lastFailure = "";
      } catch (IOException | RuntimeException | Error e) {
        if (!closed) {
          if (!e.toString().equals(lastFailure)) {
            LOG.warn("control: cannot accept connections: {}", e.toString(), unlessIo(e));
          }
          lastFailure = e.toString();
          pause();
        }
      }
    }
  }

  /** An I/O error is explained by its message; anything else needs its stack trace. */
  private static Throwable unlessIo(Throwable failure) {
    return failure instanceof IOException ? null : failure;
  }

  /** Without this, the loop would spin while there are no file descriptors left. */
  private static void pause() {
    try {
      Thread.sleep(ACCEPT_RETRY.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(UnixSocketChannel client) {
    ControlConnection connection =
        new ControlConnection(client, handler, limits.lineBytes(), limits.idleTimeout());
    connections.add(connection);
    try {
      clients.execute(
          () -> {
            try {
              connection.run();
            } finally {
              connections.remove(connection);
            }
          });
    } catch (RejectedExecutionException e) {
      connections.remove(connection);
      connection.refuse(
          closed
              ? "the daemon is stopping"
              : limits.clients() + " clients are already connected; try again later");
    }
  }
}
