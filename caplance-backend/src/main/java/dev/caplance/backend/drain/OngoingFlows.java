package dev.caplance.backend.drain;

/**
 * What clients have going with the application at one moment.
 *
 * @param connections of TCP
 * @param udpFlows of which packets came lately
 */
public record OngoingFlows(int connections, int udpFlows) {

  /** Whether there is nothing to wait for. */
  boolean isNone() {
    return connections == 0 && udpFlows == 0;
  }

  /** For operators: {@code 1 connection and 2 UDP flows}. */
  @Override
  public String toString() {
    String tcp = number(connections, "connection");
    String udp = number(udpFlows, "UDP flow");
    if (udpFlows == 0) {
      return tcp;
    }
    return connections == 0 ? udp : tcp + " and " + udp;
  }

  private static String number(int count, String thing) {
    return (count == 0 ? "no" : count) + " " + thing + (count == 1 ? "" : "s");
  }
}
