package dev.caplance.backend.session;

import dev.caplance.session.Message;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What a backend offers its load balancers. Those of 2019 do not listen.
 *
 * @param services the names of those it serves; empty stands for all
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param mtu the size of the largest packet, encapsulation included, that reaches it, 576 to 65535
 *     bytes; empty when it does not know
 */
public record Offer(Set<String> services, int weight, OptionalInt mtu) {

  private static final int USUAL_WEIGHT = 1;

  /** Everything, with the weight that all have who do not say another. */
  public static final Offer USUAL = new Offer(Set.of(), USUAL_WEIGHT, OptionalInt.empty());

  /** The registration with what is offered; of what is usual nothing needs to be said. */
  Message.Register addTo(Message.Register register) {
    Message.Register more = register.withServices(services);
    if (weight != USUAL_WEIGHT) {
      more = more.withWeight(weight);
    }
    return mtu.isPresent() ? more.withMtu(mtu.getAsInt()) : more;
  }
}
