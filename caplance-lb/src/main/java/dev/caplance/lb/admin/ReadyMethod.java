package dev.caplance.lb.admin;

import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.status.Readiness;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * {@code ready}: whether the load balancer serves at this moment, for programs such as keepalived
 * that decide which machine gets the VIP. Answers from what is known, so at once.
 */
public final class ReadyMethod implements ControlMethod {

  private final Supplier<ForwardingTable> table;
  private final Supplier<List<String>> troubles;

  /**
   * Creates the method; each call queries these parts.
   *
   * @param troubles what the load balancer cannot do on its machine
   */
  public ReadyMethod(Supplier<ForwardingTable> table, Supplier<List<String>> troubles) {
    this.table = table;
    this.troubles = troubles;
  }

  @Override
  public Readiness call(JsonObject params, Caller caller) {
    List<String> reasons = new ArrayList<>(troubles.get());
    if (table.get().services().stream().noneMatch(ReadyMethod::isBalancing)) {
      reasons.add("no service has a backend that is active and healthy");
    }
    return new Readiness(reasons.isEmpty(), reasons);
  }

  private static boolean isBalancing(Service service) {
    return service.state() == Service.State.BALANCING;
  }
}
