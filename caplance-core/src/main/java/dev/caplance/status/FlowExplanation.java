package dev.caplance.status;

import com.google.gson.annotations.SerializedName;

/**
 * Where a load balancer would send the next packet of a flow, and why: the result of its method
 * {@code explain}, whose parameter {@code flow} is such as {@code tcp 198.51.100.7:40000 ->
 * 10.0.0.50:80}.
 *
 * @param flow in its usual form
 * @param service null when no service has the flow
 * @param slot of the service's table, null when no slot was used
 * @param slots how many the table has
 * @param backend its name, null when the packet goes to none
 * @param address its data address
 * @param detail a sentence
 */
public record FlowExplanation(
    String flow,
    String service,
    Integer slot,
    Integer slots,
    String backend,
    String address,
    Reason why,
    String detail) {

  /** What decides where a packet goes. */
  public enum Reason {
    /** The flow is known, and its backend is active and healthy. */
    @SerializedName("flow table")
    FLOW_TABLE,
    /** The flow is known, and its backend is draining. */
    @SerializedName("drain")
    DRAIN,
    /** The flow is known, and its backend is unhealthy. */
    @SerializedName("unfit")
    UNHEALTHY,
    /** The flow is new: its slot decides. */
    @SerializedName("table")
    TABLE,
    /** The flow is new, and no backend is active and healthy. */
    @SerializedName("all unfit")
    ALL_UNHEALTHY,
    /** The service has no backend. */
    @SerializedName("no backend")
    NO_BACKEND,
    /** The destination belongs to no service. */
    @SerializedName("no service")
    NO_SERVICE,
    /** The source is an address of the load balancer or a VIP. */
    @SerializedName("own source")
    OWN_SOURCE
  }
}
