package dev.caplance.lb.dataplane;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.FlowKey;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** A data plane that does nothing; tests override what they are about. */
public class FakeDataplane implements Dataplane {

  @Override
  public void start() {}

  @Override
  public void apply(List<ServiceSpec> services, Dataplane.FlowTimeouts timeouts) {}

  @Override
  public boolean publish(ForwardingTable table) {
    return true;
  }

  @Override
  public boolean probe(Target target, String token, boolean padded) {
    return true;
  }

  @Override
  public void onProbeReply(Dataplane.ProbeListener listener) {}

  @Override
  public void maintain() {}

  @Override
  public List<Dataplane.WorkerStatus> status() {
    return List.of();
  }

  @Override
  public Dataplane.TargetTraffic traffic(Target target) {
    return Dataplane.TargetTraffic.NONE;
  }

  @Override
  public Map<InetAddress, Long> droppedOtherTraffic() {
    return Map.of();
  }

  @Override
  public OptionalInt targetOf(FlowKey flow) {
    return OptionalInt.empty();
  }

  @Override
  public void stop() {}
}
