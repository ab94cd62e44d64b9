package dev.caplance.linux;

/**
 * What takes the messages of a {@link SendBatch}: a {@link LinuxSocket}. Tests put something else
 * in its place that fails when they want it to.
 */
public interface MessageSink extends AutoCloseable {

  /**
   * Sends messages without waiting for room. Allocates nothing.
   *
   * @param messages address of the first {@code struct mmsghdr}; the others follow it
   * @param count how many, 1 to 1024
   * @return how many were sent: fewer than {@code count} when one failed, whose error the call that
   *     begins with it returns; or the negative error number of the first message
   */
  int send(long messages, int count);

  @Override
  void close();
}
