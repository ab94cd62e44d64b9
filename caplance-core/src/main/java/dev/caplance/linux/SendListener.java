package dev.caplance.linux;

/** Learns what became of the messages of a {@link SendBatch}, in their order. */
public interface SendListener {

  /** The kernel took {@code datagrams} of message {@code index}, {@code bytes} in all. */
  void sent(int index, int datagrams, int bytes);

  /** The kernel refused {@code datagrams} of message {@code index} with this error number. */
  void failed(int index, int datagrams, int errno);

  /**
   * The kernel refused to segment the GSO batch in message {@code index}: the interface has no
   * checksum offload, or its MTU is too small. Its datagrams are sent one by one next.
   */
  default void gsoRefused(int index, int errno) {}
}
