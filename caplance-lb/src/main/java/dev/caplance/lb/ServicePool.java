package dev.caplance.lb;

import dev.caplance.lb.admin.ServiceStatus;
import dev.caplance.lb.forwarding.ForwardingTable.Member;
import dev.caplance.lb.forwarding.ForwardingTable.Pool;
import dev.caplance.lb.registry.ForwardingBackend;
import java.util.List;

/**
 * A service and its backends at one moment.
 *
 * @param serving those that may keep the flows that they have, in byte order of their names
 * @param members those among them that get new flows
 */
record ServicePool(
    LbConfig.Service service, List<ForwardingBackend> serving, List<ForwardingBackend> members) {

  /** The pool of those among all backends that serve the service. */
  static ServicePool of(LbConfig.Service service, List<ForwardingBackend> backends) {
    List<ForwardingBackend> serving =
        backends.stream()
            .filter(backend -> backend.serves(service.name(), service.legacy()))
            .toList();
    List<ForwardingBackend> ready =
        serving.stream().filter(ForwardingBackend::takesNewFlows).toList();
    boolean forced = ready.isEmpty() && service.whenAllUnfit() == LbConfig.WhenAllUnfit.FORWARD;
    return new ServicePool(service, serving, forced ? lastResort(serving) : ready);
  }

  /** Those that get new flows when nobody is fit: who drains, only when there is nobody else. */
  private static List<ForwardingBackend> lastResort(List<ForwardingBackend> serving) {
    List<ForwardingBackend> staying =
        serving.stream().filter(backend -> !backend.draining()).toList();
    return staying.isEmpty() ? serving : staying;
  }

  /** What the data plane is to know of it. */
  Pool toPool() {
    return new Pool(
        service.vip(),
        service.ports(),
        members.stream()
            .map(backend -> new Member(backend.name(), backend.weight(), backend.endpoint()))
            .toList(),
        serving.stream().map(ForwardingBackend::endpoint).toList(),
        service.whenEmpty() == LbConfig.WhenEmpty.REJECT);
  }

  ServiceStatus.State state() {
    if (serving.isEmpty()) {
      return ServiceStatus.State.NO_BACKEND;
    }
    return serving.stream().anyMatch(ForwardingBackend::takesNewFlows)
        ? ServiceStatus.State.BALANCING
        : ServiceStatus.State.ALL_UNFIT;
  }

  ServiceStatus status() {
    return new ServiceStatus(
        service.name(),
        service.vip(),
        service.ports(),
        service.legacy(),
        state(),
        serving,
        members);
  }
}
