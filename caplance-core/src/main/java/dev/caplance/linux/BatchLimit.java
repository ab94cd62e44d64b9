package dev.caplance.linux;

/**
 * How many messages the next batch may have: few while most of them are large, since more would not
 * stay in the processor's cache. For one thread.
 */
public final class BatchLimit {

  private final int many;
  private final int few;
  private boolean mostlyLarge;

  /**
   * A limit that begins with {@code many}.
   *
   * @param many while most messages are small
   * @param few while most messages are large
   */
  public BatchLimit(int many, int few) {
    this.many = many;
    this.few = few;
  }

  /** The most messages of the next batch. */
  public int next() {
    return mostlyLarge ? few : many;
  }

  /**
   * Notes what came, also when nothing came.
   *
   * @param messages of the last batch, from 0
   * @param large how many of them were large
   */
  public void carried(int messages, int large) {
    mostlyLarge = 2 * large > messages;
  }
}
