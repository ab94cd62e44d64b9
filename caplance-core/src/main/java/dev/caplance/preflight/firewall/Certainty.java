package dev.caplance.preflight.firewall;

/** Whether something holds, as far as that can be known. */
enum Certainty {
  YES,
  NO,
  UNKNOWN;

  static Certainty of(boolean holds) {
    return holds ? YES : NO;
  }

  Certainty negated() {
    return switch (this) {
      case YES -> NO;
      case NO -> YES;
      case UNKNOWN -> UNKNOWN;
    };
  }
}
