package dev.caplance.control;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket's file. Its mode (0660) and group decide who may connect. A file that a crashed daemon
 * left behind is replaced; the file of a running daemon is not.
 *
 * <p>The socket is bound under a temporary name, gets its group and mode there, and is then
 * renamed: it never exists under its public name with other permissions.
 */
final class SocketFile {

  private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

  /** {@code sun_path} holds 108 bytes with the terminating zero, see unix(7). */
  private static final int MAX_PATH_BYTES = 107;

  private static final String UNFINISHED = ".new";
  private static final int BACKLOG = 128;

  private final Path path;
  private final Object fileKey;

  private SocketFile(Path path, Object fileKey) {
    this.path = path;
    this.fileKey = fileKey;
  }

  /**
   * Binds a server channel to a path and listens.
   *
   * @param group who may connect besides the owner and root; if this group does not exist, the file
   *     keeps the daemon's own
   * @throws IOException when another daemon serves the path, when something other than a socket is
   *     there, or when the file cannot be created
   */
  static SocketFile bind(UnixServerSocketChannel channel, Path path, String group)
      throws IOException {
    requireFree(path);
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      LOG.info("control: replacing {}, which a crashed daemon left behind", path);
    }
    Path unfinished = unfinished(path);
    Files.deleteIfExists(unfinished);
    try {
      channel.socket().bind(new UnixSocketAddress(unfinished.toFile()), BACKLOG);
      setGroup(unfinished, group);
      Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rw-rw----"));
      Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      Files.deleteIfExists(unfinished);
      throw new IOException("cannot create the control socket " + path + ": " + e.getMessage(), e);
    }
    return new SocketFile(path, keyOf(path));
  }

  /**
   * Makes sure that a socket can be bound to a path, and creates its directory. Needs no native
   * library.
   *
   * @throws IOException as {@link #bind} does
   */
  static void requireFree(Path path) throws IOException {
    int bytes = unfinished(path).toString().getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_PATH_BYTES) {
      throw new IOException(
          path
              + " is too long for a socket: at most "
              + (MAX_PATH_BYTES - UNFINISHED.length())
              + " bytes");
    }
    requireAbsentOrStale(path);
    Path directory = path.toAbsolutePath().getParent();
    Files.createDirectories(directory);
    if (!Files.isWritable(directory)) {
      throw new IOException("no permission to create the control socket in " + directory);
    }
  }

  private static Path unfinished(Path path) {
    return path.resolveSibling(path.getFileName() + UNFINISHED);
  }

  /** Removes the file, unless another one has taken its place. */
  void remove() {
    try {
      if (fileKey.equals(keyOf(path))) {
        Files.delete(path);
      }
    } catch (NoSuchFileException e) {
      LOG.debug("control: {} was gone already", path);
    } catch (IOException e) {
      LOG.warn("control: cannot remove {}: {}", path, e.toString());
    }
  }

  private static Object keyOf(Path path) throws IOException {
    return attributes(path).fileKey();
  }

  private static BasicFileAttributes attributes(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  private static void requireAbsentOrStale(Path path) throws IOException {
    try {
      if (!attributes(path).isOther()) {
        throw new IOException(path + " exists and is not a socket; remove it");
      }
    } catch (NoSuchFileException e) {
      return;
    }
    try (SocketChannel attempt = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      // Non-blocking: a daemon that hangs with a full backlog is running, too.
      attempt.configureBlocking(false);
      attempt.connect(UnixDomainSocketAddress.of(path));
      throw new IOException("another daemon serves " + path);
    } catch (ConnectException e) {
      LOG.debug("control: nobody serves {} any more", path);
    }
  }

  private static void setGroup(Path path, String name) throws IOException {
    try {
      GroupPrincipal group =
          path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(name);
      Files.getFileAttributeView(path, PosixFileAttributeView.class).setGroup(group);
    } catch (UserPrincipalNotFoundException e) {
      LOG.debug("control: there is no group {}; the socket keeps that of the daemon", name);
    } catch (IOException e) {
      LOG.warn("control: the group {} may not connect: {}", name, e.toString());
    }
  }
}
