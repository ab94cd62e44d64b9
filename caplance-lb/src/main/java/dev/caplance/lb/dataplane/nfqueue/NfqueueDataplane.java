package dev.caplance.lb.dataplane.nfqueue;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import dev.caplance.host.CommandRunner;
import dev.caplance.host.NetfilterRules;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.nfqueue.QueueDrops;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data plane on NFQUEUE: one {@link PacketWorker} and one thread for each pair of queues, and the
 * netfilter rules that direct packets there. The queues are bound before the rules are installed,
 * and the rules are removed before the queues are unbound; in any other order the host's own TCP
 * would reset the clients' connections.
 */
public final class NfqueueDataplane implements Dataplane {

  private static final Logger LOG = LoggerFactory.getLogger(NfqueueDataplane.class);

  /** A worker, the loop whose thread runs it, and its flows. */
  private record Worker(PacketWorker packets, ReceiveLoop loop, Flows flows) {}

  private final Settings settings;
  private final ReceiveLoop.Owner owner;

  /**
   * Guarded by itself, because host commands may take long and publication must not wait for them.
   */
  private final NetfilterRules rules;

  private final SecondsClock clock = new SecondsClock();
  private final FlowHash fingerprints = randomHash();
  private final PathProbes probes;
  private volatile List<Worker> workers = List.of();
  private volatile Routes routes;

  /**
   * Creates a data plane without starting it.
   *
   * @param table the first table
   * @param commands runs the commands that change netfilter rules
   * @param owner told about workers that end and about system calls that keep failing
   */
  public NfqueueDataplane(
      Settings settings, ForwardingTable table, CommandRunner commands, ReceiveLoop.Owner owner) {
    this.settings = settings;
    this.owner = owner;
    this.rules = new NetfilterRules(settings.firstQueue(), settings.queueCount(), commands);
    this.probes = new PathProbes(settings.dataPort(), owner);
    this.routes = Routes.of(table);
  }

  private static FlowHash randomHash() {
    byte[] key = new byte[FlowHash.KEY_LENGTH];
    new SecureRandom().nextBytes(key);
    return new FlowHash(key);
  }

  @Override
  public synchronized void start() throws IOException {
    synchronized (rules) {
      rules.claim();
    }
    List<Worker> opened = new ArrayList<>();
    try {
      for (int i = 0; i < settings.queueCount(); i++) {
        opened.add(open(i));
      }
      probes.start();
    } catch (IOException | RuntimeException e) {
      opened.forEach(worker -> worker.packets.close());
      throw e;
    }
    FlowTable[] tables = opened.stream().map(w -> w.flows.table()).toArray(FlowTable[]::new);
    opened.forEach(worker -> worker.flows.setTables(tables));
    workers = List.copyOf(opened);
    workers.forEach(worker -> worker.loop.start());
    workers.get(0).packets.missing().forEach(LOG::info);
  }

  private Worker open(int number) throws IOException {
    FlowTable table = new FlowTable(settings.flowsPerWorker(), settings.timeouts());
    Flows flows = new Flows(fingerprints, table);
    PacketWorker packets = PacketWorker.open(number, settings, flows, clock, owner, routes);
    return new Worker(packets, new ReceiveLoop("worker-" + number, packets, owner), flows);
  }

  @Override
  public void apply(List<ServiceSpec> services, Dataplane.FlowTimeouts timeouts)
      throws IOException {
    workers.forEach(worker -> worker.flows.table().setTimeouts(timeouts));
    Map<InetAddress, List<ServiceSpec>> byVip =
        services.stream().collect(groupingBy(ServiceSpec::vip, LinkedHashMap::new, toList()));
    List<NetfilterRules.Vip> vips =
        byVip.entrySet().stream().map(vip -> rulesOf(vip.getKey(), vip.getValue())).toList();
    synchronized (rules) {
      rules.apply(vips);
    }
  }

  private static NetfilterRules.Vip rulesOf(InetAddress vip, List<ServiceSpec> services) {
    Ports ports = services.stream().map(ServiceSpec::ports).reduce(Ports.NONE, Ports::union);
    boolean dropOther = services.get(0).otherTraffic() == ServiceSpec.OtherTraffic.DROP;
    return new NetfilterRules.Vip(vip, ports, dropOther);
  }

  @Override
  public void maintain() throws IOException {
    synchronized (rules) {
      rules.check().forEach(LOG::warn);
    }
  }

  /** One volatile write for each worker, so the table is in effect on return. */
  @Override
  public synchronized boolean publish(ForwardingTable table) {
    table.targets().stream()
        .filter(target -> target.mtu() < Target.MIN_MTU && routes.find(target) == null)
        .forEach(NfqueueDataplane::warnOfNarrowPath);
    routes = routes.next(table, settings.dataPort(), settings.queueCount());
    workers.forEach(worker -> worker.packets.publish(routes));
    return true;
  }

  @Override
  public boolean probe(Target target, String token, boolean padded) {
    return probes.send(target, token, padded);
  }

  @Override
  public void onProbeReply(Dataplane.ProbeListener listener) {
    probes.onReply(listener);
  }

  private static void warnOfNarrowPath(Target target) {
    LOG.warn(
        "backend {}: the path MTU is {} bytes; below {}, every full packet is fragmented."
            + " Look at the MTU of the route and of the interface, and at the backend's mtu",
        target.name(),
        target.mtu(),
        Target.MIN_MTU);
  }

  @Override
  public List<Dataplane.WorkerStatus> status() {
    Map<Integer, QueueDrops> drops = queueDrops();
    List<Dataplane.WorkerStatus> statuses = new ArrayList<>();
    for (Worker worker : workers) {
      int queue = settings.firstQueue() + statuses.size();
      QueueDrops ofBoth =
          drops
              .getOrDefault(queue, QueueDrops.NONE)
              .and(drops.getOrDefault(queue + settings.queueCount(), QueueDrops.NONE));
      statuses.add(worker.packets.status(worker.loop.allocatedBytes(), ofBoth));
    }
    return statuses;
  }

  private static Map<Integer, QueueDrops> queueDrops() {
    try {
      return QueueDrops.read();
    } catch (IOException e) {
      LOG.debug("the kernel does not tell what it has dropped at its queues", e);
      return Map.of();
    }
  }

  @Override
  public Dataplane.TargetTraffic traffic(Target target) {
    TargetState state = routes.find(target);
    return state == null ? Dataplane.TargetTraffic.NONE : state.traffic();
  }

  @Override
  public Map<InetAddress, Long> droppedOtherTraffic() {
    return rules.droppedPackets();
  }

  /** Synchronized because {@link #stop} frees the memory of the flow tables. */
  @Override
  public synchronized OptionalInt targetOf(FlowKey flow) {
    ForwardingTable table = routes.table;
    int service = table.service(flow);
    if (service == ForwardingTable.NO_SERVICE) {
      return OptionalInt.empty();
    }
    Fingerprint fingerprint = new Fingerprint();
    table.fingerprint(service, flow, fingerprints, fingerprint);
    for (Worker worker : workers) {
      FlowTable flows = worker.flows.table();
      int entry = flows.find(fingerprint, clock.seconds());
      if (entry != FlowTable.NONE) {
        return OptionalInt.of(flows.targetId(entry));
      }
    }
    return OptionalInt.empty();
  }

  @Override
  public void stop() {
    try {
      synchronized (rules) {
        rules.close();
      }
    } catch (IOException e) {
      LOG.error("cannot remove the netfilter rules: {}", e.getMessage(), e);
    }
    probes.close();
    stopWorkers();
  }

  private synchronized void stopWorkers() {
    List<Worker> ending = workers;
    workers = List.of();
    ending.forEach(worker -> worker.loop.stop());
    ending.forEach(worker -> worker.packets.close());
  }

  /**
   * What the configuration and the host tell this data plane.
   *
   * @param firstQueue number of the first queue, from 0; the others follow it, then as many for TCP
   * @param queueCount pairs of queues, and hence workers, at least 1
   * @param queueLength packets that the kernel holds in each queue before it drops
   * @param widestMtu bytes of the largest packet that can reach this host unfragmented
   * @param flowsPerWorker flows that each worker remembers at most
   * @param timeouts idle times after which flows are forgotten
   * @param dataPort the UDP port of backends, 1 to 65535
   */
  public record Settings(
      int firstQueue,
      int queueCount,
      int queueLength,
      int widestMtu,
      int flowsPerWorker,
      Dataplane.FlowTimeouts timeouts,
      int dataPort) {}
}
