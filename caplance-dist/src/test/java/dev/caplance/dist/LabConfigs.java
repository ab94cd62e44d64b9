package dev.caplance.dist;

import java.util.LinkedHashMap;
import java.util.Map;

/** Configuration files for the lab, both VIPs in each. */
final class LabConfigs {

  static final String HASH_KEY = "hashKey: 6361706c616e636520697320612d6c62\n";

  private static final String SERVICES =
      "services: [{name: web, vip: 10.77.0.50}, {name: web6, vip: 'fd77::50'}]\n";
  private static final String ANY_FAMILY = "session: {address: '::'}\n";

  private LabConfigs() {}

  /** The families that the load balancer and the backends talk to each other in. */
  enum OuterIp {
    IPV4("10.77.0."),
    IPV6("fd77::");

    private final String prefix;

    OuterIp(String prefix) {
      this.prefix = prefix;
    }

    String address(int number) {
      return prefix + number;
    }
  }

  /** For {@code lb1} and {@code b1} to {@code b3}. */
  static Map<String, String> all(OuterIp outerIp) {
    return all(outerIp, "", "");
  }

  /**
   * The same with more in them.
   *
   * @param balancer lines for the load balancer's file
   * @param backend lines for the file of each backend
   */
  static Map<String, String> all(OuterIp outerIp, String balancer, String backend) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put("lb1/lb.yaml", SERVICES + ANY_FAMILY + HASH_KEY + balancer);
    for (int i = 1; i <= 3; i++) {
      files.put("b" + i + "/backend.yaml", backend(outerIp, i) + backend);
    }
    return files;
  }

  private static String backend(OuterIp outerIp, int number) {
    return "name: b"
        + number
        + "\naddress: '"
        + outerIp.address(10 + number)
        + "'\nvips: [10.77.0.50, 'fd77::50']\nloadBalancers: [{address: '"
        + outerIp.address(2)
        + "'}]\n";
  }
}
