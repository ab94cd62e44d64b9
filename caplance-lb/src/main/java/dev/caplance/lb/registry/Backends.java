package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.EventLoop;
import dev.caplance.session.Message;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.WeakHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The registered backends: which registrations are admitted, and what becomes of a backend when its
 * session ends. Each has a name and a data address that no other has. Owned by the registry's
 * thread.
 */
final class Backends implements Backend.Owner {

  private static final Logger LOG = LoggerFactory.getLogger(Backends.class);

  private final EventLoop loop;
  private final DataPath dataPath;
  private final PathProbes probes;
  private final InstantSource wallClock;
  private final Supplier<RegistrySettings> settings;
  private final Runnable changed;
  private final Map<String, Backend> byName = new TreeMap<>();
  private final Map<InetAddress, Backend> byAddress = new HashMap<>();
  private final TargetIndexes targetIndexes = new TargetIndexes();
  private final Map<ServedServices, WeakReference<ServedServices>> shared = new WeakHashMap<>();

  /**
   * Creates an empty set.
   *
   * @param changed called after each change that may affect forwarding
   */
  Backends(
      EventLoop loop,
      DataPath dataPath,
      PathProbes probes,
      InstantSource wallClock,
      Supplier<RegistrySettings> settings,
      Runnable changed) {
    this.loop = loop;
    this.dataPath = dataPath;
    this.probes = probes;
    this.wallClock = wallClock;
    this.settings = settings;
    this.changed = changed;
  }

  /** All of them in byte order of their names, as a live view. */
  Collection<Backend> all() {
    return byName.values();
  }

  /**
   * Checks that a registration is possible at this moment.
   *
   * @param peer address of the other end of the session
   */
  void admit(Message.Register request, InetAddress peer) throws RefusedException {
    if (request.version() == Message.VERSION_2019 && !settings.get().legacyService()) {
      throw new RefusedException(
          "no service here is for 2019 backends, which register without version=; mark one with"
              + " legacy: true at the load balancer, or register with version=2");
    }
    Backend holder = byName.get(request.name());
    if (holder != null
        && !holder.dataAddress().equals(request.dataAddress())
        && !holder.lacksSession()) {
      throw new RefusedException(
          "name in use: "
              + holder
              + " is registered; choose another name, or reconnect with the same data address");
    }
    if (holder == null && !byAddress.containsKey(request.dataAddress())) {
      admitAnother(peer);
    }
  }

  private void admitAnother(InetAddress peer) throws RefusedException {
    int max = settings.get().maxBackends();
    if (byName.size() >= max) {
      throw new RefusedException(
          "the limit of "
              + max
              + " registered backends is reached; session.maxBackends at the load balancer sets"
              + " it");
    }
    int maxOfPeer = settings.get().maxBackendsPerAddress();
    long ofPeer =
        byName.values().stream()
            .filter(backend -> backend.session().peer().getAddress().equals(peer))
            .limit(maxOfPeer)
            .count();
    if (ofPeer == maxOfPeer) {
      throw new RefusedException(
          "the limit of "
              + maxOfPeer
              + " backends registered from "
              + IpAddresses.format(peer)
              + " is reached; session.maxBackendsPerAddress at the load balancer sets it");
    }
  }

  /**
   * Registers an admitted backend. If its data address or its name is registered already, this
   * session takes over, and the previous one is closed.
   *
   * @param route the path to the backend
   */
  Backend register(BackendSession session, Message.Register request, DataPath.Route route) {
    Backend backend = byAddress.get(request.dataAddress());
    Backend holder = byName.get(request.name());
    if (holder != null && holder != backend) {
      LOG.warn(
          "{}: deregistered: the name registers with the data address {}",
          holder,
          IpAddresses.format(request.dataAddress()));
      remove(holder);
    }
    ServedServices services = shared(request, Optional.empty());
    if (backend == null) {
      Target target =
          targetIndexes.allocate(
              request.name(), request.weight(), request.dataAddress(), route.mtu(), route.source());
      backend = new Backend(loop, this, target, session, request, services, wallClock.instant());
      byAddress.put(request.dataAddress(), backend);
    } else {
      takeOver(backend, session, request, route, services);
    }
    byName.put(request.name(), backend);
    backend.watch(
        request.probe()
            ? new PathWatch(loop, dataPath, probes, probeInterval(request), backend)
            : null);
    changed.run();
    return backend;
  }

  private void takeOver(
      Backend backend,
      BackendSession session,
      Message.Register request,
      DataPath.Route route,
      ServedServices services) {
    String before = backend.toString();
    BackendSession superseded = backend.session();
    byName.remove(backend.name());
    Target known = backend.view().target();
    Target target =
        known.renamed(request.name()).with(request.weight(), route.mtu(), route.source());
    // A backend that names services keeps its set until its first HEALTH, when its VIPs are known.
    backend.attach(
        session, request, target, request.probe() ? backend.view().services() : services);
    if (!known.name().equals(request.name())) {
      LOG.warn("{}: replaced by {}, which has the same data address", before, backend);
    }
    superseded.supersede();
  }

  /** How often the path to a backend is probed. */
  Duration probeInterval(Message.Register request) {
    Duration ours = settings.get().probeInterval();
    Duration half = request.healthInterval().map(interval -> interval.dividedBy(2)).orElse(ours);
    Duration shorter = ours.compareTo(half) < 0 ? ours : half;
    Duration min = Message.Register.MIN_HEALTH_INTERVAL;
    return shorter.compareTo(min) < 0 ? min : shorter;
  }

  /**
   * The services that a backend serves. Equal sets are one object, so that thousands of backends do
   * not hold thousands of sets.
   *
   * @param vips that it has; empty: it has not said, which stands for all
   */
  ServedServices shared(Message.Register request, Optional<Set<InetAddress>> vips) {
    ServedServices services = ServedServices.of(request, vips, settings.get().services());
    WeakReference<ServedServices> known = shared.get(services);
    ServedServices same = known == null ? null : known.get();
    if (same != null) {
      return same;
    }
    shared.put(services, new WeakReference<>(services));
    return services;
  }

  /**
   * Takes note that a session has ended. Its backend is removed if it said that it leaves, and
   * keeps its flows for a while otherwise, unless another session has taken over.
   */
  void ended(BackendSession session, Backend backend, boolean leaves) {
    if (backend.session() != session) {
      return;
    }
    if (leaves) {
      remove(backend);
    } else {
      backend.awaitReturn();
    }
    changed.run();
  }

  @Override
  public void changed() {
    changed.run();
  }

  @Override
  public void gone(Backend backend) {
    LOG.warn(
        "{}: deregistered: {}",
        backend,
        backend.probed()
            ? "it has no session, and its path does not answer either"
            : "it has not returned");
    remove(backend);
    changed.run();
  }

  /**
   * Ends the sessions of backends that take packets from an address that this machine no longer
   * has. They register again, and learn the new one.
   */
  void ownAddresses(Set<InetAddress> addresses) {
    for (Backend backend : List.copyOf(byName.values())) {
      InetAddress source = backend.view().target().source();
      if (!addresses.contains(source)) {
        backend
            .session()
            .dismiss(
                Level.WARN,
                "the load balancer's address "
                    + IpAddresses.format(source)
                    + " has gone; register again");
      }
    }
  }

  private void remove(Backend backend) {
    byName.remove(backend.name(), backend);
    byAddress.remove(backend.dataAddress(), backend);
    targetIndexes.release(backend.view().target());
    backend.end();
  }
}
