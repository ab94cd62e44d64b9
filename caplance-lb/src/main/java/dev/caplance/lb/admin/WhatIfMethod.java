package dev.caplance.lb.admin;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Maglev;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.session.Message;
import dev.caplance.status.WhatIfResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * {@code whatif}: how many slots of a service's Maglev table would get another backend if its
 * backends changed. The tables are computed for the reply only and do not affect traffic. {@link
 * WhatIfResult} describes the parameters.
 */
public final class WhatIfMethod implements ControlMethod {

  private final Supplier<ForwardingTable> table;

  /** Creates the method; each call uses the current table. */
  public WhatIfMethod(Supplier<ForwardingTable> table) {
    this.table = table;
  }

  @Override
  public boolean takesTurns() {
    return true;
  }

  @Override
  public WhatIfResult call(JsonObject json, Caller caller) throws ControlException {
    Params params = new Params(json);
    ForwardingTable now = table.get();
    Service service = service(now, params.find("service"));
    String name = params.text("name", "web-1");
    Map<String, Integer> before = new TreeMap<>();
    service.targets().forEach(target -> before.put(target.name(), target.weight()));
    Map<String, Integer> after = new TreeMap<>(before);
    String change = params.text("change", "remove");
    switch (change) {
      case "remove" -> {
        requireMember(service, before, name);
        after.remove(name);
      }
      case "add" -> {
        if (before.containsKey(name)) {
          throw refused(name + " already gets new flows of " + service.name());
        }
        after.put(name, weight(params).orElse(offeredWeight(service, name)));
      }
      case "weight" -> {
        requireMember(service, before, name);
        after.put(
            name,
            weight(params).orElseThrow(() -> Params.invalid("the parameter 'weight' is missing")));
      }
      default ->
          throw Params.invalid("'" + change + "' is not a change; write remove, add or weight");
    }
    return compare(service.name(), name, before, after, now.slots());
  }

  private static Service service(ForwardingTable now, Optional<String> name)
      throws ControlException {
    List<Service> services = now.services();
    if (name.isEmpty() && services.size() == 1) {
      return services.get(0);
    }
    String names = services.stream().map(Service::name).collect(joining(", "));
    if (name.isEmpty()) {
      throw Params.invalid("there is more than one service; name one of " + names);
    }
    return services.stream()
        .filter(service -> service.name().equals(name.get()))
        .findFirst()
        .orElseThrow(
            () ->
                Params.invalid(
                    "there is no service '" + name.get() + "'; the services are " + names));
  }

  private static Optional<Integer> weight(Params params) throws ControlException {
    return params.findInteger("weight", 1, Message.Register.MAX_WEIGHT);
  }

  /** The weight of a registered backend that gets no new flows; the default for any other. */
  private static int offeredWeight(Service service, String name) {
    return service.drainingTargets().stream()
        .filter(target -> target.name().equals(name))
        .map(Target::weight)
        .findFirst()
        .orElse(1);
  }

  private static void requireMember(Service service, Map<String, Integer> members, String name)
      throws ControlException {
    if (!members.containsKey(name)) {
      throw refused(
          name
              + " gets no new flows of "
              + service.name()
              + ", so nothing would move; those that do: "
              + (members.isEmpty() ? "none" : String.join(", ", members.keySet())));
    }
  }

  private static ControlException refused(String message) {
    return new ControlException(ControlException.REFUSED, message);
  }

  private static WhatIfResult compare(
      String service,
      String changed,
      Map<String, Integer> before,
      Map<String, Integer> after,
      int slots) {
    List<String> namesBefore = new ArrayList<>(before.keySet());
    List<String> namesAfter = new ArrayList<>(after.keySet());
    char[] tableBefore = table(before, slots);
    char[] tableAfter = table(after, slots);
    Map<String, Integer> sharesBefore = new TreeMap<>();
    Map<String, Integer> sharesAfter = new TreeMap<>();
    int moved = 0;
    int movedBetweenOthers = 0;
    for (int slot = 0; slot < slots; slot++) {
      String from = owner(namesBefore, tableBefore, slot);
      String to = owner(namesAfter, tableAfter, slot);
      sharesBefore.merge(from, 1, Integer::sum);
      sharesAfter.merge(to, 1, Integer::sum);
      if (!from.equals(to)) {
        moved++;
        movedBetweenOthers += from.equals(changed) || to.equals(changed) ? 0 : 1;
      }
    }
    TreeSet<String> names = new TreeSet<>(namesBefore);
    names.addAll(namesAfter);
    List<WhatIfResult.Share> shares =
        names.stream()
            .map(
                name ->
                    new WhatIfResult.Share(
                        name,
                        sharesBefore.getOrDefault(name, 0),
                        sharesAfter.getOrDefault(name, 0)))
            .toList();
    return new WhatIfResult(service, slots, moved, movedBetweenOthers, shares);
  }

  private static char[] table(Map<String, Integer> weights, int slots) {
    return weights.isEmpty()
        ? new char[0]
        : Maglev.table(
            List.copyOf(weights.keySet()),
            weights.values().stream().mapToInt(Integer::intValue).toArray(),
            slots);
  }

  private static String owner(List<String> names, char[] table, int slot) {
    return table.length == 0 ? "" : names.get(table[slot]);
  }
}
